"""`Convertible`: parameters and buffers in another data type or on another device."""

from collections.abc import Callable
from typing import Any, Self

import numpy as np

from distgrad.backend.dtypes import is_floating
from distgrad.nn.state import Stateful
from distgrad.tensor import Tensor

__all__ = ["Convertible"]


class Convertible(Stateful):
    """The part of `Module` that converts what it holds.

    Parameters stay the same objects with another array, as in PyTorch. Convert before an optimizer
    or `DataParallel` is made of them.
    """

    def to(self, *args: Any, **kwargs: Any) -> Self:
        """Convert floating-point parameters and buffers, and their gradients, in place.

        The arguments are those of `Tensor.to`: a data type, a device, or a Tensor that has both.
        Integers, such as counts, keep their data type.

        Raises:
            TypeError: If the data type is not a floating-point one.

        Example:
            >>> import distgrad as dg
            >>> layer = dg.nn.BatchNorm1d(2).to(dg.float64)
            >>> [str(tensor.dtype) for tensor in layer.state_dict().values()]
            ['float64', 'float64', 'float64', 'float64', 'int64']
        """
        probe = Tensor(np.zeros(0, np.float32)).to(*args, **kwargs)
        if not is_floating(probe.dtype):
            raise TypeError(
                f"Module.to() takes a floating-point data type, got {probe.dtype}; type() converts "
                "to any"
            )

        def converted(tensor: Tensor) -> Tensor:
            if is_floating(tensor.dtype):
                return tensor.to(*args, **kwargs)
            return tensor.to(tensor.new_zeros(0, dtype=np.float32).to(*args, **kwargs).device)

        return self._convert(converted)

    def cpu(self) -> Self:
        """Move parameters and buffers into the memory of the machine."""
        return self.to("cpu")

    def cuda(self, device: Any = None) -> Self:
        """Move parameters and buffers to a GPU, by default that which the thread computes on.

        Raises:
            RuntimeError: If there is no such GPU.
        """
        return self.to(Tensor(np.zeros(0, np.float32)).cuda(device).device)

    def type(self, dst_type: Any) -> Self:
        """Convert all parameters and buffers to a data type, integers too.

        Raises:
            RuntimeError: If a parameter requires a gradient, which the data type does not have.
        """
        return self._convert(lambda tensor: tensor.to(dst_type))

    def float(self) -> Self:
        """Convert floating-point parameters and buffers to float32."""
        return self.to(dtype=np.float32)

    def double(self) -> Self:
        """Convert floating-point parameters and buffers to float64."""
        return self.to(dtype=np.float64)

    def half(self) -> Self:
        """Convert floating-point parameters and buffers to float16."""
        return self.to(dtype=np.float16)

    def bfloat16(self) -> Self:
        """Convert floating-point parameters and buffers to bfloat16.

        Raises:
            UsageError: If ``ml_dtypes`` is not installed.
        """
        return self.to(dtype="bfloat16")

    def _convert(self, convert: Callable[[Tensor], Tensor]) -> Self:
        tensors = [*self.parameters(), *self.buffers()]
        # All are converted before one is changed: an error leaves the module as it was.
        pairs = [(tensor, convert(tensor.detach())) for tensor in tensors]
        for tensor, result in pairs:
            if tensor.requires_grad and not is_floating(result.dtype):
                raise RuntimeError(
                    f"a parameter of shape {tensor.shape} requires a gradient, which "
                    f"{result.dtype} does not have; call requires_grad_(False) first"
                )
        for tensor, result in pairs:
            if result.data is not tensor.data:
                tensor.data = result.data
                tensor.bump_version()
            if tensor.grad is not None:
                tensor.grad = convert(tensor.grad.detach())
        return self
