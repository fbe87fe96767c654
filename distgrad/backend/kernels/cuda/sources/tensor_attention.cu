// Attention and its gradients by matrix units, for elements of 16 bits and sums in float32.
//
// As in attention.cu, but a warp serves 16 rows (queries, or for the gradients of keys and values
// keys), a block 64 of them, and the other side passes by in tiles of 32 in shared memory. The
// units take fragments: in lane l, with g = l / 4 and t = l % 4, a fragment of rows holds the pairs
// (g, 2t), (g + 8, 2t), (g, 2t + 8), (g + 8, 2t + 8); one of columns (2t, g), (2t + 8, g); and one of
// sums (g, 2t), (g, 2t + 1), (g + 8, 2t), (g + 8, 2t + 1).

enum { SEEN = 32, WARPS = 4, STEPS = HEAD / 16, BLOCKS = SEEN / 8, FEATURES = HEAD / 8, PAD = 8 };

struct alignas(16) Rows {  // rows of an array
  T at[SEEN][HEAD + PAD];
};
struct alignas(16) Columns {  // the same, transposed
  T at[HEAD][SEEN + PAD];
};

struct Array {
  const T* first;
  i64 step, count, width;
};

__device__ inline Array array_of(const T* array, const i64* strides, i64 heads, i64 count,
                                 i64 width) {
  i64 batch = blockIdx.y / heads, head = blockIdx.y % heads;
  return {array + batch * strides[0] + head * strides[1], strides[2], count, width};
}

__device__ inline T element(Array from, i64 row, i64 column) {
  T zero = {0};
  return row < from.count && column < from.width ? from.first[row * from.step + column] : zero;
}

__device__ inline unsigned pair(T low, T high) { return low.bits | (unsigned)high.bits << 16; }

__device__ inline unsigned rounded(float low, float high) {
  return pair(narrowed(low), narrowed(high));
}

__device__ inline int group() { return threadIdx.x / 4; }
__device__ inline int place() { return threadIdx.x % 4; }

// The fragments of the warp's own rows, straight from memory.
__device__ inline void load_own(unsigned (*own)[4], Array from, i64 first) {
  for (int s = 0; s < STEPS; s++)
    for (int part = 0; part < 4; part++) {
      i64 row = first + group() + part % 2 * 8, column = s * 16 + place() * 2 + part / 2 * 8;
      own[s][part] = pair(element(from, row, column), element(from, row, column + 1));
    }
}

// A tile of rows from `first` on, as they are and transposed, where each is asked for.
__device__ inline void load(Rows* rows, Columns* columns, Array from, i64 first) {
  for (int n = (threadIdx.y * 32 + threadIdx.x) * PACK; n < SEEN * HEAD; n += 32 * WARPS * PACK) {
    int row = n / HEAD, column = n % HEAD;
    const T* at = from.first + (first + row) * from.step + column;
    Packed pack;
    if (first + row < from.count && column + PACK <= from.width && is_aligned(at))
      pack = *(const Packed*)at;
    else
      for (int j = 0; j < PACK; j++) pack.at[j] = element(from, first + row, column + j);
    for (int j = 0; j < PACK; j++) {
      if (rows) rows->at[row][column + j] = pack.at[j];
      if (columns) columns->at[column + j][row] = pack.at[j];
    }
  }
}

__device__ inline unsigned pair_at(const T* from) { return *(const unsigned*)from; }

// products[b] = own rows times rows 8 b to 8 b + 7 of the tile.
__device__ inline void multiply(float (*products)[4], unsigned (*own)[4], const Rows& tile) {
#pragma unroll
  for (int b = 0; b < BLOCKS; b++) {
    for (int part = 0; part < 4; part++) products[b][part] = 0;
#pragma unroll
    for (int s = 0; s < STEPS; s++) {
      const T* from = &tile.at[b * 8 + group()][s * 16 + place() * 2];
      matrix_unit(products[b], own[s], pair_at(from), pair_at(from + 8), T());
    }
  }
}

// sums += factors (own rows by the tile's rows) times the tile, which is transposed.
__device__ inline void accumulate(float (*sums)[4], float (*factors)[4], const Columns& tile) {
#pragma unroll
  for (int s = 0; s < SEEN / 16; s++) {
    float *near = factors[2 * s], *far = factors[2 * s + 1];
    unsigned rows[4] = {rounded(near[0], near[1]), rounded(near[2], near[3]),
                        rounded(far[0], far[1]), rounded(far[2], far[3])};
#pragma unroll
    for (int f = 0; f < FEATURES; f++) {
      const T* from = &tile.at[f * 8 + group()][s * 16 + place() * 2];
      matrix_unit(sums[f], rows, pair_at(from), pair_at(from + 8), T());
    }
  }
}

