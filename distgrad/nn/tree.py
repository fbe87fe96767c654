"""`Tree`: walking over a module and all that stands below it, by dotted names."""

from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING, Any, Self, TypeVar

from distgrad.nn.parameter import Parameter
from distgrad.nn.registration import Registration
from distgrad.tensor import Tensor

if TYPE_CHECKING:
    from distgrad.nn.module import Module

__all__ = ["Tree", "join"]

T = TypeVar("T")


class Tree(Registration):
    """The part of `Module` that finds parameters, buffers and submodules."""

    _modules: "dict[str, Module | None]"  # type: ignore[assignment]

    def children(self) -> "Iterator[Module]":
        """Yield the direct submodules, each once."""
        return (module for _, module in self.named_children())

    def named_children(self) -> "Iterator[tuple[str, Module]]":
        """Yield (name, module) of the direct submodules, each module once."""
        return _unique((n, m) for n, m in self._modules.items() if m is not None)

    def modules(self, remove_duplicate: bool = True) -> "Iterator[Module]":
        """Yield the module itself and all modules below it, each once if ``remove_duplicate``."""
        return (module for _, module in self.named_modules(remove_duplicate=remove_duplicate))

    def named_modules(
        self, memo: "set[Module] | None" = None, prefix: str = "", remove_duplicate: bool = True
    ) -> "Iterator[tuple[str, Module]]":
        """Yield (dotted name, module) of the module itself and all modules below it.

        Args:
            memo: Modules that are left out; those that are yielded are added.
            prefix: What the names begin with.
            remove_duplicate: Yield a module that occurs several times once.
        """
        found = self._walk(prefix)
        return _unique(found, memo) if remove_duplicate else found

    def _walk(self, prefix: str) -> "Iterator[tuple[str, Module]]":
        yield prefix, self  # type: ignore[misc]  # a Module
        for name, module in self._modules.items():
            if module is not None:
                yield from module._walk(join(prefix, name))

    def parameters(self, recurse: bool = True) -> Iterator[Parameter]:
        """Yield the parameters, shared ones once; with ``recurse`` those of submodules too."""
        return (parameter for _, parameter in self.named_parameters(recurse=recurse))

    def named_parameters(
        self, prefix: str = "", recurse: bool = True, remove_duplicate: bool = True
    ) -> Iterator[tuple[str, Parameter]]:
        """Yield (dotted name, parameter).

        Args:
            prefix: What the names begin with.
            recurse: Whether submodules are visited.
            remove_duplicate: Yield a shared parameter once, under its first name.
        """
        found = self._members("_parameters", prefix, recurse)
        return _unique(found) if remove_duplicate else found

    def buffers(self, recurse: bool = True) -> Iterator[Tensor]:
        """Yield the buffers, shared ones once; with ``recurse`` those of submodules too."""
        return (buffer for _, buffer in self.named_buffers(recurse=recurse))

    def named_buffers(
        self, prefix: str = "", recurse: bool = True, remove_duplicate: bool = True
    ) -> Iterator[tuple[str, Tensor]]:
        """Yield (dotted name, buffer); the arguments are those of `named_parameters`."""
        found = self._members("_buffers", prefix, recurse)
        return _unique(found) if remove_duplicate else found

    def _members(self, registry: str, prefix: str, recurse: bool) -> Iterator[tuple[str, Any]]:
        for path, module in self._walk(prefix) if recurse else [(prefix, self)]:
            for name, value in getattr(module, registry).items():
                if value is not None:
                    yield join(path, name), value

    def apply(self, fn: "Callable[[Module], Any]") -> Self:
        """Call ``fn`` with every module below this one, children first, then with this one."""
        for module in self.children():
            module.apply(fn)
        fn(self)  # type: ignore[arg-type]  # a Module
        return self

    # One of them by its name

    def get_submodule(self, target: str) -> "Module":
        """Return the module of a dotted name; the module itself for an empty one.

        Raises:
            AttributeError: If there is none.

        Example:
            >>> from distgrad import nn
            >>> nn.Sequential(nn.Sequential(nn.ReLU(), nn.Tanh())).get_submodule("0.1")
            Tanh()
        """
        module: Any = self
        for name in target.split(".") if target else ():
            module = getattr(module, name)
            if not isinstance(module, Tree):
                raise AttributeError(f"`{name}` of {target!r} is not a Module")
        return module  # type: ignore[no-any-return]

    def set_submodule(self, target: str, module: "Module", strict: bool = False) -> None:
        """Put a module under a dotted name.

        Args:
            target: The name; what stands before its last dot is a module.
            module: What is put there.
            strict: Refuse a name that no module has so far.

        Raises:
            ValueError: If the name is empty, or ``module`` is no Module.
            AttributeError: If a module of the path does not exist; with ``strict`` also the last.
        """
        if not target:
            raise ValueError("set_submodule() needs the name of a submodule, got an empty one")
        if not isinstance(module, Tree):
            raise ValueError(f"set_submodule() takes a Module, got {type(module).__name__}")
        path, _, name = target.rpartition(".")
        parent = self.get_submodule(path)
        if strict or hasattr(parent, name):
            parent.get_submodule(name)
        setattr(parent, name, module)

    def get_parameter(self, target: str) -> Parameter:
        """Return the parameter of a dotted name.

        Raises:
            AttributeError: If there is none.
        """
        path, _, name = target.rpartition(".")
        value = getattr(self.get_submodule(path), name)
        if not isinstance(value, Parameter):
            raise AttributeError(f"`{name}` of {target!r} is not a Parameter")
        return value

    def get_buffer(self, target: str) -> Tensor:
        """Return the buffer of a dotted name.

        Raises:
            AttributeError: If there is none.
        """
        path, _, name = target.rpartition(".")
        module = self.get_submodule(path)
        value: Tensor = getattr(module, name)
        if name not in module._buffers:
            raise AttributeError(f"`{name}` of {target!r} is not a buffer")
        return value


def join(prefix: str, name: str) -> str:
    """Return a dotted name."""
    return f"{prefix}.{name}" if prefix else name


def _unique(named: Iterable[tuple[str, T]], memo: set[T] | None = None) -> Iterator[tuple[str, T]]:
    """Yield each object once, under the first of its names."""
    seen = {id(value) for value in memo or ()}
    for name, value in named:
        if id(value) not in seen:
            seen.add(id(value))
            if memo is not None:
                memo.add(value)
            yield name, value
