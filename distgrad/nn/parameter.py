"""`Parameter` and `Buffer`: Tensors that a `Module` registers when they are assigned to it."""

from typing import Any

from distgrad.tensor import Tensor

__all__ = ["Buffer", "Parameter"]


class Parameter(Tensor):
    """A Tensor that is learned: a leaf that asks for a gradient.

    Args:
        data: The initial values, an array or a Tensor; wrapped, not copied.
        requires_grad: Whether a gradient is wanted; False freezes the parameter.

    Raises:
        RuntimeError: If a gradient is asked for data that is not of floating-point type.

    Example:
        >>> import distgrad as dg
        >>> dg.nn.Parameter(dg.ones(2))
        Parameter containing:
        tensor([1., 1.], requires_grad=True)
    """

    __slots__ = ()

    def __init__(self, data: Any, requires_grad: bool = True) -> None:
        super().__init__(data, requires_grad)

    def __repr__(self) -> str:
        return f"Parameter containing:\n{super().__repr__()}"

    def __deepcopy__(self, memo: dict[int, Any]) -> "Parameter":
        result: Any = super().__deepcopy__(memo)
        result.grad = None  # as in PyTorch: a copied model is one that has not been trained on
        return result  # type: ignore[no-any-return]


class Buffer(Tensor):
    """A Tensor that belongs to a module's state but is not learned.

    Assigned to an attribute it is registered, as `Module.register_buffer` does.

    Args:
        data: The values, an array or a Tensor; wrapped, not copied.
        persistent: Whether `Module.state_dict` holds it.

    Example:
        >>> import distgrad as dg
        >>> module = dg.nn.Module()
        >>> module.mean = dg.nn.Buffer(dg.zeros(2))
        >>> module.mean = dg.ones(2)
        >>> module.state_dict()
        {'mean': tensor([1., 1.])}
    """

    __slots__ = ("persistent",)

    def __init__(self, data: Any, *, persistent: bool = True) -> None:
        super().__init__(data)
        self.persistent = persistent
