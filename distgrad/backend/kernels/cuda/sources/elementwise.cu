// Functions of each element by itself; a thread works on a pack of neighbours.

#define ROOT_HALF A(0.70710678118654752440)
#define DENSITY A(0.39894228040143267794)  // 1 / sqrt(2 pi)
#define LINEAR A(0.79788456080286535588)   // sqrt(2 / pi)
#define CUBIC A(0.044715)

// The normal distribution function, exactly or nearly.
__device__ inline A weight_of(A x, bool exact) {
  if (exact) return (A(1) + erf(x * ROOT_HALF)) * A(0.5);
  return (A(1) + tanh(x * (A(1) + x * x * CUBIC) * LINEAR)) * A(0.5);
}

__device__ inline A slope_of(A x, bool exact) {
  A weight = weight_of(x, exact);
  A density = exact ? exp(x * x * A(-0.5)) * DENSITY
                    : weight * (A(1) - weight) *
                          ((A(1) + x * x * (A(3) * CUBIC)) * (A(2) * LINEAR));
  return weight + x * density;
}

extern "C" __global__ void gelu(T* y, const T* x, i64 exact, i64 size) {
  i64 i = thread_number() * PACK;
  if (i >= size) return;
  A v[PACK];
  read(v, x + i, size - i);
  for (int j = 0; j < PACK; j++) v[j] *= weight_of(v[j], exact);
  write(y + i, v, size - i);
}

extern "C" __global__ void gelu_x(T* result, const T* g, const T* x, i64 exact, i64 size) {
  i64 i = thread_number() * PACK;
  if (i >= size) return;
  A v[PACK], above[PACK];
  read(v, x + i, size - i);
  read(above, g + i, size - i);
  for (int j = 0; j < PACK; j++) v[j] = above[j] * slope_of(v[j], exact);
  write(result + i, v, size - i);
}

// g where out, that of a rectifier, is not 0.
extern "C" __global__ void relu_x(T* result, const T* g, const T* out, i64 size) {
  i64 i = thread_number() * PACK;
  if (i >= size) return;
  A v[PACK], y[PACK];
  read(v, g + i, size - i);
  read(y, out + i, size - i);
  for (int j = 0; j < PACK; j++) v[j] = y[j] != A(0) ? v[j] : A(0);
  write(result + i, v, size - i);
}
