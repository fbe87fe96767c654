"""Long short-term memory: over whole sequences, and one step.

With the gates i, f, g and o of a step, and the states h and c that it begins with::

    i, f, o = sigmoid(...)    g = tanh(...)    c' = f c + i g    h' = o tanh(c')

S. Hochreiter and J. Schmidhuber, "Long short-term memory", Neural Computation 9 (1997); the
projection of h' is that of H. Sak, A. Senior and F. Beaufays, Interspeech 2014.
"""

from distgrad.backend.lacking import is_anything_true
from distgrad.ops.join import concatenate, stack
from distgrad.ops.linalg import matmul
from distgrad.ops.op import op
from distgrad.ops.products import product_into
from distgrad.ops.recurrent import Layout, before, carried, flattened, is_recorded, walk_back

__all__ = ["lstm", "lstm_cell"]


def _layouts(hidden, width, spans):
    """Of what the layer reads, and of what it makes."""
    rows, count = max(end for _, end in spans), max(end - start for start, end in spans)
    given = {"h": (count, width), "c": (count, hidden), "weight": (4 * hidden, width)}
    if width != hidden:
        given["projection"] = (width, hidden)
    made = {"hs": (rows, width), "cs": (rows, hidden), "gates": (rows, 4, hidden)}
    return Layout(gates=(rows, 4, hidden), **given), Layout(**made, **given)


@op
def lstm(xp, given, /, hidden, width, spans):
    """An LSTM over whole sequences, in one direction; see `distgrad.ops.recurrent`.

    Args:
        xp: The namespace.
        given: `flattened`: what the inputs add to the gates, biases included (rows, 4 * hidden);
            the first h (sequences, width) and c (sequences, hidden); the weight of h
            (4 * hidden, width); and where ``width`` is not ``hidden``, the projection
            (width, hidden).
        hidden: Features of c.
        width: Features of h.
        spans: The rows of each step.

    Returns:
        A flat array, of which the first rows * width elements are h behind each step, and the next
        rows * hidden are c.
    """
    read, layout = _layouts(hidden, width, spans)
    flat = xp.empty(layout.size, given.dtype)
    given, made = read.parts(xp, given), layout.parts(xp, flat)
    for name in set(read.shapes) - {"gates"}:
        getattr(made, name)[...] = getattr(given, name)
    h, c, weight = given.h, given.c, given.weight.T
    halves = _halves(xp, hidden, flat.dtype)
    for start, end in spans:
        gates, c_behind = made.gates[start:end], made.cs[start:end]
        h_behind = made.hs[start:end] if width == hidden else xp.empty_like(c_behind)
        product_into(xp, h[: end - start], weight, gates.reshape(end - start, 4 * hidden))
        gates += given.gates[start:end]
        _step(xp, gates, c[: end - start], halves, h_behind, c_behind)
        if width != hidden:
            h_behind = product_into(xp, h_behind, given.projection.T, made.hs[start:end])
        h, c = carried(xp, h, h_behind), carried(xp, c, c_behind)
    return flat


def _halves(xp, hidden, dtype):
    """Factors and terms for all gates: those that make sigmoids of tanh, 1 and 0 for g.

    ``sigmoid(x)`` is ``tanh(x / 2) / 2 + 1 / 2``, so that all gates go through one function.
    """
    factors = xp.full((4, hidden), 0.5, dtype)
    factors[2] = 1
    return factors, 1 - factors


def _step(xp, gates, c, halves, h_behind, c_behind):
    """Make the gates what they are named for, in place, and write the states behind the step."""
    factors, terms = halves
    gates *= factors
    xp.tanh(gates, out=gates)
    gates *= factors
    gates += terms
    xp.multiply(gates[:, 1], c, out=c_behind)
    xp.multiply(gates[:, 0], gates[:, 2], out=h_behind)
    c_behind += h_behind
    xp.tanh(c_behind, out=h_behind)
    h_behind *= gates[:, 3]


def _gate_slopes(xp, gates):
    """The slopes of the gates by what they are functions of."""
    i, f, g, o = (gates[:, place] for place in range(4))
    return stack(xp, i * (1 - i), f * (1 - f), 1 - g * g, o * (1 - o), axis=1)


def _slopes(xp, gates, c, c_behind):
    """The slopes of c' by what i, f and g are functions of and of h' by that of o; of h' by c'."""
    i, f, g, o = (gates[:, place] for place in range(4))
    tanh = xp.tanh(c_behind)
    slopes = stack(
        xp, g * i * (1 - i), c * f * (1 - f), i * (1 - g * g), tanh * o * (1 - o), axis=1
    )
    return slopes, o * (1 - tanh * tanh)


