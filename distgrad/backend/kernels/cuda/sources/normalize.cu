// Layer norm and RMS norm of rows (rows, width), and their gradients.
//
// A row is the work of blockDim.x threads: a warp with its neighbours in y, or a whole block.

struct Moments {
  A mean, scale;
};

__device__ inline i64 own_row() { return (i64)blockIdx.x * blockDim.y + threadIdx.y; }

// Mean, and 1 / sqrt(variance + eps): the distances from the mean give the squares, and what the
// mean lacks because its sum was rounded.
__device__ inline Moments moments(const T* x, i64 width, A eps, A* room) {
  A sum = 0, rest = 0, square = 0, v[PACK];
  for (i64 i = threadIdx.x * PACK; i < width; i += blockDim.x * PACK) {
    read(v, x + i, width - i);
    for (int j = 0; j < PACK; j++) sum += v[j];
  }
  A mean = row_sum(sum, room) / width;
  for (i64 i = threadIdx.x * PACK; i < width; i += blockDim.x * PACK) {
    read(v, x + i, width - i);
    for (int j = 0; j < PACK && i + j < width; j++) {
      A distance = v[j] - mean;
      rest += distance;
      square += distance * distance;
    }
  }
  mean += row_sum(rest, room) / width;
  A variance = row_sum(square, room) / width;
  return {mean, A(1) / sqrt(variance + eps)};
}

extern "C" __global__ void normalize(T* y, const T* x, const T* weight, const T* bias, A eps,
                                     i64 rows, i64 width) {
  __shared__ A room[32];
  i64 row = own_row();
  if (row >= rows) return;
  x += row * width;
  y += row * width;
  Moments m = moments(x, width, eps, room);
  A v[PACK], w[PACK], b[PACK];
  for (i64 i = threadIdx.x * PACK; i < width; i += blockDim.x * PACK) {
    read(v, x + i, width - i);
    if (weight) read(w, weight + i, width - i);
    if (bias) read(b, bias + i, width - i);
    for (int j = 0; j < PACK; j++) {
      v[j] = (v[j] - m.mean) * m.scale;
      if (weight) v[j] *= w[j];
      if (bias) v[j] += b[j];
    }
    write(y + i, v, width - i);
  }
}

// The gradient by x: with h = weight * above, scale * (h - mean(h) - z * mean(h * z)).
extern "C" __global__ void normalize_input(T* result, const T* above, const T* x, const T* weight,
                                           A eps, i64 rows, i64 width) {
  __shared__ A room[32];
  i64 row = own_row();
  if (row >= rows) return;
  x += row * width;
  above += row * width;
  result += row * width;
  Moments m = moments(x, width, eps, room);
  A v[PACK], h[PACK], w[PACK], sum = 0, product = 0;
  for (i64 i = threadIdx.x * PACK; i < width; i += blockDim.x * PACK) {
    read(v, x + i, width - i);
    read(h, above + i, width - i);  // 0 behind the end of the row
    if (weight) read(w, weight + i, width - i);
    for (int j = 0; j < PACK; j++) {
      if (weight) h[j] *= w[j];
      sum += h[j];
      product += h[j] * (v[j] - m.mean);
    }
  }
  A mean = row_sum(sum, room) / width;
  A slope = row_sum(product, room) / width * m.scale * m.scale;
  for (i64 i = threadIdx.x * PACK; i < width; i += blockDim.x * PACK) {
    read(v, x + i, width - i);
    read(h, above + i, width - i);
    if (weight) read(w, weight + i, width - i);
    for (int j = 0; j < PACK; j++) {
      if (weight) h[j] *= w[j];
      v[j] = (h[j] - (v[j] - m.mean) * slope - mean) * m.scale;
    }
    write(result + i, v, width - i);
  }
}

// Mean and scale of each row, for `normalize_weight`.
extern "C" __global__ void row_moments(A* found, const T* x, A eps, i64 rows, i64 width) {
  __shared__ A room[32];
  i64 row = own_row();
  if (row >= rows) return;
  Moments m = moments(x + row * width, width, eps, room);
  if (threadIdx.x == 0) {
    found[2 * row] = m.mean;
    found[2 * row + 1] = m.scale;
  }
}

// The sums of above * z over `chunk` rows, for each column. A thread adds up every blockDim.y-th
// row; then the threads of a column are added in order.
extern "C" __global__ void normalize_weight(A* partial, const T* above, const T* x, const A* found,
                                            i64 rows, i64 width, i64 chunk) {
  __shared__ A sums[8][32];
  i64 column = (i64)blockIdx.x * 32 + threadIdx.x, first = blockIdx.y * chunk;
  i64 end = first + chunk < rows ? first + chunk : rows;
  A sum = 0;
  if (column < width)
    for (i64 row = first + threadIdx.y; row < end; row += blockDim.y) {
      i64 i = row * width + column;
      sum += widened(above[i]) * ((widened(x[i]) - found[2 * row]) * found[2 * row + 1]);
    }
  sums[threadIdx.y][threadIdx.x] = sum;
  __syncthreads();
  if (threadIdx.y || column >= width) return;
  for (int y = 1; y < blockDim.y; y++) sum += sums[y][threadIdx.x];
  partial[blockIdx.y * width + column] = sum;
}

__device__ inline A inverse_rms(const T* x, i64 width, A eps, A* room) {
  A square = 0, v[PACK];
  for (i64 i = threadIdx.x * PACK; i < width; i += blockDim.x * PACK) {
    read(v, x + i, width - i);
    for (int j = 0; j < PACK; j++) square += v[j] * v[j];
  }
  return A(1) / sqrt(row_sum(square, room) / width + eps);
}

extern "C" __global__ void rms_normalize(T* y, const T* x, A eps, i64 rows, i64 width) {
  __shared__ A room[32];
  i64 row = own_row();
  if (row >= rows) return;
  x += row * width;
  y += row * width;
  A scale = inverse_rms(x, width, eps, room), v[PACK];
  for (i64 i = threadIdx.x * PACK; i < width; i += blockDim.x * PACK) {
    read(v, x + i, width - i);
    for (int j = 0; j < PACK; j++) v[j] *= scale;
    write(y + i, v, width - i);
  }
}

// scale * (above - z * mean(above * z))
extern "C" __global__ void rms_normalize_input(T* result, const T* above, const T* x, A eps,
                                               i64 rows, i64 width) {
  __shared__ A room[32];
  i64 row = own_row();
  if (row >= rows) return;
  x += row * width;
  above += row * width;
  result += row * width;
  A scale = inverse_rms(x, width, eps, room), v[PACK], h[PACK], product = 0;
  for (i64 i = threadIdx.x * PACK; i < width; i += blockDim.x * PACK) {
    read(v, x + i, width - i);
    read(h, above + i, width - i);
    for (int j = 0; j < PACK; j++) product += h[j] * (v[j] * scale);
  }
  A mean = row_sum(product, room) / width;
  for (i64 i = threadIdx.x * PACK; i < width; i += blockDim.x * PACK) {
    read(v, x + i, width - i);
    read(h, above + i, width - i);
    for (int j = 0; j < PACK; j++) v[j] = (h[j] - v[j] * scale * mean) * scale;
    write(result + i, v, width - i);
  }
}
