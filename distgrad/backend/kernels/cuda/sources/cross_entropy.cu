// Softmax cross-entropy of rows of scores (rows, classes) and integer targets.
//
// A target that is no class gives nan, in the loss and in the gradient: nothing outside is read.

struct Softmax {
  A largest, total;
};

// The largest score, and the sum of exp(score - largest), in one pass: a sum so far is brought to a
// new largest score by a factor.
__device__ inline Softmax softmax(const T* x, i64 classes, A* room) {
  const A none = -A(1) / A(0);
  A largest = none, total = 0, v[PACK];
  for (i64 i = threadIdx.x * PACK; i < classes; i += blockDim.x * PACK) {
    read(v, x + i, classes - i);
    A before = largest;
    for (int j = 0; j < PACK && i + j < classes; j++)
      largest = v[j] > largest || v[j] != v[j] ? v[j] : largest;
    if (largest == none) continue;
    total *= exp(before - largest);
    for (int j = 0; j < PACK && i + j < classes; j++) total += exp(v[j] - largest);
  }
  A all = row_max(largest, room);
  total = largest == none ? A(0) : total * exp(largest - all);
  return {all, row_sum(total, room)};
}

__device__ inline A weight_of(i64 target, i64 ignored, const T* weight) {
  if (target == ignored) return 0;
  return weight ? widened(weight[target]) : A(1);
}

__device__ inline bool is_class(i64 target, i64 classes) { return target >= 0 && target < classes; }

// For each row its loss and what its target counts.
extern "C" __global__ void cross_entropy(A* losses, A* counts, const T* x, const i64* targets,
                                         const T* weight, i64 ignored, i64 rows, i64 classes) {
  __shared__ A room[32];
  i64 row = (i64)blockIdx.x * blockDim.y + threadIdx.y;
  if (row >= rows) return;
  x += row * classes;
  i64 target = targets[row];
  Softmax s = softmax(x, classes, room);
  if (threadIdx.x) return;
  bool kept = target != ignored;
  if (kept && !is_class(target, classes)) {
    losses[row] = counts[row] = A(0) / A(0);
    return;
  }
  counts[row] = weight_of(target, ignored, weight);
  losses[row] = kept ? (log(s.total) - (widened(x[target]) - s.largest)) * counts[row] : A(0);
}

// The sum of the losses, or their mean; and the sum of the counts. One block.
extern "C" __global__ void total_loss(T* total, A* count, const A* losses, const A* counts,
                                      i64 is_mean, i64 rows) {
  __shared__ A room[32];
  A loss = 0, weight = 0;
  for (i64 i = threadIdx.x; i < rows; i += blockDim.x) {
    loss += losses[i];
    weight += counts[i];
  }
  loss = row_sum(loss, room);
  weight = row_sum(weight, room);
  if (threadIdx.x) return;
  *total = narrowed(is_mean ? loss / weight : loss);
  *count = weight;
}

// g * (softmax - onehot) * weight of the target: g is one number, or one for each row. For a mean
// `count` is what the losses were divided by.
extern "C" __global__ void cross_entropy_x(T* result, const T* g, i64 is_each, const A* count,
                                           const T* x, const i64* targets, const T* weight,
                                           i64 ignored, i64 rows, i64 classes) {
  __shared__ A room[32];
  i64 row = (i64)blockIdx.x * blockDim.y + threadIdx.y;
  if (row >= rows) return;
  x += row * classes;
  result += row * classes;
  i64 target = targets[row];
  bool kept = target != ignored;
  A v[PACK], above = 0;
  if (kept && !is_class(target, classes))
    above = A(0) / A(0);
  else if (kept) {
    above = widened(g[is_each ? row : 0]);
    if (count) above /= *count;
    above *= weight_of(target, ignored, weight);
  }
  Softmax s = softmax(x, classes, room);
  A share = A(1) / s.total;
  for (i64 i = threadIdx.x * PACK; i < classes; i += blockDim.x * PACK) {
    read(v, x + i, classes - i);
    for (int j = 0; j < PACK; j++) {
      A p = exp(v[j] - s.largest) * share;
      v[j] = kept ? (i + j == target ? p - A(1) : p) * above : A(0);
    }
    write(result + i, v, classes - i);
  }
}
