// Steps of optimizers over flat memory, in the order of operations of the references: the same bits
// as theirs in float32 and float64.

// What changes from step to step: given to the launch, or, so that a graph of it can be replayed with
// others, read from memory. To round a number of float64 there or before is the same.
__device__ inline A number(const double* memory, int place, A given) {
  return memory ? A(memory[place]) : given;
}

// The gradient of what is minimised: with the penalty's, or turned round to maximise.
__device__ inline A direction_of(A param, A grad, A weight_decay, i64 maximize) {
  if (weight_decay != 0) {
    A penalty = param * weight_decay;
    return maximize ? penalty - grad : penalty + grad;
  }
  return maximize ? -grad : grad;
}

extern "C" __global__ void sgd(const double* memory, A lr, A momentum, A gain, A weight_decay,
                               T* param, const T* grad, T* buffer, i64 nesterov, i64 maximize,
                               i64 size) {
  i64 i = thread_number() * PACK;
  if (i >= size) return;
  lr = number(memory, 0, lr);
  momentum = number(memory, 1, momentum);
  gain = number(memory, 2, gain);
  weight_decay = number(memory, 3, weight_decay);
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

extern "C" __global__ void adam(const double* memory, A step_size, A eps, A shrink, A rest1,
                                A rest2, A beta2, A weight_decay, T* param, const T* grad, T* mean,
                                T* square, T* largest, i64 maximize, i64 size) {
  i64 i = thread_number() * PACK;
  if (i >= size) return;
  step_size = number(memory, 0, step_size);
  eps = number(memory, 1, eps);
  shrink = number(memory, 2, shrink);
  rest1 = number(memory, 3, rest1);
  rest2 = number(memory, 4, rest2);
  beta2 = number(memory, 5, beta2);
  weight_decay = number(memory, 6, weight_decay);
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

// LAMB's update before its learning rate is known.
__device__ inline A lamb_direction(A param, A mean, A square, A scale, A eps, A weight_decay) {
  A direction = mean / (sqrt(square) + eps) * scale;
  return weight_decay != 0 ? direction + param * weight_decay : direction;
}

extern "C" __global__ void lamb_measure(T* update, const T* param, const T* grad, T* mean,
                                        T* square, A rest1, A rest2, A beta2, A scale, A eps,
                                        A weight_decay, i64 maximize, i64 size) {
  i64 i = thread_number() * PACK;
  if (i >= size) return;
  A p[PACK], g[PACK], m[PACK], v[PACK];
  read(p, param + i, size - i);
  read(g, grad + i, size - i);
  read(m, mean + i, size - i);
  read(v, square + i, size - i);
  for (int j = 0; j < PACK; j++) {
    A direction = maximize ? -g[j] : g[j];
    m[j] += (direction - m[j]) * rest1;
    v[j] = v[j] * beta2 + direction * direction * rest2;
    g[j] = lamb_direction(p[j], m[j], v[j], scale, eps, weight_decay);
  }
  write(mean + i, m, size - i);
  write(square + i, v, size - i);
  write(update + i, g, size - i);
}

extern "C" __global__ void lamb_update(T* param, const T* mean, const T* square, A scale, A eps,
                                       A weight_decay, A rate, i64 size) {
  i64 i = thread_number() * PACK;
  if (i >= size) return;
  A p[PACK], m[PACK], v[PACK];
  read(p, param + i, size - i);
  read(m, mean + i, size - i);
  read(v, square + i, size - i);
  for (int j = 0; j < PACK; j++)
    p[j] -= lamb_direction(p[j], m[j], v[j], scale, eps, weight_decay) * rate;
  write(param + i, p, size - i);
}
