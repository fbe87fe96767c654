"""Which elements there are, and where they stand; without gradients."""

from typing import TYPE_CHECKING, Any

from distgrad.backend import array_namespace
from distgrad.backend.listening import unrepeatable
from distgrad.tensor.methods.axes import Axes

if TYPE_CHECKING:
    from distgrad.tensor.tensor import Tensor

__all__ = ["Finding"]


class Finding(Axes):
    """Places of what is not 0, and distinct elements."""

    __slots__ = ()
    if TYPE_CHECKING:

        @staticmethod
        def of(data: Any) -> Tensor: ...  # noqa: D102

    def nonzero(self, *, as_tuple: bool = False) -> Any:
        """Return the places of what is not 0, (n, axes); or an index for each axis."""
        unrepeatable("how many elements nonzero finds depends on values")
        xp = array_namespace(self.data)
        if as_tuple:
            return tuple(self.of(places) for places in xp.nonzero(xp.atleast_1d(self.data)))
        return self.of(xp.argwhere(self.data))

    def argwhere(self) -> "Tensor":
        """Return the places of what is not 0, (n, axes)."""
        return self.nonzero()  # type: ignore[no-any-return]

    def unique(
        self,
        sorted: bool = True,  # noqa: ARG002 (they are so in either case)
        return_inverse: bool = False,
        return_counts: bool = False,
        dim: int | None = None,
    ) -> Any:
        """Return the distinct elements in order; see `distgrad.unique`."""
        unrepeatable("how many elements unique finds depends on values")
        axis = None if dim is None else self._axis(dim)
        values, inverse, counts = array_namespace(self.data).unique(
            self.data, return_inverse=True, return_counts=True, axis=axis, equal_nan=False
        )
        inverse = inverse.reshape(self.shape if axis is None else -1)
        return self._distinct(values, inverse, counts, return_inverse, return_counts)

    def unique_consecutive(
        self, return_inverse: bool = False, return_counts: bool = False, dim: int | None = None
    ) -> Any:
        """Return the first of each run of equal elements; see `distgrad.unique_consecutive`."""
        unrepeatable("how many elements unique_consecutive finds depends on values")
        xp = array_namespace(self.data)
        lines = self.data.reshape(-1) if dim is None else xp.moveaxis(self.data, dim, 0)
        differs = lines[1:] != lines[:-1]
        begins = xp.ones(len(lines), bool)
        begins[1:] = differs.any(axis=tuple(range(1, differs.ndim)))
        starts = xp.flatnonzero(begins)
        values = lines[starts] if dim is None else xp.moveaxis(lines[starts], 0, dim)
        inverse = xp.cumsum(begins) - 1
        inverse = inverse.reshape(self.shape) if dim is None else inverse
        counts = xp.diff(starts, append=len(lines))
        return self._distinct(values, inverse, counts, return_inverse, return_counts)

    def _distinct(
        self, values: Any, inverse: Any, counts: Any, with_inverse: bool, with_counts: bool
    ) -> Any:
        result = [self.of(values)]
        result += [self.of(inverse)] if with_inverse else []
        result += [self.of(counts)] if with_counts else []
        return tuple(result) if len(result) > 1 else result[0]
