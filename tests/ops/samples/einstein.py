"""Samples of distgrad/ops/einstein.py."""

from itertools import product
from typing import Any

import numpy as np
from ops.cases import Row, case


def _einsum(*operands: np.ndarray, subscripts: str) -> Any:
    """The sum, term by term; also of results that name an index twice, which NumPy refuses."""
    if "." in subscripts or "->" not in subscripts:
        return np.einsum(subscripts, *operands)
    left, output = subscripts.replace(" ", "").split("->")
    terms = left.split(",")
    lengths: dict[str, int] = {}
    for term, x in zip(terms, operands, strict=True):
        for letter, n in zip(term, x.shape, strict=True):
            lengths[letter] = n if lengths.get(letter, 1) == 1 else lengths[letter]
    result = np.zeros([lengths[letter] for letter in output])
    for place in product(*(range(n) for n in lengths.values())):
        at = dict(zip(lengths, place, strict=True))
        factor = 1.0
        for term, x in zip(terms, operands, strict=True):
            factor *= x[tuple(at[c] % n for c, n in zip(term, x.shape, strict=True))]
        result[tuple(at[letter] for letter in output)] += factor
    return result


CALLS: list[tuple[str, list[tuple[int, ...]]]] = [
    ("ij,jk->ik", [(2, 3), (3, 4)]),
    ("ij,jk", [(2, 3), (3, 4)]),
    ("bij, bjk -> bik", [(2, 2, 3), (2, 3, 2)]),
    ("ij->ji", [(2, 3)]),
    ("ij->", [(2, 3)]),
    ("ij->j", [(2, 3)]),
    ("ii", [(3, 3)]),
    ("ii->i", [(3, 3)]),
    ("iij->j", [(2, 2, 3)]),
    ("iii->i", [(2, 2, 2)]),
    ("i->ii", [(3,)]),
    ("ij,j->iij", [(2, 3), (3,)]),
    ("i,j->ij", [(2,), (3,)]),
    ("i,i->i", [(3,), (3,)]),
    ("ij,kl->ik", [(2, 3), (2, 2)]),
    ("ij,jk,kl->il", [(2, 3), (3, 2), (2, 2)]),
    ("ijj,jk->k", [(2, 3, 3), (3, 2)]),
    ("i,->i", [(3,), ()]),
    (",", [(), ()]),
    ("ij,ij->ij", [(1, 3), (2, 3)]),
    ("ij,ij->i", [(2, 1), (1, 3)]),
    ("...ij,...jk->...ik", [(2, 1, 2, 3), (2, 3, 2)]),
    ("...ij,jk", [(2, 2, 3), (3, 2)]),
    ("...i->...", [(2, 3)]),
    ("i...,i...->...", [(2, 3), (2, 1)]),
    ("ij,jk->ik", [(0, 3), (3, 2)]),
    ("ij,jk->ik", [(2, 0), (0, 2)]),
]


SAMPLES: dict[str, Row] = {
    "einsum": Row(
        [case(*shapes, subscripts=subscripts) for subscripts, shapes in CALLS],
        _einsum,
    ),
}
