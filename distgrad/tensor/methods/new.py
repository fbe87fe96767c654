"""New tensors after the model of one: `Tensor.new_zeros` and its kin."""

from typing import TYPE_CHECKING, Any

import numpy as np

from distgrad.backend.dtypes import DType, data_type
from distgrad.tensor.device import made_on, placed
from distgrad.tensor.methods.array import OfArray
from distgrad.tensor.values import as_array, filled, forgotten, lengths

if TYPE_CHECKING:
    from distgrad.tensor.tensor import Tensor

__all__ = ["New"]


class New(OfArray):
    """Tensors with this one's data type, unless another is asked for, on its device."""

    __slots__ = ()

    def new_tensor(
        self, data: Any, *, dtype: Any = None, device: Any = None, requires_grad: bool = False
    ) -> "Tensor":
        """Make a tensor of a copy of ``data``; see `distgrad.tensor`.

        Example:
            >>> import distgrad as dg
            >>> dg.ones(2, dtype=dg.int8).new_tensor([1.5, 2])
            tensor([1, 2], dtype=int8)
        """
        array = placed(as_array(data, self._new_type(dtype)).copy(), self._place(device))
        return self.of(array).requires_grad_(requires_grad)

    def new_full(
        self,
        size: Any,
        fill_value: Any,
        *,
        dtype: Any = None,
        device: Any = None,
        requires_grad: bool = False,
    ) -> "Tensor":
        """Make a tensor of one repeated value; see `distgrad.full`."""
        shape, wanted = lengths((size,)), self._new_type(dtype)
        array = made_on(self._place(device), filled, shape, fill_value, wanted)
        return self.of(array).requires_grad_(requires_grad)

    def new_zeros(
        self,
        *sizes: Any,
        size: Any = None,
        dtype: Any = None,
        device: Any = None,
        requires_grad: bool = False,
    ) -> "Tensor":
        """Make a tensor of zeros; sizes one by one or as a tuple."""
        return self.new_full(
            lengths(sizes, size), 0, dtype=dtype, device=device, requires_grad=requires_grad
        )

    def new_ones(
        self,
        *sizes: Any,
        size: Any = None,
        dtype: Any = None,
        device: Any = None,
        requires_grad: bool = False,
    ) -> "Tensor":
        """Make a tensor of ones; sizes one by one or as a tuple."""
        return self.new_full(
            lengths(sizes, size), 1, dtype=dtype, device=device, requires_grad=requires_grad
        )

    def new_empty(
        self,
        *sizes: Any,
        size: Any = None,
        dtype: Any = None,
        device: Any = None,
        requires_grad: bool = False,
    ) -> "Tensor":
        """Make a tensor to be written; until then it holds nan, or the largest integer."""
        shape, wanted = lengths(sizes, size), self._new_type(dtype)
        array = made_on(self._place(device), forgotten, shape, wanted)
        return self.of(array).requires_grad_(requires_grad)

    def _new_type(self, dtype: Any) -> DType:
        return self.dtype if dtype is None else data_type(dtype)

    def _place(self, device: Any) -> Any:
        """Return the device of a new tensor; None is the CPU."""
        if device is None and type(self.data) is not np.ndarray:
            return self.device
        return device
