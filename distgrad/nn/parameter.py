"""`Parameter`: a Tensor that a `Module` registers when it is assigned to an attribute."""

from typing import Any

from distgrad.tensor import Tensor

__all__ = ["Parameter"]


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
        super().__init__(data.data if isinstance(data, Tensor) else data, requires_grad)

    def __repr__(self) -> str:
        return f"Parameter containing:\n{super().__repr__()}"
