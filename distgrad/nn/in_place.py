"""`InPlace`: layers that may change their input itself."""

from typing import ClassVar

from distgrad.nn.module import Module

__all__ = ["InPlace"]


class InPlace(Module):
    """Base of layers with PyTorch's argument ``inplace``.

    Args:
        inplace: Give the input itself the result. Default: False.
    """

    _arguments: ClassVar[tuple[str, ...]] = ()
    """The arguments that ``repr`` shows."""

    def __init__(self, inplace: bool = False) -> None:
        super().__init__()
        self.inplace = inplace

    def extra_repr(self) -> str:
        """Return the arguments, and whether the input is changed."""
        shown = [f"{name}={getattr(self, name)}" for name in self._arguments]
        return ", ".join([*shown, "inplace=True"] if self.inplace else shown)
