"""Diagonals, and what lies above or below one."""

from distgrad.ops.op import op


@op(view=True, moves=True)
def diagonal(xp, x, /, offset=0, axis1=0, axis2=1):
    """The diagonal of two axes as the last axis; a positive offset counts to the right."""
    shape, strides = list(x.shape), list(x.strides)
    rows, columns = shape[axis1], shape[axis2]
    length = max(0, min(rows + min(offset, 0), columns - max(offset, 0)))
    index = [slice(None)] * x.ndim
    index[axis1 if offset < 0 else axis2] = slice(abs(offset) if length else 0, None)
    step = strides[axis1] + strides[axis2]
    for axis in sorted((axis1 % x.ndim, axis2 % x.ndim), reverse=True):
        del shape[axis], strides[axis]
    # NumPy's own function gives a view that nobody may write to.
    return xp.lib.stride_tricks.as_strided(x[tuple(index)], (*shape, length), (*strides, step))


@diagonal.rule("x")
def _(xp, g, x_shape, offset, axis1, axis2):
    return put_diagonal(xp, g, shape=x_shape, offset=offset, axis1=axis1, axis2=axis2)


@op
def put_diagonal(xp, values, /, shape, offset=0, axis1=0, axis2=1):
    """``values`` on a diagonal of zeros: the adjoint of `diagonal`."""
    y = xp.zeros(shape, values.dtype)
    diagonal.forward(xp, y, offset, axis1, axis2)[...] = values
    return y


@put_diagonal.rule("values")
def _(xp, g, offset, axis1, axis2):
    return diagonal(xp, g, offset=offset, axis1=axis1, axis2=axis2)


@op
def tril(xp, x, /, k=0):
    """The matrices with zeros to the right of their diagonal ``k``."""
    return xp.tril(x, k)


@tril.rule("x")
def _(xp, g, k):
    return tril(xp, g, k=k)


@op
def triu(xp, x, /, k=0):
    """The matrices with zeros to the left of their diagonal ``k``."""
    return xp.triu(x, k)


@triu.rule("x")
def _(xp, g, k):
    return triu(xp, g, k=k)
