// Softmax attention that never writes the scores, and its gradients, each sum in a fixed order.
//
// Queries, keys and values are (batch, heads, rows, width), wherever they lie: `strides` holds for
// each array the steps from one batch entry, head and row to the next. Blocks hold tiles of 32
// queries by 32 keys; a thread (x, y) of 32 by 8 serves column x of rows y, y + 8, y + 16, y + 24.
// HEAD is the width, rounded up to a multiple of 32.
//
// T. Dao, "FlashAttention-2: faster attention with better parallelism and work partitioning", 2023.

enum { ROWS = 32, OWN = 4, PARTS = HEAD / 32, PADDED = HEAD + 1 };

typedef A Tile[ROWS][PADDED];    // rows of an array
typedef A Square[ROWS][ROWS + 1];  // a number for each pair of a row and a column

struct Problem {
  i64 heads, queries, keys, width;
  A scale;
  bool causal;
};

// The rows of one head of one batch entry.
template <class E>
struct Rows {
  E* first;
  i64 step;
};

template <class E>
__device__ inline Rows<E> rows_of(E* array, const i64* strides, i64 heads) {
  i64 batch = blockIdx.y / heads, head = blockIdx.y % heads;
  return {array + batch * strides[0] + head * strides[1], strides[2]};
}

__device__ inline int row_of(int own) { return threadIdx.y + 8 * own; }

// Rows from `first` on, times a factor; zeros where there is none.
__device__ inline void load(Tile& tile, Rows<const T> from, i64 first, i64 count, i64 width,
                            A factor) {
  for (int n = threadIdx.y * 32 + threadIdx.x; n < ROWS * HEAD; n += 256) {
    int row = n / HEAD, column = n % HEAD;
    bool exists = first + row < count && column < width;
    tile[row][column] =
        exists ? widened(from.first[(first + row) * from.step + column]) * factor : A(0);
  }
}

// products[r] = row row_of(r) of `left` times row threadIdx.x of `right`.
__device__ inline void multiply(A* products, const Tile& left, const Tile& right) {
  for (int r = 0; r < OWN; r++) products[r] = 0;
  for (int e = 0; e < HEAD; e++) {
    A other = right[threadIdx.x][e];
#pragma unroll
    for (int r = 0; r < OWN; r++) products[r] = fma(left[row_of(r)][e], other, products[r]);
  }
}

// sums[r][part] += row row_of(r) of `factors` times column threadIdx.x + 32 * part of `tile`.
__device__ inline void accumulate(A (*sums)[PARTS], const Square& factors, const Tile& tile) {
  for (int k = 0; k < ROWS; k++)
#pragma unroll
    for (int part = 0; part < PARTS; part++) {
      A value = tile[k][threadIdx.x + 32 * part];
#pragma unroll
      for (int r = 0; r < OWN; r++)
        sums[r][part] = fma(factors[row_of(r)][k], value, sums[r][part]);
    }
}

__device__ inline void store(Rows<T> to, A (*sums)[PARTS], i64 first, i64 count, i64 width,
                             A factor) {
  for (int r = 0; r < OWN; r++)
    for (int part = 0; part < PARTS; part++) {
      i64 row = first + row_of(r), column = threadIdx.x + 32 * part;
      if (row < count && column < width)
        to.first[row * to.step + column] = narrowed(sums[r][part] * factor);
    }
}

__device__ inline bool is_seen(const Problem& p, i64 query, i64 key) {
  return query < p.queries && key < p.keys && (!p.causal || key <= query);
}

__device__ inline i64 keys_seen(const Problem& p, i64 first) {
  return p.causal && first + ROWS < p.keys ? first + ROWS : p.keys;
}

// The output, and for each query the logarithm of the sum of the exponentials of its scores.
extern "C" __global__ void attention(T* y, A* logs, const T* q, const T* k, const T* v,
                                     const i64* strides, i64 heads, i64 queries, i64 keys,
                                     i64 width, A scale, i64 causal) {
  __shared__ Tile of_queries, of_keys;  // then of values
  __shared__ Square weights;
  const A none = -A(1) / A(0);
  Problem p = {heads, queries, keys, width, scale, causal != 0};
  i64 first = (i64)blockIdx.x * ROWS;
  load(of_queries, rows_of(q, strides, heads), first, queries, width, scale);
  A largest[OWN], total[OWN], sums[OWN][PARTS] = {}, scores[OWN];
  for (int r = 0; r < OWN; r++) largest[r] = none, total[r] = 0;
  for (i64 key = 0; key < keys_seen(p, first); key += ROWS) {
    __syncthreads();
    load(of_keys, rows_of(k, strides + 3, heads), key, keys, width, 1);
    __syncthreads();
    multiply(scores, of_queries, of_keys);
    for (int r = 0; r < OWN; r++) {
      A score = is_seen(p, first + row_of(r), key + threadIdx.x) ? scores[r] : none;
      A now = warp_max(score);
      now = now > largest[r] || now != now ? now : largest[r];
      A weight = now == none ? A(0) : exp(score - now);
      A shrink = now == none ? A(1) : exp(largest[r] - now);
      largest[r] = now;
      total[r] = total[r] * shrink + warp_sum(weight);
      for (int part = 0; part < PARTS; part++) sums[r][part] *= shrink;
      weights[row_of(r)][threadIdx.x] = weight;
    }
    __syncthreads();
    load(of_keys, rows_of(v, strides + 6, heads), key, keys, width, 1);
    __syncthreads();
    accumulate(sums, weights, of_keys);
  }
  for (int r = 0; r < OWN; r++) {
    i64 query = first + row_of(r);
    A share = total[r] == 0 ? A(0) : A(1) / total[r];
    for (int part = 0; part < PARTS; part++) sums[r][part] *= share;
    if (threadIdx.x == 0 && query < queries)
      logs[blockIdx.y * queries + query] = largest[r] + log(total[r]);
  }
  store(rows_of(y, strides + 9, heads), sums, first, queries, width, 1);
}

