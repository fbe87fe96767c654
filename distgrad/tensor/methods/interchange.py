"""The ways out of the engine: arrays, Python numbers, DLPack."""

from typing import TYPE_CHECKING, Any

import numpy as np

from distgrad.backend import Array, to_host
from distgrad.backend.dtypes import is_floating
from distgrad.backend.listening import unrepeatable
from distgrad.tensor.methods.array import OfArray

__all__ = ["Interchange"]


class Interchange(OfArray):
    """What other libraries and Python's own functions take a Tensor for."""

    __slots__ = ()

    if TYPE_CHECKING:
        requires_grad: bool

    def numpy(self, *, force: bool = False) -> Array:
        """Return the array itself, not a copy.

        Args:
            force: Whether the array of a tensor that requires a gradient is returned too, and of
                one on a GPU a copy.

        Raises:
            RuntimeError: If the tensor requires a gradient and ``force`` is not set.
            TypeError: If it lies on a GPU and ``force`` is not set.
        """
        if self.requires_grad and not force:
            raise RuntimeError(
                "this tensor requires a gradient; use tensor.detach().numpy(), or "
                "tensor.numpy(force=True)"
            )
        if not (self.is_cpu or force):
            raise TypeError(
                f"a tensor on {self.device} is no array of NumPy; copy it with tensor.cpu().numpy()"
            )
        return to_host(self.data)

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> Array:
        return np.array(self.numpy(), dtype, copy=copy)

    def __dlpack__(
        self,
        *,
        stream: Any = None,
        max_version: tuple[int, int] | None = None,
        dl_device: tuple[int, int] | None = None,
        copy: bool | None = None,
    ) -> Any:
        """Return a capsule through which another library shares the memory; see `from_dlpack`.

        Raises:
            BufferError: If the tensor requires a gradient, or the other library does not know the
                version of the protocol that marks memory as read-only, which this is.
        """
        if self.requires_grad:
            raise BufferError(
                "a tensor that requires a gradient is not exported: what happens outside is not "
                "recorded; use tensor.detach()"
            )
        unrepeatable("another library is given a Tensor")
        return self.data.__dlpack__(
            stream=stream, max_version=max_version, dl_device=dl_device, copy=copy
        )

    def __dlpack_device__(self) -> tuple[int, int]:
        return self.data.__dlpack_device__()  # type: ignore[no-any-return]

    def item(self) -> Any:
        """Return the only element as a Python number.

        Raises:
            RuntimeError: If there is not exactly one element.
        """
        return self._one(RuntimeError)

    def _one(self, error: type[Exception]) -> Any:
        if self.numel() != 1:
            raise error(
                f"only a tensor of 1 element is a number, this one has {self.numel()} and shape "
                f"{self.shape}; use tolist(), or choose an element"
            )
        return to_host(self.data).item()

    def tolist(self) -> Any:
        """Return the elements as nested lists of Python numbers; of a 0-d tensor its number."""
        return to_host(self.data).tolist()

    def __float__(self) -> float:
        return float(self._one(ValueError))

    def __int__(self) -> int:
        return int(self._one(ValueError))

    def __complex__(self) -> complex:
        return complex(self._one(ValueError))

    def __index__(self) -> int:
        if is_floating(self.dtype) or self.numel() != 1:
            raise TypeError(
                "only an integer tensor of 1 element can be an index, not one of "
                f"{self.dtype} and shape {self.shape}"
            )
        return int(self.item())

    def __bool__(self) -> bool:
        if self.numel() != 1:
            raise RuntimeError(
                f"the truth of a tensor of {self.numel()} elements is ambiguous; "
                "use .any() or .all()"
            )
        return bool(self.item())
