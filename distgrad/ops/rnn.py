"""The plain recurrent layer over whole sequences: ``h' = tanh(...)`` or ``relu(...)``.

J. L. Elman, "Finding structure in time", Cognitive Science 14 (1990).
"""

from distgrad.ops.linalg import matmul
from distgrad.ops.op import op
from distgrad.ops.products import product_into
from distgrad.ops.recurrent import Layout, before, carried, flattened, walk_back

__all__ = ["rnn"]


def _layouts(hidden, spans):
    """Of what the layer reads, and of what it makes."""
    rows, count = max(end for _, end in spans), max(end - start for start, end in spans)
    given = {"h": (count, hidden), "weight": (hidden, hidden)}
    return Layout(gates=(rows, hidden), **given), Layout(hs=(rows, hidden), **given)


@op
def rnn(xp, given, /, hidden, spans, nonlinearity):
    """A plain recurrent layer over whole sequences, in one direction.

    See `distgrad.ops.recurrent`.

    Args:
        xp: The namespace.
        given: `flattened`: what the inputs add, biases included (rows, hidden); the first h
            (sequences, hidden); and the weight of h (hidden, hidden).
        hidden: Features of h.
        spans: The rows of each step.
        nonlinearity: "tanh" or "relu".

    Returns:
        A flat array, of which the first rows * hidden elements are h behind each step.
    """
    read, layout = _layouts(hidden, spans)
    flat = xp.empty(layout.size, given.dtype)
    given, made = read.parts(xp, given), layout.parts(xp, flat)
    made.h[...], made.weight[...] = given.h, given.weight
    h, weight = given.h, given.weight.T
    for start, end in spans:
        h_behind = made.hs[start:end]
        product_into(xp, h[: end - start], weight, h_behind)
        h_behind += given.gates[start:end]
        if nonlinearity == "tanh":
            xp.tanh(h_behind, out=h_behind)
        else:
            xp.maximum(h_behind, 0, out=h_behind)
        h = carried(xp, h, h_behind)
    return flat


@rnn.rule("given")
def _(xp, g, y, hidden, spans, nonlinearity):
    _, layout = _layouts(hidden, spans)
    made, above = layout.parts(xp, y), layout.parts(xp, g)
    slopes = 1 - made.hs * made.hs if nonlinearity == "tanh" else made.hs > 0

    def back(rows, h):
        found = (h + above.hs[rows]) * slopes[rows]
        return (found,), (matmul(xp, found, made.weight),)

    (found,), (h,) = walk_back(xp, spans, (made.h,), back)
    of_weight = matmul(xp, xp.transpose(found), before(xp, made.h, made.hs, spans))
    return flattened(xp, found, above.h + h, above.weight + of_weight)
