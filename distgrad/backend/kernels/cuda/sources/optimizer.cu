// Steps of optimizers over flat memory, in the order of operations of the references: the same bits
// as theirs in float32 and float64.

// The gradient of what is minimised: with the penalty's, or turned round to maximise.
__device__ inline A direction_of(A param, A grad, A weight_decay, i64 maximize) {
  if (weight_decay != 0) {
    A penalty = param * weight_decay;
    return maximize ? penalty - grad : penalty + grad;
  }
  return maximize ? -grad : grad;
}

extern "C" __global__ void sgd(T* param, const T* grad, T* buffer, A lr, A momentum, A gain,
                               A weight_decay, i64 nesterov, i64 maximize, i64 size) {
  i64 i = thread_number() * PACK;
  if (i >= size) return;
  A p[PACK], g[PACK], b[PACK];
  read(p, param + i, size - i);
  read(g, grad + i, size - i);
  if (buffer) read(b, buffer + i, size - i);
  for (int j = 0; j < PACK; j++) {
    A direction = direction_of(p[j], g[j], weight_decay, maximize);
    if (buffer) {
      b[j] = b[j] * momentum + (gain == A(1) ? direction : direction * gain);
      direction = nesterov ? direction + b[j] * momentum : b[j];
    }
    p[j] -= direction * lr;
  }
  write(param + i, p, size - i);
  if (buffer) write(buffer + i, b, size - i);
}

extern "C" __global__ void adam(T* param, const T* grad, T* mean, T* square, T* largest,
                                A step_size, A eps, A shrink, A rest1, A rest2, A beta2,
                                A weight_decay, i64 maximize, i64 size) {
  i64 i = thread_number() * PACK;
  if (i >= size) return;
  A p[PACK], g[PACK], m[PACK], v[PACK], top[PACK];
  read(p, param + i, size - i);
  read(g, grad + i, size - i);
  read(m, mean + i, size - i);
  read(v, square + i, size - i);
  if (largest) read(top, largest + i, size - i);
  for (int j = 0; j < PACK; j++) {
    A direction = direction_of(p[j], g[j], weight_decay, maximize);
    m[j] += (direction - m[j]) * rest1;
    v[j] = v[j] * beta2 + direction * direction * rest2;
    A second = v[j];
    if (largest) second = top[j] = top[j] > second || top[j] != top[j] ? top[j] : second;
    if (shrink != A(1)) p[j] *= shrink;
    p[j] -= m[j] / (sqrt(second) + eps) * step_size;
  }
  write(param + i, p, size - i);
  write(mean + i, m, size - i);
  write(square + i, v, size - i);
  if (largest) write(largest + i, top, size - i);
}
