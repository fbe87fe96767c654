"""Modules in a list: `Sequential`, one after another, and `ModuleList`."""

from collections import OrderedDict
from collections.abc import Iterable, Iterator
from itertools import chain, groupby
from typing import Any, Self, overload

from distgrad.nn.module import Module

__all__ = ["ModuleList", "Sequential"]


class _Numbered(Module):
    """Modules in a list, which are named by their numbers unless they were given names."""

    _modules: dict[str, Module]  # type: ignore[assignment]

    def __len__(self) -> int:
        return len(self._modules)

    def __iter__(self) -> Iterator[Module]:
        return iter(self._modules.values())

    @overload
    def __getitem__(self, index: slice) -> Self: ...

    @overload
    def __getitem__(self, index: int) -> Module: ...

    def __getitem__(self, index: int | slice) -> Module:
        """Return one module, or for a slice a container that shares these modules."""
        if isinstance(index, slice):
            return self._part(index)
        return self._modules[self._name(index)]

    def _part(self, index: slice) -> Self:
        raise NotImplementedError

    def __setitem__(self, index: int, module: Module) -> None:
        setattr(self, self._name(index), module)

    def __delitem__(self, index: int | slice) -> None:
        """Remove modules; those that stay are numbered anew."""
        names = list(self._modules)[index] if isinstance(index, slice) else [self._name(index)]
        self._number(module for name, module in self._modules.items() if name not in names)

    def _number(self, modules: Iterable[Module]) -> None:
        modules = list(modules)
        self._modules.clear()
        self.extend(modules)

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
        if not isinstance(modules, Iterable):
            raise TypeError(
                f"{type(self).__name__}.extend() takes several modules, got "
                f"{type(modules).__name__}; append() takes one"
            )
        for module in list(modules):
            self.append(module)
        return self

    def insert(self, index: int, module: Module) -> Self:
        """Put a module in front of the one at ``index``; all are numbered anew."""
        if not isinstance(module, Module):
            raise TypeError(f"insert() takes a Module, got {type(module).__name__}")
        if not -len(self) <= index <= len(self):
            raise IndexError(f"index {index} is out of range to insert among {len(self)} modules")
        modules = list(self)
        modules.insert(index, module)
        self._number(modules)
        return self

    def pop(self, key: int | slice) -> Module:
        """Remove modules as ``del`` does, and return them."""
        removed = self[key]
        del self[key]
        return removed


class Sequential(_Numbered):
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
        >>> len(model + nn.Sequential(nn.Tanh())), len(model * 2)
        (4, 6)
    """

    def __init__(self, *args: Any) -> None:
        super().__init__()
        if len(args) == 1 and isinstance(args[0], OrderedDict):
            named = args[0]
        else:
            named = OrderedDict((str(place), module) for place, module in enumerate(args))
        for name, module in named.items():
            self.add_module(name, module)

    def _part(self, index: slice) -> Self:
        return type(self)(OrderedDict(list(self._modules.items())[index]))

    def __add__(self, other: "Sequential") -> "Sequential":
        """Return a Sequential of the modules of both, numbered anew."""
        return Sequential(*self, *_only_sequential(other))

    def __iadd__(self, other: "Sequential") -> Self:
        return self.extend(_only_sequential(other))

    def __mul__(self, other: int) -> "Sequential":
        """Return the same modules several times over."""
        return Sequential(*list(self) * _times(other))

    __rmul__ = __mul__

    def __imul__(self, other: int) -> Self:
        return self.extend(list(self) * (_times(other) - 1))

    def forward(self, input: Any) -> Any:
        """Return the output of the last module."""
        for module in self:
            input = module(input)
        return input


def _only_sequential(other: Any) -> Sequential:
    if not isinstance(other, Sequential):
        raise ValueError(f"only a Sequential can be added to one, got {type(other).__name__}")
    return other


def _times(number: Any) -> int:
    if not isinstance(number, int):
        raise TypeError(f"a Sequential is multiplied by an integer, got {type(number).__name__}")
    if number < 1:
        raise ValueError(f"a Sequential is multiplied by a positive integer, got {number}")
    return number


class ModuleList(_Numbered):
    """Modules in a list; what is computed with them is up to the module that holds it.

    Args:
        modules: The modules at first. Default: none.

    Example:
        >>> from distgrad import nn
        >>> layers = nn.ModuleList(nn.Linear(2, 2) for _ in range(3))
        >>> layers
        ModuleList(
          (0-2): 3 x Linear(in_features=2, out_features=2, bias=True)
        )
        >>> list(layers[1:].state_dict())
        ['0.weight', '0.bias', '1.weight', '1.bias']
    """

    def __init__(self, modules: Iterable[Module] | None = None) -> None:
        super().__init__()
        if modules is not None:
            self.extend(modules)

    def _part(self, index: slice) -> Self:
        return type(self)(list(self)[index])

    def __add__(self, other: Iterable[Module]) -> "ModuleList":
        """Return a list of the modules of both."""
        return ModuleList(chain(self, other))

    def __iadd__(self, modules: Iterable[Module]) -> Self:
        return self.extend(modules)

    def __repr__(self) -> str:
        lines = []
        first = 0
        for text, alike in groupby(repr(module) for module in self):
            count = len(list(alike))
            last = first + count - 1
            line = f"({first}-{last}): {count} x {text}" if count > 1 else f"({first}): {text}"
            lines.append(line.replace("\n", "\n  "))
            first = last + 1
        name = type(self).__name__
        return f"{name}(\n  " + "\n  ".join(lines) + "\n)" if lines else f"{name}()"
