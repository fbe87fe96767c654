"""What a Tensor says of its array, and what all groups of methods build on."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from distgrad import ops
from distgrad.backend import Array
from distgrad.backend.devices import use_device
from distgrad.backend.dtypes import DEFAULT_FLOAT, DType, data_type, is_floating
from distgrad.tensor.arithmetic import pair
from distgrad.tensor.device import device as Device
from distgrad.tensor.device import device_of, names_device, present

if TYPE_CHECKING:
    from distgrad.tensor.tensor import Tensor

__all__ = ["OfArray"]


class OfArray:
    """Shape, data type, device, and conversion to another data type."""

    __slots__ = ()
    _apply: "Callable[..., Tensor]"
    _binary: "Callable[..., Tensor]"
    _product: "Callable[..., Tensor]"
    _promoted: "Callable[..., list[Any]]"
    of: "Callable[..., Tensor]"
    data: Array

    @property
    def shape(self) -> tuple[int, ...]:
        """The lengths of its axes."""
        return self.data.shape  # type: ignore[no-any-return]

    @property
    def dtype(self) -> DType:
        """The data type of its elements."""
        return self.data.dtype  # type: ignore[no-any-return]

    @property
    def ndim(self) -> int:
        """The number of axes."""
        return self.data.ndim  # type: ignore[no-any-return]

    @property
    def device(self) -> Device:
        """Where the elements lie: ``"cpu"``, or on a GPU ``"cuda:0"``."""
        return device_of(self.data)

    @property
    def is_cpu(self) -> bool:
        """Whether the elements lie in the memory of the machine."""
        return self.device.type == "cpu"

    @property
    def is_cuda(self) -> bool:
        """Whether the elements lie in the memory of a GPU."""
        return self.device.type == "cuda"

    @property
    def itemsize(self) -> int:
        """The bytes of an element."""
        return self.dtype.itemsize

    @property
    def nbytes(self) -> int:
        """The bytes of all elements."""
        return int(self.data.nbytes)

    def size(self, dim: int | None = None) -> Any:
        """Return the shape, or the length of one axis."""
        return self.shape if dim is None else self.shape[dim]

    def stride(self, dim: int | None = None) -> Any:
        """Return how many elements apart neighbours lie in memory, along each axis or one."""
        strides = tuple([step // self.itemsize for step in self.data.strides])
        return strides if dim is None else strides[dim]

    def dim(self) -> int:
        """Return the number of axes."""
        return self.ndim

    def ndimension(self) -> int:
        """Return the number of axes."""
        return self.ndim

    def numel(self) -> int:
        """Return the number of elements."""
        return int(self.data.size)

    def nelement(self) -> int:
        """Return the number of elements."""
        return self.numel()

    def element_size(self) -> int:
        """Return the bytes of an element."""
        return self.itemsize

    def data_ptr(self) -> int:
        """Return the address of the first element in memory."""
        if self.is_cuda:
            return int(self.data.data.ptr)
        return int(self.data.__array_interface__["data"][0])

    def is_floating_point(self) -> bool:
        """Tell whether the elements are floating-point numbers."""
        return is_floating(self.dtype)

    def is_complex(self) -> bool:
        """Tell whether the elements are complex numbers; they never are."""
        return False

    def is_signed(self) -> bool:
        """Tell whether the data type has negative numbers."""
        return self.dtype.kind == "i" or is_floating(self.dtype)

    def to(
        self,
        *target: Any,
        dtype: Any = None,
        device: Any = None,
        non_blocking: bool = False,  # noqa: ARG002  a hint to GPUs
        copy: bool = False,
    ) -> "Tensor":
        """Return the tensor in another data type or on another device, or itself where it is so.

        Gradients flow through it, back to the device on which the tensor lies.

        Args:
            *target: A data type, a device, a device and a data type, or a Tensor that has both;
                behind it ``non_blocking`` and ``copy``.
            dtype: The data type.
            device: The device; ``"cuda"`` is the GPU that the thread computes on.
            non_blocking: A hint without effect on the result.
            copy: Whether a copy is returned in any case.

        Raises:
            TypeError: If the data type is none, or is given twice.
            RuntimeError: If there is no such device.

        Example:
            >>> import distgrad as dg
            >>> dg.tensor([1, 2]).to(dg.float64)
            tensor([1., 2.], dtype=float64)
            >>> dg.tensor([1, 2]).to("cpu", dg.bool, copy=True)
            tensor([True, True])
        """
        if target:
            dtype, device, copy = _read_target(target, dtype, device, copy)
        wanted = self.dtype if dtype is None else data_type(dtype)
        if device is not None and (place := present(device)) != self.device:
            with use_device(self.device):  # which the thread need not compute on
                same = wanted == self.dtype
                converted = self if same else self._apply(ops.astype, self, dtype=wanted)
                return self._apply(ops.to_device, converted, device=place, origin=self.device)
        if wanted == self.dtype and not copy:
            return self  # type: ignore[return-value]  # nothing but Tensor has these methods
        return self._apply(ops.astype, self, dtype=wanted)

    def _pair(
        self, op: ops.Op, other: Any, floating: bool = False, reflected: bool = False
    ) -> "Tensor":
        """Run an op on the tensor and another operand, refusing what is not one."""
        operands = (other, self) if reflected else (self, other)
        result: Any = pair(op, floating)(*operands)
        if result is NotImplemented:
            raise TypeError(
                f"{op.name}() takes Tensors, arrays and numbers, got Tensor and "
                f"{type(other).__name__}"
            )
        return result  # type: ignore[no-any-return]

    @staticmethod
    def _array(name: str, operand: Any) -> None:
        """Refuse what is neither a Tensor nor an array."""
        if not hasattr(operand, "dtype"):
            raise TypeError(f"{name}() takes Tensors or arrays, got {type(operand).__name__}")

    def _number(self, name: str) -> "Tensor":
        """Return the tensor itself, refusing one of truth values."""
        if self.dtype.kind == "b":
            raise RuntimeError(f"{name}() takes numbers, not truth values; convert with .to()")
        return self  # type: ignore[return-value]  # nothing but Tensor has these methods

    def _only_floating(self, name: str) -> "Tensor":
        """Return the tensor itself, refusing one that is not of floating-point type."""
        if not is_floating(self.dtype):
            raise RuntimeError(
                f"{name}() takes a floating-point tensor, not {self.dtype}; convert with .to()"
            )
        return self  # type: ignore[return-value]  # nothing but Tensor has these methods

    def _floating(self) -> "Tensor":
        if self.data.dtype.kind == "f":
            return self  # type: ignore[return-value]  # nothing but Tensor has these methods
        return self.to(self.dtype if is_floating(self.dtype) else DEFAULT_FLOAT)

    def _axis(self, dim: int, room: int = 0) -> int:
        """Return an axis counted from the front, among those of the tensor and ``room`` more."""
        count = self.ndim + room
        if not -count <= dim < count and (dim, count) not in ((0, 0), (-1, 0)):
            raise IndexError(
                f"dim must be from {-count} to {count - 1} for a tensor of shape {self.shape}, "
                f"got {dim}"
            )
        return dim % (count or 1)

    def _axes(self, dim: Any) -> tuple[int, ...] | None:
        """Return axes counted from the front; None, for all, where ``dim`` names none."""
        if dim is None:
            return None
        axes = tuple([self._axis(d) for d in ((dim,) if hasattr(dim, "__index__") else dim)])
        if len(set(axes)) < len(axes):
            raise RuntimeError(f"dim names an axis twice: {dim} for a tensor of shape {self.shape}")
        return axes if axes and self.ndim else None


def _read_target(
    target: tuple[Any, ...], dtype: Any, device: Any, copy: bool
) -> tuple[Any, Any, bool]:
    """Return the data type, the device and ``copy`` that `to` was given by position and by name."""
    first, *rest = target
    by_position: Any = None
    if hasattr(first, "node"):
        by_position, device = first.dtype, first.device
    elif first is None or names_device(first):
        device = first
        if rest and not isinstance(rest[0], bool):
            by_position = rest.pop(0)
    else:
        by_position = first
    if len(rest) > 2 or (by_position is not None and dtype is not None):
        raise TypeError(
            "to() takes a data type, a device with or without one, or a Tensor, and then "
            f"non_blocking and copy; got {target} and dtype={dtype}"
        )
    return (
        dtype if by_position is None else by_position,
        device,
        rest[1] if len(rest) == 2 else copy,
    )
