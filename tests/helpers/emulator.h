// CUDA C on the host: the threads of a block are fibers of one thread, and blocks run one by one.
//
// A fiber runs until it has to wait for its warp or its block. Fibers and blocks run in order or
// backward: a kernel whose result depends on that lacks a barrier. Shared memory is poisoned before
// every block.

#include <math.h>
#include <setjmp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <ucontext.h>

#include <type_traits>
#include <utility>

#define __global__
#define __device__ static
#define __forceinline__ inline
#define __launch_bounds__(...)
#define __shared__ static __attribute__((section("cuda_shared")))
#define DYNAMIC_SHARED(type, name) __shared__ type name[(160 << 10) / sizeof(type)]

extern char __start_cuda_shared[] __attribute__((weak)), __stop_cuda_shared[] __attribute__((weak));

struct Index {
  unsigned x, y, z;
};
static Index gridDim, blockDim, blockIdx;

enum State { READY, AT_WARP, AT_BLOCK, DONE };

struct Fiber {
  ucontext_t context;
  jmp_buf place;
  bool is_started;
  State state;
  Index thread;
  unsigned char slot[32];  // what a shuffle shows to the other lanes
};

enum { MOST_THREADS = 1024, STACK = 1 << 17, WARP = 32 };

static Fiber fibers[MOST_THREADS];
static Fiber* current;
static jmp_buf scheduler;
static ucontext_t scheduler_context;
static void (*entry)(void**);
static void** arguments;
static char message[200];

#define threadIdx (current->thread)

static void wait(State state) {
  current->state = state;
  if (!_setjmp(current->place)) _longjmp(scheduler, 1);
}

static void __syncthreads() { wait(AT_BLOCK); }
static void __syncwarp(unsigned = ~0u) { wait(AT_WARP); }

template <class V>
static V from_lane(V value, int lane) {
  Fiber* warp = fibers + (current - fibers) / WARP * WARP;
  memcpy(current->slot, &value, sizeof value);
  __syncwarp();
  memcpy(&value, warp[lane % WARP].slot, sizeof value);
  __syncwarp();
  return value;
}

static int own_lane() { return (current - fibers) % WARP; }

template <class V>
static V __shfl_xor_sync(unsigned, V value, int distance) {
  return from_lane(value, own_lane() ^ distance);
}

template <class V>
static V __shfl_sync(unsigned, V value, int lane) {
  return from_lane(value, lane);
}

static unsigned __ballot_sync(unsigned, bool value) {
  Fiber* warp = fibers + (current - fibers) / WARP * WARP;
  current->slot[0] = value;
  __syncwarp();
  unsigned all = 0;
  for (int lane = 0; lane < WARP; lane++) all |= (unsigned)warp[lane].slot[0] << lane;
  __syncwarp();
  return all;
}

static int __popc(unsigned bits) { return __builtin_popcount(bits); }

static void work() {
  for (;;) {
    entry(arguments);
    wait(DONE);
  }
}

static void resume(Fiber* fiber) {
  current = fiber;
  if (_setjmp(scheduler)) return;
  if (fiber->is_started) _longjmp(fiber->place, 1);
  fiber->is_started = true;
  getcontext(&fiber->context);
  fiber->context.uc_stack.ss_sp = malloc(STACK);
  fiber->context.uc_stack.ss_size = STACK;
  makecontext(&fiber->context, work, 0);
  setcontext(&fiber->context);
}

static bool all(int first, int count, State state) {
  for (int i = first; i < first + count; i++)
    if (fibers[i].state != state) return false;
  return true;
}

static void release(int first, int count) {
  for (int i = first; i < first + count; i++) fibers[i].state = READY;
}

// Let go on who has waited for all others; false if nobody can.
static bool release_some(int threads) {
  bool released = false;
  for (int first = 0; first < threads; first += WARP) {
    int count = threads - first < WARP ? threads - first : WARP;
    if (all(first, count, AT_WARP)) release(first, count), released = true;
  }
  if (!released && all(0, threads, AT_BLOCK)) release(0, threads), released = true;
  return released;
}