// For each query the product of its output with the gradient of that.
extern "C" __global__ void attention_products(A* products, const T* y, const T* above,
                                              const i64* strides, i64 heads, i64 queries,
                                              i64 width) {
  i64 query = (i64)blockIdx.x * blockDim.y + threadIdx.y;
  if (query >= queries) return;
  Rows<const T> left = rows_of(y, strides + 9, heads), right = rows_of(above, strides + 12, heads);
  A sum = 0;
  for (i64 e = threadIdx.x; e < width; e += 32)
    sum += widened(left.first[query * left.step + e]) * widened(right.first[query * right.step + e]);
  sum = warp_sum(sum);
  if (threadIdx.x == 0) products[blockIdx.y * queries + query] = sum;
}

// The gradient of the score of a pair, and its weight, from scaled score and product.
struct Pair {
  A weight, slope;
};

__device__ inline Pair pair_of(const Problem& p, i64 query, i64 key, A score, A product,
                               const A* logs, const A* products) {
  if (!is_seen(p, query, key)) return {0, 0};
  i64 row = blockIdx.y * p.queries + query;
  A weight = exp(score - logs[row]);
  return {weight, weight * (product - products[row])};
}

extern "C" __global__ void attention_queries(T* result, const T* above, const T* q, const T* k,
                                             const T* v, const A* logs, const A* products,
                                             const i64* strides, i64 heads, i64 queries, i64 keys,
                                             i64 width, A scale, i64 causal) {
  DYNAMIC_SHARED(Tile, tiles);  // of queries, of the gradient above, of keys, of values
  __shared__ Square slopes;
  Problem p = {heads, queries, keys, width, scale, causal != 0};
  i64 first = (i64)blockIdx.x * ROWS;
  load(tiles[0], rows_of(q, strides, heads), first, queries, width, scale);
  load(tiles[1], rows_of(above, strides + 12, heads), first, queries, width, 1);
  A sums[OWN][PARTS] = {}, scores[OWN], product[OWN];
  for (i64 key = 0; key < keys_seen(p, first); key += ROWS) {
    __syncthreads();
    load(tiles[2], rows_of(k, strides + 3, heads), key, keys, width, 1);
    load(tiles[3], rows_of(v, strides + 6, heads), key, keys, width, 1);
    __syncthreads();
    multiply(scores, tiles[0], tiles[2]);
    multiply(product, tiles[1], tiles[3]);
    for (int r = 0; r < OWN; r++)
      slopes[row_of(r)][threadIdx.x] = pair_of(p, first + row_of(r), key + threadIdx.x, scores[r],
                                               product[r], logs, products).slope;
    __syncthreads();
    accumulate(sums, slopes, tiles[2]);
  }
  store(rows_of(result, strides + 15, heads), sums, first, queries, width, scale);
}

extern "C" __global__ void attention_keys(T* of_keys, T* of_values, const T* above, const T* q,
                                          const T* k, const T* v, const A* logs,
                                          const A* products, const i64* strides, i64 heads,
                                          i64 queries, i64 keys, i64 width, A scale, i64 causal) {
  DYNAMIC_SHARED(Tile, tiles);  // of keys, of values, of queries, of the gradient above
  __shared__ Square weights, slopes;
  Problem p = {heads, queries, keys, width, scale, causal != 0};
  i64 first = (i64)blockIdx.x * ROWS;
  load(tiles[0], rows_of(k, strides + 3, heads), first, keys, width, 1);
  load(tiles[1], rows_of(v, strides + 6, heads), first, keys, width, 1);
  A key_sums[OWN][PARTS] = {}, value_sums[OWN][PARTS] = {}, scores[OWN], product[OWN];
  for (i64 query = causal ? first : 0; query < queries; query += ROWS) {
    __syncthreads();
    load(tiles[2], rows_of(q, strides, heads), query, queries, width, scale);
    load(tiles[3], rows_of(above, strides + 12, heads), query, queries, width, 1);
    __syncthreads();
    multiply(scores, tiles[0], tiles[2]);
    multiply(product, tiles[1], tiles[3]);
    for (int r = 0; r < OWN; r++) {
      Pair pair = pair_of(p, query + threadIdx.x, first + row_of(r), scores[r], product[r], logs,
                          products);
      weights[row_of(r)][threadIdx.x] = pair.weight;
      slopes[row_of(r)][threadIdx.x] = pair.slope;
    }
    __syncthreads();
    accumulate(key_sums, slopes, tiles[2]);
    accumulate(value_sums, weights, tiles[3]);
  }
  store(rows_of(of_keys, strides + 18, heads), key_sums, first, keys, width, 1);
  store(rows_of(of_values, strides + 21, heads), value_sums, first, keys, width, 1);
}
