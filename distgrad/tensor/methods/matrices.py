"""Inverses, determinants, factors and powers of matrices."""

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from distgrad import ops
from distgrad.backend import array_namespace
from distgrad.backend.dtypes import is_floating
from distgrad.tensor.methods.diagonals import Diagonals
from distgrad.tensor.methods.products import Products

if TYPE_CHECKING:
    from distgrad.tensor.tensor import Tensor

__all__ = ["LinAlgError", "Matrices", "SignAndLog"]


class LinAlgError(RuntimeError):
    """A matrix has no inverse, or no such factor."""


class SignAndLog(NamedTuple):
    """A determinant as its sign, and the logarithm of its absolute value."""

    sign: "Tensor"
    logabsdet: "Tensor"


class Matrices(Products, Diagonals):
    """Functions of square matrices, which stand in the last two axes."""

    __slots__ = ()

    def _square(self, name: str, floating: bool = True) -> "Tensor":
        """Return the tensor itself, refusing what is not of square matrices."""
        if self.ndim < 2 or self.shape[-1] != self.shape[-2]:
            raise RuntimeError(f"{name}() takes square matrices, got shape {self.shape}")
        if floating and not is_floating(self.dtype):
            raise RuntimeError(
                f"{name}() takes matrices of floating-point type, not {self.dtype}; convert with "
                ".to()"
            )
        return self  # type: ignore[return-value]  # nothing but Tensor has these methods

    def _solved(self, name: str, reason: str, op: ops.Op, *others: Any) -> "Tensor":
        try:
            return self._apply(op, self, *others)
        except np.linalg.LinAlgError:
            raise LinAlgError(f"{name}(): a matrix of shape {self.shape} {reason}") from None

    def inverse(self) -> "Tensor":
        """Return the inverses."""
        return self._square("inv")._solved("inv", "is singular and has no inverse", ops.inv)

    def det(self) -> "Tensor":
        """Return the determinants."""
        return self._apply(ops.det, self._square("det"))

    def slogdet(self) -> SignAndLog:
        """Return (sign, logabsdet) of the determinants."""
        x = self._square("slogdet")
        return SignAndLog(self._apply(ops.sign_of_det, x), self._apply(ops.log_of_det, x))

    def logdet(self) -> "Tensor":
        """Return the logarithms of the determinants, nan of negative ones."""
        sign, size = self._square("logdet").slogdet()
        return self._apply(ops.where, sign.data < 0, self.dtype.type(np.nan), size)

    def cholesky(self, upper: bool = False) -> "Tensor":
        """Return the triangular factors of symmetric positive definite matrices."""
        factor = self._square("cholesky")._solved(
            "cholesky", "is not positive definite", ops.cholesky
        )
        return factor.mT if upper else factor

    def cholesky_solve(self, L: "Tensor", upper: bool = False) -> "Tensor":  # noqa: N803 (PyTorch's)
        """Return the solutions of ``A @ X = self``, given the Cholesky factor of A."""
        L._square("cholesky_solve")._one_type("cholesky_solve", self)
        if self.ndim < 2 or self.shape[-2] != L.shape[-1]:
            raise RuntimeError(
                f"cholesky_solve() takes B with {L.shape[-1]} rows, as the factor of shape "
                f"{L.shape} has, got shape {self.shape}"
            )
        lower, reason = L.triu().mT if upper else L.tril(), "has a 0 on its diagonal"
        half = lower._solved("cholesky_solve", reason, ops.solve, self)
        return lower.mT._solved("cholesky_solve", reason, ops.solve, half)

    def cholesky_inverse(self, upper: bool = False) -> "Tensor":
        """Return the inverses of the matrices of which this is the Cholesky factor."""
        x = self._square("cholesky_inverse")
        eye = array_namespace(x.data).eye(x.shape[-1], dtype=x.dtype)
        return x.of(eye).cholesky_solve(x, upper)

    def pinverse(self, rcond: float = 1e-15) -> "Tensor":
        """Return the pseudo-inverses; see `distgrad.linalg.pinv`."""
        return self._apply(
            ops.pinv, self._matrix("pinverse")._only_floating("pinverse"), rtol=rcond
        )

    def matrix_exp(self) -> "Tensor":
        """Return the exponentials."""
        return self._apply(ops.matrix_exp, self._square("matrix_exp"))

    def matrix_power(self, n: int) -> "Tensor":
        """Return the product of ``n`` times the matrix; of inverses where ``n`` is negative."""
        if not hasattr(n, "__index__"):
            raise TypeError(f"matrix_power() takes a whole number as its power, got {n}")
        base: Any = self._square("matrix_power", floating=n < 0)
        if n in (0, 1):
            eye = array_namespace(self.data).eye(self.shape[-1], dtype=self.dtype)
            return self._apply(ops.where, np.bool_(n), base, eye)
        base, left = base.inverse() if n < 0 else base, abs(n)
        result = None
        while left:
            if left % 2:
                result = base if result is None else result.matmul(base)
            left //= 2
            base = base.matmul(base) if left else base
        return result  # type: ignore[return-value]  # a power that is not 0 has a factor
