// Random bits by Philox 4x64-10 in NumPy's counter layout, those of the CPU, and dropout by them.
//
// J. K. Salmon et al., "Parallel random numbers: as easy as 1, 2, 3", SC11.

struct Words {
  u64 at[4];
};

__device__ inline Words philox(u64 key0, u64 key1, Words c) {
  for (int round = 0; round < 10; round++) {
    const u64 m0 = 0xD2E7470EE14C6C93ull, m1 = 0xCA5A826395121157ull;
    c = {{__umul64hi(m1, c.at[2]) ^ c.at[1] ^ key0, m1 * c.at[2],
          __umul64hi(m0, c.at[0]) ^ c.at[3] ^ key1, m0 * c.at[0]}};
    key0 += 0x9E3779B97F4A7C15ull;
    key1 += 0xBB67AE8584CAA73Bull;
  }
  return c;
}

// The numbers of 32 bits that block `block` of the draw (key, counter words 1 to 3) makes: eight.
// NumPy counts before it draws. Where `place` is given it holds words 2 and 3, micro-batch and step:
// a captured draw reads those of its replay.
__device__ inline Words drawn(i64 block, const u64* place, u64 key0, u64 key1, u64 word1, u64 word2,
                              u64 word3) {
  if (place) word2 = place[0], word3 = place[1];
  return philox(key0, key1, {{(u64)block + 1, word1, word2, word3}});
}

__device__ inline unsigned half_of(Words words, int j) {
  return (unsigned)(words.at[j / 2] >> 32 * (j % 2));
}

extern "C" __global__ void random_bits(unsigned* bits, const u64* place, u64 key0, u64 key1,
                                       u64 word1, u64 word2, u64 word3, i64 size) {
  i64 block = thread_number();
  if (block * 8 >= size) return;
  Words words = drawn(block, place, key0, key1, word1, word2, word3);
  for (int j = 0; j < 8 && block * 8 + j < size; j++) bits[block * 8 + j] = half_of(words, j);
}

// Where the bits are at least `least`.
extern "C" __global__ void kept_elements(bool* kept, const u64* place, u64 key0, u64 key1,
                                         u64 word1, u64 word2, u64 word3, u64 least, i64 size) {
  i64 block = thread_number();
  if (block * 8 >= size) return;
  Words words = drawn(block, place, key0, key1, word1, word2, word3);
  for (int j = 0; j < 8 && block * 8 + j < size; j++)
    kept[block * 8 + j] = half_of(words, j) >= least;
}

extern "C" __global__ void dropout(T* y, const T* x, const bool* kept, A scale, i64 size) {
  i64 i = thread_number() * PACK;
  if (i >= size) return;
  A v[PACK];
  read(v, x + i, size - i);
  for (int j = 0; j < PACK && i + j < size; j++) v[j] *= kept[i + j] ? scale : A(0);
  write(y + i, v, size - i);
}

extern "C" __global__ void dropout_add(T* y, const T* x, const T* residual, const bool* kept,
                                       A scale, i64 size) {
  i64 i = thread_number() * PACK;
  if (i >= size) return;
  A v[PACK], to[PACK];
  read(v, x + i, size - i);
  read(to, residual + i, size - i);
  for (int j = 0; j < PACK && i + j < size; j++) v[j] = to[j] + v[j] * (kept[i + j] ? scale : A(0));
  write(y + i, v, size - i);
}
