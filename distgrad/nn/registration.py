"""`Registration`: attributes that are parameters, buffers and modules are kept in registries."""

from typing import Any

from distgrad.nn.parameter import Buffer, Parameter
from distgrad.tensor import Tensor

__all__ = ["Registration"]

_REGISTRIES = {"parameter": "_parameters", "buffer": "_buffers", "module": "_modules"}


class Registration:
    """The part of `Module` that looks at what is assigned to an attribute.

    A Parameter, a Buffer or a module is registered under the attribute's name, and so is a Tensor
    once `register_buffer` has named it; everything else is an ordinary attribute.
    """

    _parameters: dict[str, Parameter | None]
    _buffers: dict[str, Tensor | None]
    _modules: dict[str, "Registration | None"]
    _transient_buffers: set[str]

    def __init__(self) -> None:
        self._parameters = {}
        self._buffers = {}
        self._modules = {}
        self._transient_buffers = set()

    def register_parameter(self, name: str, param: Parameter | None) -> None:
        """Register a parameter under a name; None keeps the name without a parameter.

        Raises:
            AttributeError: Before ``Module.__init__()`` was called.
            TypeError: If ``param`` is neither a Parameter nor None.
            KeyError: If the name is taken, is empty or contains a dot.
        """
        self._register("parameter", name, param)

    def register_buffer(self, name: str, tensor: Tensor | None, persistent: bool = True) -> None:
        """Register a Tensor that belongs to the module's state but is not learned.

        Args:
            name: The attribute under which it is reached.
            tensor: The buffer; None keeps the name without one.
            persistent: Whether `state_dict` holds it.

        Raises:
            AttributeError: Before ``Module.__init__()`` was called.
            TypeError: If ``tensor`` is neither a Tensor nor None.
            KeyError: If the name is taken, is empty or contains a dot.
        """
        self._register("buffer", name, tensor)
        if persistent:
            self._transient_buffers.discard(name)
        else:
            self._transient_buffers.add(name)

    def add_module(self, name: str, module: "Registration | None") -> None:
        """Register a submodule under a name; None keeps the name without a module.

        Raises:
            AttributeError: Before ``Module.__init__()`` was called.
            TypeError: If ``module`` is neither a Module nor None.
            KeyError: If the name is taken, is empty or contains a dot.
        """
        self._register("module", name, module)

    def register_module(self, name: str, module: "Registration | None") -> None:
        """Register a submodule; another name of `add_module`."""
        self.add_module(name, module)

    def _register(self, kind: str, name: str, value: Any) -> None:
        registry = self.__dict__.get(_REGISTRIES[kind])
        if registry is None:
            raise AttributeError(f"cannot assign a {kind} before Module.__init__() was called")
        if not name or "." in name:
            raise KeyError(f'{kind} name must be non-empty and without ".", got "{name}"')
        if name not in registry and hasattr(self, name):
            raise KeyError(f"attribute '{name}' already exists")
        accepted, called = _ACCEPTED[kind]
        if value is not None and not isinstance(value, accepted):
            raise TypeError(
                f"cannot assign '{type(value).__name__}' object to {kind} '{name}' "
                f"({called} or None required)"
            )
        registry[name] = value

    def __setattr__(self, name: str, value: Any) -> None:
        kind = self._kind_of(name, value)
        if kind is None:
            super().__setattr__(name, value)
            return
        if name not in self.__dict__.get(_REGISTRIES[kind], {}):
            self.__dict__.pop(name, None)
            self._forget(name)
        if kind == "buffer":
            lasting = name not in self._transient_buffers
            self.register_buffer(
                name, value, value.persistent if isinstance(value, Buffer) else lasting
            )
        elif kind == "module":
            self.add_module(name, value)
        else:
            self.register_parameter(name, value)

    def _kind_of(self, name: str, value: Any) -> str | None:
        """Say what an assignment registers: by the value's type, else as the name is known."""
        if isinstance(value, Parameter):
            return "parameter"
        known = self._registered_as(name)
        if isinstance(value, Registration) and known != "parameter":
            return "module"
        if isinstance(value, Buffer) and known is None:
            return "buffer"
        return known

    def _registered_as(self, name: str) -> str | None:
        for kind, registry in _REGISTRIES.items():
            if name in self.__dict__.get(registry, ()):
                return kind
        return None

    def __getattr__(self, name: str) -> Any:
        attributes = self.__dict__
        for registry in _REGISTRIES.values():
            try:  # every layer reads its parameters so in every call
                return attributes[registry][name]
            except KeyError:
                pass
        raise AttributeError(f"'{type(self).__name__}' object has no attribute '{name}'")

    def __delattr__(self, name: str) -> None:
        if not self._forget(name):
            super().__delattr__(name)

    def _forget(self, name: str) -> bool:
        kind = self._registered_as(name)
        if kind is None:
            return False
        del self.__dict__[_REGISTRIES[kind]][name]
        self._transient_buffers.discard(name)
        return True

    def __setstate__(self, state: dict[str, Any]) -> None:
        """Take the attributes that were pickled; a subclass may add those of newer versions."""
        self.__dict__.update(state)

    def __dir__(self) -> list[str]:
        names = {*super().__dir__(), *self._parameters, *self._buffers, *self._modules}
        return sorted(name for name in names if not name[0].isdigit())  # those are no attributes


_ACCEPTED: dict[str, tuple[type, str]] = {
    "parameter": (Parameter, "Parameter"),
    "buffer": (Tensor, "Tensor"),
    "module": (Registration, "Module"),
}
