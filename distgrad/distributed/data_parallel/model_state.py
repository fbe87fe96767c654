"""What a recorded micro-batch takes for granted of a model."""

from collections.abc import Sequence
from copy import copy
from operator import is_
from typing import Any

from distgrad.autograd.hooks import Hooks
from distgrad.backend.kernels import kernels_in_use
from distgrad.nn import Module
from distgrad.tensor import Tensor

__all__ = ["ModelState"]


class ModelState:
    """The attributes of all modules, and where parameters and buffers lie, at one moment.

    Args:
        module: The model.
        parameters: Its parameters.
        others: What else must stay as it is.
    """

    def __init__(self, module: Module, parameters: Sequence[Tensor], others: Any) -> None:
        self._others = others
        self._attributes = [vars(part) for part in module.modules()]
        self._kept = [_copied(attributes) for attributes in self._attributes]
        self.tensors = [*parameters, *module.buffers()]
        self._arrays = [tensor.data for tensor in self.tensors]
        self._nodes = [tensor.node for tensor in self.tensors]
        self._leaves = [node for node in self._nodes if node is not None]
        self._kernels = kernels_in_use()

    def has_hooks(self) -> bool:
        """Tell whether functions of the user's look at what passes."""
        of_modules = any(
            isinstance(value, Hooks) and value
            for attributes in self._attributes
            for value in attributes.values()
        )
        return of_modules or any(leaf.asked is not None for leaf in self._leaves)

    def holds(self, others: Any) -> bool:
        """Tell whether everything is still as it was."""
        try:
            return (
                others == self._others
                and all(map(is_, [tensor.data for tensor in self.tensors], self._arrays))
                and all(map(is_, [tensor.node for tensor in self.tensors], self._nodes))
                and not any(leaf.asked for leaf in self._leaves)
                and self._attributes == self._kept
                and kernels_in_use() == self._kernels
            )
        except (RuntimeError, ValueError):  # Tensors and arrays that are others now
            return False


def _copied(attributes: dict[str, Any]) -> dict[str, Any]:
    """Return the attributes of a module, what it keeps in lists, sets and dictionaries too."""
    return {
        name: copy(value) if isinstance(value, dict | list | set) else value
        for name, value in attributes.items()
    }