// Where entry `part` of block b of products stands: its own row, and its row of the tile.
__device__ inline i64 own_of(i64 first, int part) { return first + group() + part / 2 * 8; }
__device__ inline i64 seen_of(i64 first, int b, int part) {
  return first + b * 8 + place() * 2 + part % 2;
}

__device__ inline void store(T* to, const i64* strides, i64 heads, float (*sums)[4], i64 first,
                             i64 count, i64 width, const float* factors) {
  to += blockIdx.y / heads * strides[0] + blockIdx.y % heads * strides[1];
  for (int f = 0; f < FEATURES; f++)
    for (int part = 0; part < 4; part++) {
      i64 row = own_of(first, part), column = f * 8 + place() * 2 + part % 2;
      if (row < count && column < width)
        to[row * strides[2] + column] = narrowed(sums[f][part] * factors[part / 2]);
    }
}

// Over the four lanes that share a row.
__device__ inline float row_sum_of_four(float x) {
  x += __shfl_xor_sync(~0u, x, 1);
  return x + __shfl_xor_sync(~0u, x, 2);
}

__device__ inline float row_max_of_four(float x) {
  for (int distance = 1; distance < 3; distance++) {
    float other = __shfl_xor_sync(~0u, x, distance);
    x = other > x || other != other ? other : x;
  }
  return x;
}

__device__ inline bool is_seen(i64 query, i64 key, i64 queries, i64 keys, i64 causal) {
  return query < queries && key < keys && (!causal || key <= query);
}

__device__ inline i64 own_first() { return ((i64)blockIdx.x * WARPS + threadIdx.y) * 16; }

__device__ inline i64 keys_seen(i64 keys, i64 causal) {
  i64 end = ((i64)blockIdx.x + 1) * WARPS * 16;
  return causal && end < keys ? end : keys;
}

extern "C" __global__ void attention(T* y, A* logs, const T* q, const T* k, const T* v,
                                     const i64* strides, i64 heads, i64 queries, i64 keys,
                                     i64 width, A scale, i64 causal) {
  __shared__ Rows of_keys;
  __shared__ Columns of_values;
  const float none = -1.0f / 0.0f;
  Array key_rows = array_of(k, strides + 3, heads, keys, width);
  Array value_rows = array_of(v, strides + 6, heads, keys, width);
  i64 first = own_first();
  unsigned own[STEPS][4];
  load_own(own, array_of(q, strides, heads, queries, width), first);
  float largest[2] = {none, none}, total[2] = {}, sums[FEATURES][4] = {}, scores[BLOCKS][4];
  for (i64 key = 0; key < keys_seen(keys, causal); key += SEEN) {
    __syncthreads();
    load(&of_keys, nullptr, key_rows, key);
    load(nullptr, &of_values, value_rows, key);
    __syncthreads();
    multiply(scores, own, of_keys);
    for (int half = 0; half < 2; half++) {
      float now = largest[half], sum = 0;
      for (int b = 0; b < BLOCKS; b++)
        for (int part = 2 * half; part < 2 * half + 2; part++) {
          bool seen = is_seen(own_of(first, part), seen_of(key, b, part), queries, keys, causal);
          float score = scores[b][part] = seen ? scores[b][part] * scale : none;
          now = score > now || score != score ? score : now;
        }
      now = row_max_of_four(now);
      float shrink = now == none ? 1.0f : exp(largest[half] - now);
      for (int b = 0; b < BLOCKS; b++)
        for (int part = 2 * half; part < 2 * half + 2; part++) {
          scores[b][part] = now == none ? 0.0f : exp(scores[b][part] - now);
          sum += scores[b][part];
        }
      total[half] = total[half] * shrink + row_sum_of_four(sum);
      largest[half] = now;
      for (int f = 0; f < FEATURES; f++)
        for (int part = 2 * half; part < 2 * half + 2; part++) sums[f][part] *= shrink;
    }
    accumulate(sums, scores, of_values);
  }
  float shares[2];
  for (int half = 0; half < 2; half++) {
    i64 query = first + group() + half * 8;
    shares[half] = total[half] == 0 ? 0.0f : 1.0f / total[half];
    if (place() == 0 && query < queries)
      logs[blockIdx.y * queries + query] = largest[half] + log(total[half]);
  }
  store(y, strides + 9, heads, sums, first, queries, width, shares);
}

