"""Samples of distgrad/ops/factor.py."""

from typing import Any

import numpy as np
from ops.cases import Row, case
from ops.samples.solve import SQUARE, definite


def _symmetric(generator: np.random.Generator, shape: tuple[int, ...]) -> np.ndarray:
    """Eigenvalues at least 1 apart."""
    x = generator.uniform(-0.2, 0.2, shape)
    return x + np.swapaxes(x, -1, -2) + np.diag(np.arange(shape[-1]) * 2.0)


def _qr(x: Any) -> np.ndarray:
    """Gram and Schmidt's way; LAPACK's diagonal of R has the signs that it has."""
    m, n = x.shape[-2:]
    k = min(m, n)
    q = np.zeros((*x.shape[:-1], k))
    signs = np.sign(np.diagonal(np.linalg.qr(x)[1], axis1=-2, axis2=-1))
    for i in range(k):
        rest = x[..., i].copy()
        for j in range(i):
            rest -= q[..., j] * (q[..., j] * rest).sum(-1, keepdims=True)
        norm = np.sqrt((rest * rest).sum(-1, keepdims=True))
        q[..., i] = rest / norm * signs[..., i : i + 1]
    return np.concatenate([q, np.swapaxes(x, -1, -2) @ q], axis=-2)


def _eigh(x: Any) -> np.ndarray:
    values, vectors = np.linalg.eigh((x + np.swapaxes(x, -1, -2)) / 2)
    return np.concatenate([vectors, values[..., None, :]], axis=-2)


def _pinv(x: Any, rtol: float = 0, atol: float = 0, hermitian: bool = False) -> np.ndarray:
    return np.linalg.pinv(x, rcond=rtol, hermitian=hermitian)


_MATRICES = [(3, 3), (4, 2), (2, 4), (2, 3, 2), (0, 2, 2), (3, 1)]
_SYMMETRIC = [case(shape, domain=_symmetric) for shape in SQUARE]


SAMPLES: dict[str, Row] = {
    "eigh_packed": Row(_SYMMETRIC, _eigh, lacks=("0-d",)),
    "eigvalsh": Row(
        _SYMMETRIC,
        # Rayleigh's quotients.
        lambda x: np.einsum("...ji,...jk,...ki->...i", v := np.linalg.eigh(x)[1], x, v),
        lacks=("0-d",),
    ),
    "pinv": Row(
        [case(shape) for shape in _MATRICES] + [case((2, 2), domain=definite, rtol=1e-3)],
        _pinv,
        lacks=("0-d",),
    ),
    "qr_packed": Row([case(shape) for shape in _MATRICES], _qr, lacks=("0-d",)),
}
