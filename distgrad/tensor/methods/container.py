"""A Tensor as Python's containers are: length, iteration, membership, text."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from distgrad.tensor.methods.interchange import Interchange
from distgrad.tensor.printing import text_of

if TYPE_CHECKING:
    from distgrad.tensor.tensor import Tensor

__all__ = ["Container"]


class Container(Interchange):
    """The tensors along the first axis, in order."""

    __slots__ = ()

    if TYPE_CHECKING:

        def __getitem__(self, index: Any) -> Tensor: ...

        def flip(self, *dims: Any) -> Tensor:
            """See `distgrad.Tensor.flip`."""

    def __len__(self) -> int:
        if not self.ndim:
            raise TypeError("len() of a 0-d tensor")
        return self.shape[0]

    def __iter__(self) -> Iterator["Tensor"]:
        return (self[i] for i in range(len(self)))

    def __reversed__(self) -> "Tensor":
        return self.flip(0) if self.ndim else self  # type: ignore[return-value]

    def __contains__(self, element: Any) -> bool:
        if not isinstance(element, int | float) and not hasattr(element, "dtype"):
            raise RuntimeError(
                f"a tensor contains numbers; ask for a number or a tensor, not for a "
                f"{type(element).__name__}"
            )
        return bool((self == element).any())

    def __repr__(self) -> str:
        return text_of(self)

    def __format__(self, spec: str) -> str:
        if not self.ndim:
            return format(self.item(), spec)
        if spec:
            raise TypeError(
                f"{spec!r} formats one number, this tensor has shape {self.shape}; use tolist(), "
                "or print it as it is"
            )
        return repr(self)
