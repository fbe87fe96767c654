"""Gated recurrent units: over whole sequences, and one step.

With the gates r and u of a step, the proposal n, and the state h that it begins with::

    r, u = sigmoid(...)    n = tanh(z + r m)    h' = n + u (h - n)

where z is what the input adds, and m what h adds. (In PyTorch's pages u is called z.)

K. Cho et al., "Learning phrase representations using RNN encoder-decoder for statistical machine
translation", EMNLP 2014, with r behind the product with h, as in cuDNN and PyTorch.
"""

from distgrad.backend.lacking import is_anything_true
from distgrad.ops.join import concatenate, stack
from distgrad.ops.linalg import matmul
from distgrad.ops.op import op
from distgrad.ops.recurrent import Layout, before, carried, flattened, is_recorded, walk_back

__all__ = ["gru", "gru_cell"]


def _layouts(hidden, spans):
    """Of what the layer reads, and of what it makes."""
    rows, count = max(end for _, end in spans), max(end - start for start, end in spans)
    given = {"h": (count, hidden), "weight": (3 * hidden, hidden), "bias": (hidden,)}
    made = {"hs": (rows, hidden), "gates": (rows, 4, hidden)}
    return Layout(gates=(rows, 3, hidden), **given), Layout(**made, **given)


@op
def gru(xp, given, /, hidden, spans):
    """A GRU over whole sequences, in one direction; see `distgrad.ops.recurrent`.

    Args:
        xp: The namespace.
        given: `flattened`: what the inputs add to the gates, all biases but one included
            (rows, 3 * hidden); the first h (sequences, hidden); the weight of h
            (3 * hidden, hidden); and the bias of m (hidden,).
        hidden: Features of h.
        spans: The rows of each step.

    Returns:
        A flat array, of which the first rows * hidden elements are h behind each step.
    """
    read, layout = _layouts(hidden, spans)
    flat = xp.empty(layout.size, given.dtype)
    given, made = read.parts(xp, given), layout.parts(xp, flat)
    made.h[...], made.weight[...], made.bias[...] = given.h, given.weight, given.bias
    h, weight = given.h, given.weight.T
    for start, end in spans:
        h_behind, state = made.hs[start:end], h[: end - start]
        of_h = matmul(xp, state, weight).reshape(end - start, 3, hidden)
        of_h[:, 2] += given.bias
        _step(xp, given.gates[start:end], of_h, state, made.gates[start:end], h_behind)
        h = carried(xp, h, h_behind)
    return flat


def _step(xp, of_x, of_h, h, gates, h_behind):
    """Write r, u, m and n to ``gates``, and the state behind the step."""
    r, u, m, n = (gates[:, place] for place in range(4))
    both = gates[:, :2]
    xp.add(of_x[:, :2], of_h[:, :2], out=both)
    both *= 0.5  # sigmoid(x) is tanh(x / 2) / 2 + 1 / 2
    xp.tanh(both, out=both)
    both *= 0.5
    both += 0.5
    m[...] = of_h[:, 2]
    xp.multiply(r, m, out=n)
    n += of_x[:, 2]
    xp.tanh(n, out=n)
    xp.subtract(h, n, out=h_behind)
    h_behind *= u
    h_behind += n


def _slopes(xp, gates, h):
    """The slopes of h' by what r and u are functions of, by m, and by z."""
    r, u, m, n = (gates[:, place] for place in range(4))
    by_z = (1 - u) * (1 - n * n)
    by_m = by_z * r
    return stack(xp, by_m * m * (1 - r), (h - n) * u * (1 - u), by_m, by_z, axis=1)


def _others(xp, gates, above):
    """The gradients of the same by the gradients of r, u, m and n themselves."""
    r, u, m, n = (gates[:, place] for place in range(4))
    of_r, of_u, of_m, of_n = (above[:, place] for place in range(4))
    of_z = of_n * (1 - n * n)
    of_r = (of_z * m + of_r) * r * (1 - r)
    return stack(xp, of_r, of_u * u * (1 - u), of_z * r + of_m, of_z, axis=1)


@gru.rule("given")
def _(xp, g, y, hidden, spans):
    _, layout = _layouts(hidden, spans)
    made, above = layout.parts(xp, y), layout.parts(xp, g)
    earlier = before(xp, made.h, made.hs, spans)
    slopes = _slopes(xp, made.gates, earlier)
    walk = _recorded_walk if is_recorded(xp) else _walk
    found, h = walk(xp, made, above, slopes, spans)
    of_h = _of_h(xp, found)
    return flattened(
        xp,
        concatenate(xp, found[:, :2], found[:, 3:], axis=1),
        above.h + h,
        above.weight + matmul(xp, xp.transpose(of_h), earlier),
        above.bias + xp.sum(found[:, 2], axis=0),
    )


def _of_h(xp, found):
    """The gradients of what h adds to r, u and m: a view of an array."""
    count, _, hidden = found.shape
    return xp.reshape(found, (count, 4 * hidden))[:, : 3 * hidden]


def _walk(xp, made, above, slopes, spans):
    """Go back through the steps, in place; ``slopes`` become the gradients.

    Returns:
        The gradients of what r and u are functions of, of m and of z; of the first h.
    """
    others = _others(xp, made.gates, above.gates) if is_anything_true(above.gates) else None
    all_h = xp.zeros_like(made.h)
    for start, end in reversed(spans):
        h, found = all_h[: end - start], slopes[start:end]
        h += above.hs[start:end]
        found *= h[:, None]
        if others is not None:
            found += others[start:end]
        h *= made.gates[start:end, 1]
        h += matmul(xp, _of_h(xp, found), made.weight)
    return slopes, all_h


def _recorded_walk(xp, made, above, slopes, spans):
    """The same on Tensors, so that it has a gradient itself."""
    others = _others(xp, made.gates, above.gates)

    def back(rows, h):
        h = h + above.hs[rows]
        count, hidden = h.shape
        found = slopes[rows] * xp.reshape(h, (count, 1, hidden)) + others[rows]
        h = h * made.gates[rows, 1] + matmul(xp, _of_h(xp, found), made.weight)
        return (found,), (h,)

    (found,), (h,) = walk_back(xp, spans, (made.h,), back)
    return found, h


@op
def gru_cell(xp, of_x, of_h, h, /):
    """One step: what the input and h add, (N, 3 * H) each, and h (N, H) to (5, N, H).

    The result is h', and r, u, m and n, which the rules need.
    """
    count, hidden = h.shape
    y = xp.empty((5, count, hidden), of_x.dtype)
    shape = count, 3, hidden
    gates = y[1:].transpose(1, 0, 2)
    _step(xp, of_x.reshape(shape), of_h.reshape(shape), h, gates, y[0])
    return y


def _cell_gradients(xp, g, y, h):
    gates, above = (xp.transpose(x[1:], (1, 0, 2)) for x in (y, g))
    count, hidden = h.shape
    return _slopes(xp, gates, h) * xp.reshape(g[0], (count, 1, hidden)) + _others(xp, gates, above)


@gru_cell.rule("of_x")
def _(xp, g, y, h):
    found = _cell_gradients(xp, g, y, h)
    found = concatenate(xp, found[:, :2], found[:, 3:], axis=1)
    return xp.reshape(found, (len(h), 3 * h.shape[1]))


@gru_cell.rule("of_h")
def _(xp, g, y, h):
    return _of_h(xp, _cell_gradients(xp, g, y, h))


@gru_cell.rule("h")
def _(xp, g, y):
    return g[0] * y[2]
