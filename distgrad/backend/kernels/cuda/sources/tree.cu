// The sum of parts along a tree, divided, in one pass over the memory: the order of the additions is
// that of the reference, and so are the bits.

enum { PARTS = 8 };

// `due` has 8 bits for each part: how many sums become due with it. What waits for its sibling is a
// stack, whose depth is the same in all threads: unrolled, each level stays in registers.
extern "C" __global__ void tree_mean(T* out, T* copy, const T* part0, const T* part1,
                                     const T* part2, const T* part3, const T* part4,
                                     const T* part5, const T* part6, const T* part7, u64 due,
                                     i64 count, A divisor, i64 size) {
  i64 i = thread_number() * PACK;
  if (i >= size) return;
  const T* parts[PARTS] = {part0, part1, part2, part3, part4, part5, part6, part7};
  A waiting[PARTS][PACK], sum[PACK];
  int depth = 0;
#pragma unroll
  for (int p = 0; p < PARTS; p++) {
    if (p >= count) break;
    read(sum, parts[p] + i, size - i);
    int left = due >> 8 * p & 255;
#pragma unroll
    for (int level = PARTS - 2; level >= 0; level--)
      if (left && depth == level + 1) {
        for (int j = 0; j < PACK; j++) sum[j] = waiting[level][j] + sum[j];
        depth--;
        left--;
      }
#pragma unroll
    for (int level = 0; level < PARTS - 1; level++)
      if (depth == level)
        for (int j = 0; j < PACK; j++) waiting[level][j] = sum[j];
    depth++;
  }
  for (int j = 0; j < PACK; j++) sum[j] /= divisor;
  write(out + i, sum, size - i);
  if (copy) write(copy + i, sum, size - i);
}
