// What every file of kernels begins with.
//
// T is the type of an element in memory and A the one computed in: STORED and COMPUTED, which are
// given to the compiler. (Its own headers use the short names.)
// Nothing is included: half precision needs two conversions, and so the compiler alone is enough.
// The compiler may not fuse a product with a sum either: the bits of a result are those of the
// operations written here, on every architecture.

typedef long long i64;
typedef unsigned long long u64;

struct bfloat16 {
  unsigned short bits;
};
struct float16 {
  unsigned short bits;
};

typedef STORED T;
typedef COMPUTED A;

__device__ inline float widened(float x) { return x; }
__device__ inline double widened(double x) { return x; }
__device__ inline float widened(bfloat16 x) { return __uint_as_float((unsigned)x.bits << 16); }

__device__ inline void narrow(float& to, float x) { to = x; }
__device__ inline void narrow(double& to, double x) { to = x; }

// To the nearest, of two equally near ones to the even one.
__device__ inline void narrow(bfloat16& to, float x) {
  unsigned bits = __float_as_uint(x);
  bool is_nan = (bits & 0x7fffffffu) > 0x7f800000u;
  to.bits = is_nan ? 0x7fff : (bits + 0x7fffu + (bits >> 16 & 1)) >> 16;
}

#ifdef __CUDA_ARCH__
#define DYNAMIC_SHARED(type, name) extern __shared__ type name[]

__device__ inline float half_to_float(unsigned short bits) {
  float y;
  asm("cvt.f32.f16 %0, %1;" : "=f"(y) : "h"(bits));
  return y;
}
__device__ inline unsigned short float_to_half(float x) {
  unsigned short bits;
  asm("cvt.rn.f16.f32 %0, %1;" : "=h"(bits) : "f"(x));
  return bits;
}

// sums (16, 8) += rows (16, 16) times columns (16, 8), by the matrix units of a warp.
#define MATRIX_UNIT(TYPE)                                                                        \
  asm volatile("mma.sync.aligned.m16n8k16.row.col.f32." TYPE "." TYPE                            \
               ".f32 {%0, %1, %2, %3}, {%4, %5, %6, %7}, {%8, %9}, {%0, %1, %2, %3};"            \
               : "+f"(sums[0]), "+f"(sums[1]), "+f"(sums[2]), "+f"(sums[3])                      \
               : "r"(rows[0]), "r"(rows[1]), "r"(rows[2]), "r"(rows[3]), "r"(near), "r"(far))

__device__ inline void matrix_unit(float* sums, const unsigned* rows, unsigned near, unsigned far,
                                   float16) {
  MATRIX_UNIT("f16");
}
__device__ inline void matrix_unit(float* sums, const unsigned* rows, unsigned near, unsigned far,
                                   bfloat16) {
  MATRIX_UNIT("bf16");
}
#endif

__device__ inline float widened(float16 x) { return half_to_float(x.bits); }
__device__ inline void narrow(float16& to, float x) { to.bits = float_to_half(x); }

__device__ inline T narrowed(A x) {
  T y;
  narrow(y, x);
  return y;
}

// Elements travel in packs of 16 bytes. Where an address or the end of a row does not allow that,
// the same elements are taken one by one: an address never changes the order of a sum.

enum { PACK = 16 / sizeof(T) };

struct alignas(16) Packed {
  T at[PACK];
};

__device__ inline bool is_aligned(const void* address) { return (u64)address % 16 == 0; }

// Read a pack of which `left` elements exist; the others are 0.
__device__ inline void read(A* to, const T* from, i64 left) {
  if (left >= PACK && is_aligned(from)) {
    Packed pack = *(const Packed*)from;
#pragma unroll
    for (int j = 0; j < PACK; j++) to[j] = widened(pack.at[j]);
  } else {
#pragma unroll
    for (int j = 0; j < PACK; j++) to[j] = j < left ? widened(from[j]) : A(0);
  }
}

__device__ inline void write(T* to, const A* from, i64 left) {
  if (left >= PACK && is_aligned(to)) {
    Packed pack;
#pragma unroll
    for (int j = 0; j < PACK; j++) narrow(pack.at[j], from[j]);
    *(Packed*)to = pack;
  } else {
#pragma unroll
    for (int j = 0; j < PACK; j++)
      if (j < left) to[j] = narrowed(from[j]);
  }
}

// The number of this thread in a grid of one-dimensional blocks.
__device__ inline i64 thread_number() { return (i64)blockIdx.x * blockDim.x + threadIdx.x; }

// Sums and maxima over threads, by butterflies: every thread has the same bits in the end.

template <class V>
__device__ inline V warp_sum(V x) {
  for (int distance = 16; distance; distance /= 2) x += __shfl_xor_sync(~0u, x, distance);
  return x;
}

template <class V>
__device__ inline V warp_max(V x) {
  for (int distance = 16; distance; distance /= 2) {
    V other = __shfl_xor_sync(~0u, x, distance);
    x = other > x || other != other ? other : x;
  }
  return x;
}

// Over all threads with this threadIdx.y; `room` holds 32 elements in shared memory. Several warps
// in x stand alone in their block.
template <class V>
__device__ inline V row_sum(V x, V* room) {
  x = warp_sum(x);
  if (blockDim.x == 32) return x;
  int warp = threadIdx.x / 32, lane = threadIdx.x % 32;
  __syncthreads();  // the room may still be read
  if (lane == 0) room[warp] = x;
  __syncthreads();
  return warp_sum(lane < blockDim.x / 32 ? room[lane] : V(0));
}

template <class V>
__device__ inline V row_max(V x, V* room) {
  x = warp_max(x);
  if (blockDim.x == 32) return x;
  int warp = threadIdx.x / 32, lane = threadIdx.x % 32;
  __syncthreads();
  if (lane == 0) room[warp] = x;
  __syncthreads();
  return warp_max(lane < blockDim.x / 32 ? room[lane] : room[0]);
}
