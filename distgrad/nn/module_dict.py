"""`ModuleDict`: modules by name."""

from collections.abc import ItemsView, Iterable, Iterator, KeysView, Mapping, ValuesView

from distgrad.nn.module import Module
from distgrad.nn.pairs import pairs_of

__all__ = ["ModuleDict"]


class ModuleDict(Module):
    """Modules by name, in the order in which they came.

    Args:
        modules: The modules at first: a mapping, or pairs of a name and a module. Default: none.

    Example:
        >>> from distgrad import nn
        >>> choices = nn.ModuleDict({"relu": nn.ReLU(), "tanh": nn.Tanh()})
        >>> choices["relu"], list(choices)
        (ReLU(), ['relu', 'tanh'])
    """

    _modules: dict[str, Module]  # type: ignore[assignment]

    def __init__(
        self, modules: Mapping[str, Module] | Iterable[tuple[str, Module]] | None = None
    ) -> None:
        super().__init__()
        if modules is not None:
            self.update(modules)

    def __getitem__(self, key: str) -> Module:
        return self._modules[key]

    def __setitem__(self, key: str, module: Module) -> None:
        self.add_module(key, module)

    def __delitem__(self, key: str) -> None:
        del self._modules[key]

    def __len__(self) -> int:
        return len(self._modules)

    def __iter__(self) -> Iterator[str]:
        return iter(self._modules)

    def __contains__(self, key: str) -> bool:
        return key in self._modules

    def clear(self) -> None:
        """Remove all modules."""
        self._modules.clear()

    def pop(self, key: str) -> Module:
        """Remove a module, and return it."""
        return self._modules.pop(key)

    def keys(self) -> KeysView[str]:
        """Return the names."""
        return self._modules.keys()

    def items(self) -> ItemsView[str, Module]:
        """Return the names with their modules."""
        return self._modules.items()

    def values(self) -> ValuesView[Module]:
        """Return the modules."""
        return self._modules.values()

    def update(self, modules: "Mapping[str, Module] | Iterable[tuple[str, Module]]") -> None:
        """Add modules, in place of those of the same names.

        Raises:
            TypeError: If they are neither in a mapping nor in pairs.
            ValueError: If something else than a pair is among the pairs.
        """
        for key, module in pairs_of("ModuleDict", modules):
            self[key] = module
