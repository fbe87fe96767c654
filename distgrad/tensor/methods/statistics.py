"""Counts, quantiles, the most frequent elements, and covariances."""

import warnings
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from distgrad import ops
from distgrad.backend import to_host
from distgrad.tensor.device import placed
from distgrad.tensor.methods.extremes import Extremes
from distgrad.tensor.methods.ordering import Ordering
from distgrad.tensor.methods.reductions import Reductions

if TYPE_CHECKING:
    from distgrad.tensor.tensor import Tensor

__all__ = ["Bounds", "Statistics"]

_INTERPOLATIONS = ("linear", "lower", "higher", "midpoint", "nearest")


class Bounds(NamedTuple):
    """The smallest and the largest elements."""

    min: "Tensor"
    max: "Tensor"


class Statistics(Ordering, Reductions):
    """What describes many elements by few."""

    __slots__ = ()

    def count_nonzero(self, dim: Any = None) -> "Tensor":
        """Return how many elements are not 0, among all or over ``dim``."""
        return self.ne(0).sum(dim)

    def aminmax(self, *, dim: int | None = None, keepdim: bool = False) -> Bounds:
        """Return (min, max), of all elements or along ``dim``; equal ones share the gradient."""
        return Bounds(self.amin(dim, keepdim), self.amax(dim, keepdim))

    def nanmedian(self, dim: int | None = None, keepdim: bool = False) -> Any:
        """Return the median of what is not nan; along ``dim``, (values, indices)."""
        self._number("nanmedian")
        if dim is not None:
            return self._at_places(ops.argnanmedian, dim, keepdim)
        numbers = self[~self.isnan()]
        return (numbers if numbers.numel() else self).median()

    def mode(self, dim: int = -1, keepdim: bool = False) -> Extremes:
        """Return the most frequent elements along ``dim``, of several the smallest."""
        return self._at_places(ops.argmode, dim, keepdim)

    def quantile(
        self,
        q: Any,
        dim: int | None = None,
        keepdim: bool = False,
        *,
        interpolation: str = "linear",
    ) -> "Tensor":
        """Return quantiles of all elements, or along ``dim``; see `distgrad.quantile`."""
        return self._quantile("quantile", q, dim, keepdim, interpolation)

    def nanquantile(
        self,
        q: Any,
        dim: int | None = None,
        keepdim: bool = False,
        *,
        interpolation: str = "linear",
    ) -> "Tensor":
        """Return quantiles of what is not nan; see `distgrad.quantile`."""
        return self._quantile("nanquantile", q, dim, keepdim, interpolation)

    def _quantile(
        self, name: str, q: Any, dim: int | None, keepdim: bool, interpolation: str
    ) -> "Tensor":
        q = self._checked_quantiles(name, q, interpolation)
        axis = None if dim is None else self._axis(dim)
        x = self.ravel() if axis is None or not self.ndim else self.movedim(axis, -1)
        ranks = x._ranks(q.ravel(), ignoring=name == "nanquantile")
        result = x.sort(-1).values._at_ranks(ranks, interpolation)
        if keepdim and self.ndim:
            shape = (1,) * (self.ndim - 1) if axis is None else x.shape[:-1]
            result = result.reshape(*shape, 1, q.numel()).movedim(-2, -1 if axis is None else axis)
        return result.movedim(-1, 0) if q.ndim else result.squeeze(-1)

    def _checked_quantiles(self, name: str, q: Any, interpolation: str) -> "Tensor":
        if self.dtype not in (np.float32, np.float64):
            raise RuntimeError(f"{name}() takes float32 or float64, not {self.dtype}; use .to()")
        if interpolation not in _INTERPOLATIONS:
            raise RuntimeError(
                f"{name}(): interpolation must be one of {', '.join(_INTERPOLATIONS)}, got "
                f"{interpolation!r}"
            )
        if not self.numel():
            raise RuntimeError(f"{name}() needs elements, got shape {self.shape}")
        if not hasattr(q, "node"):
            given = placed(np.asarray(q, self.dtype), self.device)
            q = self._apply(ops.astype, given, dtype=self.dtype)
        if q.ndim > 1 or q.dtype != self.dtype:
            raise RuntimeError(
                f"{name}(): q must be a number, or a 0-d or 1-d tensor of {self.dtype}, got "
                f"{q.dtype} of shape {q.shape}"
            )
        if not to_host(((q.data >= 0) & (q.data <= 1)).all()):
            raise RuntimeError(f"{name}(): q must be from 0 to 1, got {q.tolist()}")
        return q  # type: ignore[no-any-return]

    def _ranks(self, q: "Tensor", ignoring: bool) -> "Tensor":
        """Return the places, with fractions, of quantiles among the elements of the last axis."""
        if ignoring:
            count = self.isnan().logical_not().sum(-1, True).to(self.dtype)
            return (count - 1).clamp(min=0) * q
        last = self.shape[-1] - 1
        return (q * last).where(self.isnan().any(-1, True).logical_not(), float(last))

    def _at_ranks(self, ranks: "Tensor", interpolation: str) -> "Tensor":
        """Return the elements of the last axis at places with fractions."""
        if interpolation in ("lower", "higher", "nearest"):
            whole = {"lower": ops.floor, "higher": ops.ceil, "nearest": ops.round}[interpolation]
            return self.gather(-1, self._apply(whole, ranks.detach()).to(np.int64))
        below = ranks.detach().floor()
        low = self.gather(-1, below.to(np.int64))
        high = self.gather(-1, ranks.detach().ceil().to(np.int64))
        return low.lerp(high, 0.5 if interpolation == "midpoint" else ranks - below)

    def cov(self, *, correction: int = 1, fweights: Any = None, aweights: Any = None) -> "Tensor":
        """Return the covariances of variables, which are rows; see `distgrad.cov`."""
        if self.ndim > 2 or self.dtype.kind == "b":
            raise RuntimeError(
                f"cov() takes a matrix of numbers, its rows the variables, got {self.dtype} of "
                f"shape {self.shape}"
            )
        x = self.reshape(1, -1) if self.ndim < 2 else self
        weights = x._weights(fweights, aweights)
        if weights is None:
            total: Any = x.shape[1]
            x, freedom = x._floating(), total - correction
            x = x - (x.sum(1, True) / total)
        else:
            total = weights.sum()
            x = x - (x * weights).sum(1, True) / total
            taken = total if aweights is None else (weights * aweights).sum()
            freedom = total - correction * taken / total
        if freedom <= 0:
            warnings.warn(
                f"cov(): correction={correction} leaves no degree of freedom", stacklevel=2
            )
            freedom = freedom * 0
        weighted = x if weights is None else x * weights
        covariances: Tensor = weighted.mm(x.mT).div(freedom)
        return covariances.squeeze()

    def _weights(self, fweights: Any, aweights: Any) -> Any:
        """Return the product of both kinds of weights, or None."""
        for name, weights, kinds in (("fweights", fweights, "iu"), ("aweights", aweights, "fV")):
            if weights is None:
                continue
            if (
                weights.ndim > 1
                or weights.numel() != self.shape[1]
                or weights.dtype.kind not in kinds
            ):
                kind = "whole numbers" if kinds == "iu" else "floating-point numbers"
                raise RuntimeError(
                    f"cov(): {name} must be {self.shape[1]} {kind}, one for each column, got "
                    f"{weights.dtype} of shape {weights.shape}"
                )
            if to_host((weights.data < 0).any()):
                raise RuntimeError(f"cov(): {name} must not be negative")
        if fweights is None or aweights is None:
            return aweights if fweights is None else fweights
        return fweights * aweights

    def corrcoef(self) -> "Tensor":
        """Return the correlations of variables, which are rows; see `distgrad.corrcoef`."""
        c = self.cov()
        if not c.ndim:
            return c / c
        deviation = c.diagonal().sqrt()
        return (c / deviation.unsqueeze(1) / deviation).clamp(-1, 1)
