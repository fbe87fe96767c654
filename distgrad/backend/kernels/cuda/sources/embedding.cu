// The gradient of an embedding: for each row of the table the sum over where it was taken, in order.
//
// `order` sorts the indices, equal ones in the order in which they stand. A block begins at each
// sorted place and works only where a new row of the table begins there: nothing is added by two.
extern "C" __global__ void embedding_table(T* table, const T* above, const i64* indices,
                                           const i64* order, i64 padding, i64 by_frequency,
                                           i64 count, i64 width) {
  i64 place = blockIdx.x, row = indices[order[place]];
  if (row == padding || (place && indices[order[place - 1]] == row)) return;
  i64 column = ((i64)blockIdx.y * blockDim.x + threadIdx.x) * PACK;
  if (column >= width) return;
  A sum[PACK] = {}, v[PACK];
  i64 end = place;
  for (; end < count && indices[order[end]] == row; end++) {
    read(v, above + order[end] * width + column, width - column);
    for (int j = 0; j < PACK; j++) sum[j] += v[j];
  }
  if (by_frequency)
    for (int j = 0; j < PACK; j++) sum[j] /= A(end - place);
  write(table + row * width + column, sum, width - column);
}
