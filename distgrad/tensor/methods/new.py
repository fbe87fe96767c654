"""New tensors after the model of one: `Tensor.new_zeros` and its kin."""

from typing import TYPE_CHECKING, Any

from distgrad.backend import array_namespace
from distgrad.backend.dtypes import DType, data_type
from distgrad.tensor.device import check_device
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
        array = as_array(data, self._new_type(dtype, device))
        return self.of(array.copy()).requires_grad_(requires_grad)

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
        xp = array_namespace(self.data)
        array = filled(xp, lengths((size,)), fill_value, self._new_type(dtype, device))
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
        array = forgotten(
            array_namespace(self.data), lengths(sizes, size), self._new_type(dtype, device)
        )
        return self.of(array).requires_grad_(requires_grad)

    def _new_type(self, dtype: Any, device: Any) -> DType:
        check_device(device, self.device)
        return self.dtype if dtype is None else data_type(dtype)
