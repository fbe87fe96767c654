"""Sums of products by Einstein's convention."""

from functools import lru_cache
from string import ascii_letters

from distgrad.backend.kernels import kernel
from distgrad.ops.op import op


@lru_cache(maxsize=1024)
def explicit(subscripts, ndims):
    """Return the letters of each operand and those of the result, without ellipses.

    Example:
        >>> explicit("...ij, ...jk", (3, 2))
        (('Zij', 'jk'), 'Zik')
    """
    left, arrow, output = subscripts.replace(" ", "").partition("->")
    terms = left.split(",")
    if len(terms) != len(ndims):
        raise ValueError(f"einsum: {subscripts!r} names {len(terms)} operands, got {len(ndims)}")
    letters = left.replace("...", "")
    free = [letter for letter in reversed(ascii_letters) if letter not in letters + output]
    longest = max(n - len(t) + 3 if "..." in t else 0 for t, n in zip(terms, ndims, strict=True))
    shared = "".join(free[:longest])[::-1]
    if not arrow:
        once = sorted(c for c in set(letters) - {","} if letters.count(c) == 1)
        output = "..." + "".join(once)
    terms = [
        _without_ellipsis(subscripts, term, ndim, shared)
        for term, ndim in zip(terms, ndims, strict=True)
    ]
    return tuple(terms), output.replace("...", shared)


def _without_ellipsis(subscripts, term, ndim, shared):
    hidden = ndim - len(term.replace("...", ""))
    if hidden < 0 or (hidden and "..." not in term):
        raise ValueError(f"einsum: {term!r} in {subscripts!r} does not fit {ndim} axes")
    return term.replace("...", shared[len(shared) - hidden :])


def _joined(terms, output):
    return ",".join(terms) + "->" + output


@kernel
def contraction(xp, a, b, left, right, output):
    """The sum of products of two arrays, whose axes and the result's are named by letters."""
    return xp.einsum(_joined((left, right), output), a, b, optimize=True)


@kernel
def summed_products(xp, *operands, subscripts):
    """The sum of products of arrays, one or more than two, in NumPy's order."""
    return xp.einsum(subscripts, *operands, optimize=True)


@op(view=True)
def einsum(xp, *operands, subscripts):
    """NumPy's, and the result may name an index twice: it is then 0 off that diagonal."""
    terms, output = explicit(subscripts, tuple(x.ndim for x in operands))
    unique = "".join(dict.fromkeys(output))
    if len(operands) == 2:
        y = contraction(xp, *operands, *terms, unique)
    elif len(operands) == 1 and set(terms[0]) == set(unique):
        y = xp.einsum(_joined(terms, unique), *operands)
    else:
        y = summed_products(xp, *operands, subscripts=_joined(terms, unique))
    if unique == output:
        return xp.asarray(y)
    lengths = dict(zip(unique, y.shape, strict=True))
    whole = xp.zeros([lengths[letter] for letter in output], y.dtype)
    xp.einsum(f"{output}->{unique}", whole)[...] = y  # a view of the diagonal
    return whole


@einsum.rule("operands")
def _(xp, g, position, others, shapes, subscripts):
    """Sum over what the operand does not have; stretch along what only the operand has."""
    terms, output = explicit(subscripts, tuple(len(shape) for shape in shapes))
    other_terms = [*terms[:position], *terms[position + 1 :]]
    elsewhere = set(output).union(*other_terms)
    lengths = dict(zip(terms[position], shapes[position], strict=True))
    unique = "".join(lengths)
    found = "".join(letter for letter in unique if letter in elsewhere)
    g = einsum(xp, g, *others, subscripts=_joined((output, *other_terms), found))
    given = dict(zip(found, g.shape, strict=True))
    thin = tuple(given.get(letter, 1) for letter in unique)
    full = tuple(lengths[c] if n == 1 else n for c, n in zip(unique, thin, strict=True))
    if g.shape != full:
        g = xp.broadcast_to(xp.reshape(g, thin), full)
    if unique == terms[position]:
        return g
    return einsum(xp, g, subscripts=_joined((unique,), terms[position]))
