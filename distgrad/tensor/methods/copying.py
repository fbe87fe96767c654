"""Copies of leaves: shallow, deep, and through pickle."""

from copy import deepcopy
from typing import TYPE_CHECKING, Any

from distgrad.backend.listening import unrepeatable
from distgrad.tensor.methods.array import OfArray

if TYPE_CHECKING:
    from distgrad.tensor.tensor import Tensor

__all__ = ["Copying"]


class Copying(OfArray):
    """What Python's ``copy`` and ``pickle`` ask for.

    The graph stays behind: the copy of a tensor that was computed is a leaf. Hooks do not come
    along either, and of gradients only the deep copy has one.
    """

    __slots__ = ()

    if TYPE_CHECKING:
        requires_grad: bool

    def __getstate__(self) -> tuple[Any, bool, dict[str, Any]]:
        unrepeatable("a Tensor is copied or pickled")
        return self.data, self.requires_grad, self._attributes()

    def _blank(self) -> "Tensor":
        kind: Any = type(self)
        return kind.__new__(kind)  # type: ignore[no-any-return]

    def _attributes(self) -> dict[str, Any]:
        """Return what a subclass keeps beside the tensor, in slots or not."""
        added = [name for kind in type(self).__mro__ for name in _slots_of(kind)]
        kept = {name: getattr(self, name) for name in added if hasattr(self, name)}
        return kept | getattr(self, "__dict__", {})

    def __copy__(self) -> "Tensor":
        source: Any = self
        result = self._blank()
        result.__setstate__(source.__getstate__())
        result.version = source.version  # the memory is the same
        return result

    def __deepcopy__(self, memo: dict[int, Any]) -> "Tensor":
        source: Any = self
        if not source.is_leaf:
            raise RuntimeError(
                "only a leaf can be copied deeply, and this tensor was computed by "
                f"{source.grad_fn!r}; copy its detach() or clone()"
            )
        unrepeatable("a Tensor is copied or pickled")
        result = self._blank()
        result.__setstate__((deepcopy(source.data, memo), source.requires_grad, {}))
        memo[id(source)] = result
        # Tensors that share an array share its copy, and so the count of its changes.
        result.version = memo.setdefault(id(source.version), result.version)
        result.grad = deepcopy(source.grad, memo)
        for name, value in self._attributes().items():
            setattr(result, name, deepcopy(value, memo))
        return result


def _slots_of(kind: type) -> tuple[str, ...]:
    if kind.__module__.startswith("distgrad.tensor."):
        return ()
    slots = kind.__dict__.get("__slots__", ())
    return (slots,) if isinstance(slots, str) else tuple(slots)