// Weights and slopes of the scores, from scores and products, in their place.
__device__ inline void differentiate(float (*scores)[4], float (*products)[4], i64 first, i64 seen,
                                     bool is_of_keys, const A* logs, const A* of_outputs,
                                     i64 queries, i64 keys, A scale, i64 causal) {
  for (int b = 0; b < BLOCKS; b++)
    for (int part = 0; part < 4; part++) {
      i64 own = own_of(first, part), other = seen_of(seen, b, part);
      i64 query = is_of_keys ? other : own, key = is_of_keys ? own : other;
      float weight = 0, slope = 0;
      if (is_seen(query, key, queries, keys, causal)) {
        i64 row = blockIdx.y * queries + query;
        weight = exp(scores[b][part] * scale - logs[row]);
        slope = weight * (products[b][part] - of_outputs[row]);
      }
      scores[b][part] = weight;
      products[b][part] = slope;
    }
}

extern "C" __global__ void attention_queries(T* result, const T* above, const T* q, const T* k,
                                             const T* v, const A* logs, const A* of_outputs,
                                             const i64* strides, i64 heads, i64 queries, i64 keys,
                                             i64 width, A scale, i64 causal) {
  __shared__ Rows of_keys, of_values;
  __shared__ Columns key_columns;
  Array key_rows = array_of(k, strides + 3, heads, keys, width);
  Array value_rows = array_of(v, strides + 6, heads, keys, width);
  i64 first = own_first();
  unsigned own[STEPS][4], own_above[STEPS][4];
  load_own(own, array_of(q, strides, heads, queries, width), first);
  load_own(own_above, array_of(above, strides + 12, heads, queries, width), first);
  float sums[FEATURES][4] = {}, scores[BLOCKS][4], products[BLOCKS][4];
  for (i64 key = 0; key < keys_seen(keys, causal); key += SEEN) {
    __syncthreads();
    load(&of_keys, &key_columns, key_rows, key);
    load(&of_values, nullptr, value_rows, key);
    __syncthreads();
    multiply(scores, own, of_keys);
    multiply(products, own_above, of_values);
    differentiate(scores, products, first, key, false, logs, of_outputs, queries, keys, scale,
                  causal);
    accumulate(sums, products, key_columns);
  }
  float factors[2] = {scale, scale};
  store(result, strides + 15, heads, sums, first, queries, width, factors);
}

extern "C" __global__ void attention_keys(T* of_keys, T* of_values, const T* above, const T* q,
                                          const T* k, const T* v, const A* logs,
                                          const A* of_outputs, const i64* strides, i64 heads,
                                          i64 queries, i64 keys, i64 width, A scale, i64 causal) {
  __shared__ Rows of_queries, of_above;
  __shared__ Columns query_columns, above_columns;
  Array query_rows = array_of(q, strides, heads, queries, width);
  Array above_rows = array_of(above, strides + 12, heads, queries, width);
  i64 first = own_first();
  unsigned own_keys[STEPS][4], own_values[STEPS][4];
  load_own(own_keys, array_of(k, strides + 3, heads, keys, width), first);
  load_own(own_values, array_of(v, strides + 6, heads, keys, width), first);
  float key_sums[FEATURES][4] = {}, value_sums[FEATURES][4] = {};
  float scores[BLOCKS][4], products[BLOCKS][4];
  for (i64 query = causal ? (i64)blockIdx.x * WARPS * 16 : 0; query < queries; query += SEEN) {
    __syncthreads();
    load(&of_queries, &query_columns, query_rows, query);
    load(&of_above, &above_columns, above_rows, query);
    __syncthreads();
    multiply(scores, own_keys, of_queries);
    multiply(products, own_values, of_above);
    differentiate(scores, products, first, query, true, logs, of_outputs, queries, keys, scale,
                  causal);
    accumulate(key_sums, products, query_columns);
    accumulate(value_sums, scores, above_columns);
  }
  float scales[2] = {scale, scale}, ones[2] = {1, 1};
  store(of_keys, strides + 18, heads, key_sums, first, keys, width, scales);
  store(of_values, strides + 21, heads, value_sums, first, keys, width, ones);
}