static bool run_block(int threads, bool backward) {
  memset(__start_cuda_shared, 0xff, __stop_cuda_shared - __start_cuda_shared);
  for (int i = 0; i < threads; i++) {
    unsigned x = i % blockDim.x, yz = i / blockDim.x;
    fibers[i].thread = {x, yz % blockDim.y, yz / blockDim.y};
    fibers[i].state = READY;
  }
  for (;;) {
    for (int i = 0; i < threads; i++) {
      Fiber* fiber = fibers + (backward ? threads - 1 - i : i);
      if (fiber->state == READY) resume(fiber);
    }
    if (all(0, threads, DONE)) return true;
    if (!release_some(threads)) return false;
  }
}

extern "C" const char* emulate(void (*kernel)(void**), const unsigned* grid, const unsigned* block,
                               void** given, bool backward) {
  entry = kernel;
  arguments = given;
  gridDim = {grid[0], grid[1], grid[2]};
  blockDim = {block[0], block[1], block[2]};
  int threads = block[0] * block[1] * block[2];
  if (threads > MOST_THREADS) return "a block has at most 1024 threads";
  long long blocks = (long long)grid[0] * grid[1] * grid[2];
  for (long long n = 0; n < blocks; n++) {
    long long number = backward ? blocks - 1 - n : n;
    blockIdx = {unsigned(number % grid[0]), unsigned(number / grid[0] % grid[1]),
                unsigned(number / grid[0] / grid[1])};
    if (!run_block(threads, backward)) {
      snprintf(message, sizeof message,
               "block (%u, %u, %u): some threads wait for others that never come", blockIdx.x,
               blockIdx.y, blockIdx.z);
      for (Fiber& fiber : fibers) fiber.is_started = false;  // their stacks are lost
      return message;
    }
  }
  return nullptr;
}

template <class... P, size_t... I>
static void call(void (*kernel)(P...), void** given, std::index_sequence<I...>) {
  kernel(*(P*)given[I]...);
}

template <class... P>
static void call(void (*kernel)(P...), void** given) {
  call(kernel, given, std::index_sequence_for<P...>{});
}

// Intrinsics.

static float __uint_as_float(unsigned bits) {
  float x;
  memcpy(&x, &bits, 4);
  return x;
}

static unsigned __float_as_uint(float x) {
  unsigned bits;
  memcpy(&bits, &x, 4);
  return bits;
}

static uint64_t __umul64hi(uint64_t a, uint64_t b) { return (unsigned __int128)a * b >> 64; }

static float half_to_float(unsigned short bits) {
  _Float16 x;
  memcpy(&x, &bits, 2);
  return x;
}

static unsigned short float_to_half(float x) {
  _Float16 half = x;
  unsigned short bits;
  memcpy(&bits, &half, 2);
  return bits;
}

// The matrix units: each lane shows its fragments, and computes its four sums from those of all.
static float half_of(unsigned pair, int high, float (*widen)(unsigned short)) {
  return widen(pair >> 16 * high);
}

static void matrix_unit(float* sums, const unsigned* rows, unsigned near, unsigned far,
                        float (*widen)(unsigned short)) {
  Fiber* warp = fibers + (current - fibers) / WARP * WARP;
  unsigned shown[6] = {rows[0], rows[1], rows[2], rows[3], near, far};
  memcpy(current->slot, shown, sizeof shown);
  __syncwarp();
  for (int part = 0; part < 4; part++) {
    int row = own_lane() / 4 + part / 2 * 8, column = own_lane() % 4 * 2 + part % 2;
    for (int k = 0; k < 16; k++) {
      unsigned of_row[6], of_column[6];
      memcpy(of_row, warp[row % 8 * 4 + k % 8 / 2].slot, sizeof of_row);
      memcpy(of_column, warp[column * 4 + k % 8 / 2].slot, sizeof of_column);
      sums[part] += half_of(of_row[row / 8 + k / 8 * 2], k % 2, widen) *
                    half_of(of_column[4 + k / 8], k % 2, widen);
    }
  }
  __syncwarp();
}

static float bfloat16_to_float(unsigned short bits) { return __uint_as_float((unsigned)bits << 16); }

struct float16;
struct bfloat16;
template <class Element>
static void matrix_unit(float* sums, const unsigned* rows, unsigned near, unsigned far, Element) {
  bool is_half = std::is_same<Element, float16>::value;
  matrix_unit(sums, rows, near, far, is_half ? half_to_float : bfloat16_to_float);
}
