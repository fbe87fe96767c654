"""`Sequential`: modules one after another."""

from collections import OrderedDict
from collections.abc import Iterable, Iterator
from typing import Any, Self, overload

from distgrad.nn.module import Module

__all__ = ["Sequential"]


class Sequential(Module):
    """Gives its input to the first module, that one's output to the second, and so on.

    Args:
        *args: The modules, which are named "0", "1", ...; or one OrderedDict of named modules.

    Example:
        >>> import distgrad as dg
        >>> from distgrad import nn
        >>> model = nn.Sequential(nn.Linear(2, 3), nn.ReLU())
        >>> model.append(nn.Linear(3, 1))
        Sequential(
          (0): Linear(in_features=2, out_features=3, bias=True)
          (1): ReLU()
          (2): Linear(in_features=3, out_features=1, bias=True)
        )
        >>> model(dg.zeros(5, 2)).shape, model[:2](dg.zeros(5, 2)).shape
        ((5, 1), (5, 3))
    """

    _modules: dict[str, Module]  # type: ignore[assignment]

    def __init__(self, *args: Any) -> None:
        super().__init__()
        if len(args) == 1 and isinstance(args[0], OrderedDict):
            named = args[0]
        else:
            named = OrderedDict((str(place), module) for place, module in enumerate(args))
        for name, module in named.items():
            self.add_module(name, module)

    def __len__(self) -> int:
        return len(self._modules)

    def __iter__(self) -> Iterator[Module]:
        return iter(self._modules.values())

    @overload
    def __getitem__(self, index: slice) -> Self: ...

    @overload
    def __getitem__(self, index: int) -> Module: ...

    def __getitem__(self, index: int | slice) -> Module:
        """Return one module, or for a slice a Sequential that shares these modules."""
        if isinstance(index, slice):
            return type(self)(OrderedDict(list(self._modules.items())[index]))
        return self._modules[self._name(index)]

    def __setitem__(self, index: int, module: Module) -> None:
        setattr(self, self._name(index), module)

    def __delitem__(self, index: int | slice) -> None:
        """Remove modules; those that stay are numbered anew."""
        names = list(self._modules)[index] if isinstance(index, slice) else [self._name(index)]
        kept = [module for name, module in self._modules.items() if name not in names]
        self._modules.clear()
        self.extend(kept)

    def _name(self, index: int) -> str:
        if not -len(self) <= index < len(self):
            raise IndexError(f"index {index} is out of range for {len(self)} modules")
        return list(self._modules)[index]

    def append(self, module: Module) -> Self:
        """Add a module at the end, under its number."""
        self.add_module(str(len(self)), module)
        return self

    def extend(self, modules: Iterable[Module]) -> Self:
        """Add modules at the end, in their order."""
        for module in list(modules):
            self.append(module)
        return self

    def forward(self, input: Any) -> Any:
        """Return the output of the last module."""
        for module in self:
            input = module(input)
        return input