def _of_gates(xp, slopes, h_above, c_above):
    """The gradients of what the gates are functions of, from those of h' and c'."""
    count, _, hidden = slopes.shape
    of_c = slopes[:, :3] * xp.reshape(c_above, (count, 1, hidden))
    of_h = slopes[:, 3:] * xp.reshape(h_above, (count, 1, hidden))
    return concatenate(xp, of_c, of_h, axis=1)


@lstm.rule("given")
def _(xp, g, y, hidden, width, spans):
    _, layout = _layouts(hidden, width, spans)
    made, above = layout.parts(xp, y), layout.parts(xp, g)
    slopes, to_c = _slopes(xp, made.gates, before(xp, made.c, made.cs, spans), made.cs)
    walk = _recorded_walk if is_recorded(xp) else _walk
    of_gates, hs, h, c = walk(xp, made, above, slopes, to_c, spans)
    of_gates = xp.reshape(of_gates, (len(of_gates), 4 * hidden))
    of_weight = matmul(xp, xp.transpose(of_gates), before(xp, made.h, made.hs, spans))
    found = [of_gates, above.h + h, above.c + c, above.weight + of_weight]
    if width != hidden:
        unprojected = made.gates[:, 3] * xp.tanh(made.cs)
        found.append(above.projection + matmul(xp, xp.transpose(hs), unprojected))
    return flattened(xp, *found)


def _walk(xp, made, above, slopes, to_c, spans):
    """Go back through the steps, in place; ``slopes`` become the gradients of the gates.

    Returns:
        The gradients of the gates before their functions; of h behind each step; of the first h
        and c.
    """
    others = _gate_slopes(xp, made.gates) * above.gates if is_anything_true(above.gates) else None
    hs = above.hs.copy() if hasattr(made, "projection") else None
    all_h, all_c = xp.zeros_like(made.h), xp.zeros_like(made.c)
    for start, end in reversed(spans):
        h, c, of_gates = all_h[: end - start], all_c[: end - start], slopes[start:end]
        h += above.hs[start:end]
        c += above.cs[start:end]
        unprojected = h
        if hs is not None:
            hs[start:end] = h
            unprojected = matmul(xp, h, made.projection)
        c += unprojected * to_c[start:end]
        of_gates[:, :3] *= c[:, None]
        of_gates[:, 3] *= unprojected
        if others is not None:
            of_gates += others[start:end]
        c *= made.gates[start:end, 1]
        product_into(xp, of_gates.reshape(end - start, len(made.weight)), made.weight, h)
    return slopes, hs, all_h, all_c


def _recorded_walk(xp, made, above, slopes, to_c, spans):
    """The same on Tensors, so that it has a gradient itself."""
    others = _gate_slopes(xp, made.gates) * above.gates
    hidden = made.c.shape[1]

    def back(rows, h, c):
        h = h + above.hs[rows]
        unprojected = matmul(xp, h, made.projection) if hasattr(made, "projection") else h
        c = c + above.cs[rows] + unprojected * to_c[rows]
        of_gates = _of_gates(xp, slopes[rows], unprojected, c) + others[rows]
        flat = xp.reshape(of_gates, (len(h), 4 * hidden))
        return (of_gates, h), (matmul(xp, flat, made.weight), c * made.gates[rows, 1])

    (of_gates, hs), (h, c) = walk_back(xp, spans, (made.h, made.c), back)
    return of_gates, hs, h, c


@op
def lstm_cell(xp, gates, c, /):
    """One step: gates (N, 4 * H) before their functions and c (N, H) to (6, N, H).

    The result is h', c', and i, f, g and o, which the rules need.
    """
    count, hidden = c.shape
    y = xp.empty((6, count, hidden), gates.dtype)
    made = gates.reshape(count, 4, hidden).copy()
    _step(xp, made, c, _halves(xp, hidden, gates.dtype), y[0], y[1])
    y[2:] = made.transpose(1, 0, 2)
    return y


@lstm_cell.rule("gates")
def _(xp, g, y, c):
    gates = xp.transpose(y[2:], (1, 0, 2))
    slopes, to_c = _slopes(xp, gates, c, y[1])
    found = _of_gates(xp, slopes, g[0], g[1] + g[0] * to_c)
    found = found + _gate_slopes(xp, gates) * xp.transpose(g[2:], (1, 0, 2))
    return xp.reshape(found, (len(c), 4 * c.shape[1]))


@lstm_cell.rule("c")
def _(xp, g, y):
    tanh = xp.tanh(y[1])
    return (g[1] + g[0] * (y[5] * (1 - tanh * tanh))) * y[3]
