// The gradient of an embedding: for each row of the table the sum over where it was taken, in order.
//
// The places of each row are found by looking at all indices, a piece at a time in shared memory:
// no sort, which CuPy waits for, and so none that a graph could not hold.

enum { PIECE = 1024, ROWS = 8 };  // indices at a time; rows of a warp

// How often each row was taken; or with `order`, where: for each row from starts[row] on.
extern "C" __global__ void places(i64* counts, i64* order, const i64* starts, const i64* indices,
                                  i64 count, i64 rows) {
  __shared__ int piece[PIECE];
  int first = (blockIdx.x * blockDim.y + threadIdx.y) * ROWS, lane = threadIdx.x;
  i64 found[ROWS] = {};
  for (i64 begin = 0; begin < count; begin += PIECE) {
    __syncthreads();
    for (int n = threadIdx.y * 32 + lane; n < PIECE; n += 32 * blockDim.y)
      piece[n] = begin + n < count ? (int)indices[begin + n] : -1;
    __syncthreads();
#pragma unroll
    for (int r = 0; r < ROWS; r++)
      for (int j = 0; j < PIECE; j += 32) {
        bool same = first + r < rows && piece[j + lane] == first + r;
        unsigned all = __ballot_sync(~0u, same);
        if (order && same)
          order[starts[first + r] + found[r] + __popc(all & ((1u << lane) - 1))] = begin + j + lane;
        found[r] += __popc(all);
      }
  }
  if (order || lane) return;
#pragma unroll
  for (int r = 0; r < ROWS; r++)
    if (first + r < rows) counts[first + r] = found[r];
}

extern "C" __global__ void embedding_table(T* table, const T* above, const i64* order,
                                           const i64* starts, const i64* counts, i64 padding,
                                           i64 by_frequency, i64 width) {
  i64 row = blockIdx.x, start = starts[row], count = row == padding ? 0 : counts[row];
  i64 column = ((i64)blockIdx.y * blockDim.x + threadIdx.x) * PACK;
  if (column >= width) return;
  A sum[PACK] = {}, v[PACK];
  for (i64 n = 0; n < count; n++) {
    read(v, above + order[start + n] * width + column, width - column);
    for (int j = 0; j < PACK; j++) sum[j] += v[j];
  }
  if (by_frequency && count)
    for (int j = 0; j < PACK; j++) sum[j] /= A(count);
  write(table + row * width + column, sum, width - column);
}
