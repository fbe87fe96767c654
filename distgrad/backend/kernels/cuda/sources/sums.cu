// Sums in a fixed order: of columns, and of the powers of blocks for norms.

// Of rows (rows, width), the sums of columns over each `chunk` of them, one for each block along y. A
// thread adds up every blockDim.y-th row; then the threads of a column are added in order.
extern "C" __global__ void partial_columns(A* sums, const T* x, i64 rows, i64 width, i64 chunk) {
  __shared__ A room[8][32];
  i64 column = (i64)blockIdx.x * 32 + threadIdx.x;
  i64 start = (i64)blockIdx.y * chunk, end = start + chunk < rows ? start + chunk : rows;
  A sum = 0;
  if (column < width)
    for (i64 row = start + threadIdx.y; row < end; row += blockDim.y)
      sum += widened(x[row * width + column]);
  room[threadIdx.y][threadIdx.x] = sum;
  __syncthreads();
  if (threadIdx.y || column >= width) return;
  for (int y = 1; y < blockDim.y; y++) sum += room[y][threadIdx.x];
  sums[(i64)blockIdx.y * width + column] = sum;
}

// Of partial sums (rows, width), those of each column. A thread adds up every blockDim.y-th row; then
// the threads of a column are added in order.
extern "C" __global__ void total_columns(T* sums, const A* partial, i64 rows, i64 width) {
  __shared__ A room[8][32];
  i64 column = (i64)blockIdx.x * 32 + threadIdx.x;
  A sum = 0;
  if (column < width)
    for (i64 row = threadIdx.y; row < rows; row += blockDim.y) sum += partial[row * width + column];
  room[threadIdx.y][threadIdx.x] = sum;
  __syncthreads();
  if (threadIdx.y || column >= width) return;
  for (int y = 1; y < blockDim.y; y++) sum += room[y][threadIdx.x];
  narrow(sums[column], sum);
}

// The sum of |x| ** power of each piece, in float64; the largest |x| where power is infinite. The
// first piece ends at `first`, the others have `length` elements. A thread adds up every
// blockDim.x-th of its piece.
extern "C" __global__ void block_power_sums(double* sums, const T* x, double power, i64 first,
                                            i64 length, i64 size) {
  __shared__ double room[32];
  bool is_largest = power == 1.0 / 0.0;
  i64 end = first + (i64)blockIdx.x * length, start = blockIdx.x ? end - length : 0;
  if (end > size) end = size;
  double sum = 0;
  for (i64 i = start + threadIdx.x; i < end; i += blockDim.x) {
    double value = fabs((double)widened(x[i]));
    if (is_largest)
      sum = value > sum || value != value ? value : sum;
    else
      sum += power == 2 ? value * value : power == 1 ? value : pow(value, power);
  }
  sum = is_largest ? row_max(sum, room) : row_sum(sum, room);
  if (threadIdx.x == 0) sums[blockIdx.x] = sum;
}
