// Windows over images (N, H, W, C): columns for convolution, and pooling.
//
// Gradients are gathered: a pixel asks all windows that saw it, in order. So nothing is added by
// two threads, and the order of a sum is fixed. Arrays have fewer than 2 ** 31 elements: divisions
// of 64 bits take several times as long.

struct Window {
  int kernel[2], stride[2], dilation[2], before[2], output[2], size[2];
};

// An element of an array (N, rows, columns, C), from its number.
struct Place {
  int image, row, column, channel;
};

__device__ inline Place place_of(int number, int rows, int columns, int channels) {
  int pixel = number / channels, line = pixel / columns;
  return {line / rows, line % rows, pixel % columns, number % channels};
}

__device__ inline Window window_of(const int* w) {
  return {{w[0], w[1]}, {w[2], w[3]}, {w[4], w[5]}, {w[6], w[7]}, {w[8], w[9]}, {w[10], w[11]}};
}

// Where element `number` of the window at a place of the output lies in the image, or -1.
__device__ inline int seen(const Window& w, Place p, int number, int channels) {
  int row = p.row * w.stride[0] - w.before[0] + number / w.kernel[1] * w.dilation[0];
  int column = p.column * w.stride[1] - w.before[1] + number % w.kernel[1] * w.dilation[1];
  if (row < 0 || row >= w.size[0] || column < 0 || column >= w.size[1]) return -1;
  return ((p.image * w.size[0] + row) * w.size[1] + column) * channels + p.channel;
}

// Which place of the output sees a pixel with element `number` of its window, or -1.
__device__ inline int seeing(const Window& w, Place p, int number, int channels) {
  int row = p.row + w.before[0] - number / w.kernel[1] * w.dilation[0];
  int column = p.column + w.before[1] - number % w.kernel[1] * w.dilation[1];
  if (row < 0 || column < 0 || row % w.stride[0] || column % w.stride[1]) return -1;
  row /= w.stride[0];
  column /= w.stride[1];
  if (row >= w.output[0] || column >= w.output[1]) return -1;
  return ((p.image * w.output[0] + row) * w.output[1] + column) * channels + p.channel;
}

__device__ inline Place output_place(const Window& w, int number, int channels) {
  return place_of(number, w.output[0], w.output[1], channels);
}

// Columns (groups, N, *output, *kernel, C / groups) of what the windows see.
extern "C" __global__ void columns(T* y, const T* x, const int* window, i64 channels, i64 groups,
                                   i64 size) {
  i64 i = thread_number();
  if (i >= size) return;
  Window w = window_of(window);
  int depth = channels / groups, elements = w.kernel[0] * w.kernel[1];
  int rows = size / channels / elements, row = int(i / depth / elements);
  Place p = output_place(w, row % rows, 1);
  p.channel = row / rows * depth + int(i) % depth;
  int at = seen(w, p, int(i) / depth % elements, channels);
  if (at < 0)
    narrow(y[i], A(0));
  else
    y[i] = x[at];
}

// The adjoint of `columns`: an image in which each pixel is the sum over the columns that saw it.
extern "C" __global__ void from_columns(T* x, const T* y, const int* window, i64 channels,
                                        i64 groups, i64 size) {
  i64 i = thread_number();
  if (i >= size) return;
  Window w = window_of(window);
  int depth = channels / groups, elements = w.kernel[0] * w.kernel[1];
  int pixels = size / channels, rows = pixels / (w.size[0] * w.size[1]) * w.output[0] * w.output[1];
  Place p = place_of(i, w.size[0], w.size[1], channels);
  int group = p.channel / depth, channel = p.channel % depth;
  p.channel = 0;
  A sum = 0;
  for (int number = 0; number < elements; number++) {
    int row = seeing(w, p, number, 1);
    if (row >= 0) sum += widened(y[(i64)((group * rows + row) * elements + number) * depth + channel]);
  }
  narrow(x[i], sum);
}

// The largest element of each window, and its number there: of equal ones the first, of nans the
// last, as PyTorch has it; 0xffffffff where the window meets nothing.
extern "C" __global__ void max_pool(T* y, unsigned* winner, const T* x, const int* window,
                                    i64 channels, i64 size) {
  i64 i = thread_number();
  if (i >= size) return;
  Window w = window_of(window);
  Place p = output_place(w, i, channels);
  A largest = -A(1) / A(0);
  unsigned best = 0xffffffffu;
  for (int number = 0; number < w.kernel[0] * w.kernel[1]; number++) {
    int at = seen(w, p, number, channels);
    if (at < 0) continue;
    A value = widened(x[at]);
    if (value > largest || value != value || best == 0xffffffffu) {
      largest = value;
      best = number;
    }
  }
  narrow(y[i], largest);
  winner[i] = best;
}

// Hand each value down to the winner of its window.
extern "C" __global__ void max_pool_scatter(T* x, const T* values, const unsigned* winner,
                                            const int* window, i64 channels, i64 size) {
  i64 i = thread_number();
  if (i >= size) return;
  Window w = window_of(window);
  Place p = place_of(i, w.size[0], w.size[1], channels);
  A sum = 0;
  for (int number = 0; number < w.kernel[0] * w.kernel[1]; number++) {
    int at = seeing(w, p, number, channels);
    if (at >= 0 && winner[at] == number) sum += widened(values[at]);
  }
  narrow(x[i], sum);
}

// The sum of each window over the product of the counts of its row and its column.
extern "C" __global__ void avg_pool(T* y, const T* x, const int* window, const A* rows,
                                    const A* columns, i64 channels, i64 size) {
  i64 i = thread_number();
  if (i >= size) return;
  Window w = window_of(window);
  Place p = output_place(w, i, channels);
  A sum = 0;
  for (int number = 0; number < w.kernel[0] * w.kernel[1]; number++) {
    int at = seen(w, p, number, channels);
    if (at >= 0) sum += widened(x[at]);
  }
  narrow(y[i], sum / (rows[p.row] * columns[p.column]));
}

extern "C" __global__ void avg_pool_input(T* x, const T* above, const int* window, const A* rows,
                                          const A* columns, i64 channels, i64 size) {
  i64 i = thread_number();
  if (i >= size) return;
  Window w = window_of(window);
  Place p = place_of(i, w.size[0], w.size[1], channels);
  A sum = 0;
  for (int number = 0; number < w.kernel[0] * w.kernel[1]; number++) {
    int at = seeing(w, p, number, channels);
    if (at < 0) continue;
    Place from = output_place(w, at, channels);
    sum += widened(above[at]) / (rows[from.row] * columns[from.column]);
  }
  narrow(x[i], sum);
}
