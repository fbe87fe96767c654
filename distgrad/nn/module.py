"""`Module`: what holds the parameters, buffers and submodules of a model."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import chain
from typing import Any, Self, TypeVar

from distgrad.nn.parameter import Parameter
from distgrad.nn.registration import Registration
from distgrad.nn.state import IncompatibleKeys, check_state, copy_state
from distgrad.tensor import Tensor

__all__ = ["Module"]

T = TypeVar("T")


def _missing_forward(self: "Module", *args: Any, **kwargs: Any) -> Any:
    raise NotImplementedError(
        f"{type(self).__name__} has no forward(); define it to say what the module computes"
    )


class Module(Registration):
    """Base class of everything that is built of parameters and computes something from an input.

    A Parameter, a Module or, once `register_buffer` has named it, a Tensor assigned to an attribute
    is registered under the attribute's name. A subclass calls ``super().__init__()`` first and
    defines ``forward``.

    Attributes:
        training: Whether the module is in training mode, which dropout looks at; True at first.

    Example:
        >>> import distgrad as dg
        >>> from distgrad import nn
        >>> class Scale(nn.Module):
        ...     def __init__(self, features):
        ...         super().__init__()
        ...         self.factor = nn.Parameter(dg.ones(features))
        ...
        ...     def forward(self, x):
        ...         return x * self.factor
        >>> scale = Scale(3)
        >>> scale(dg.arange(3.0)).tolist()
        [0.0, 1.0, 2.0]
        >>> list(scale.state_dict())
        ['factor']
    """

    training: bool
    _modules: dict[str, "Module | None"]  # type: ignore[assignment]

    # An attribute, so that a subclass may give forward the parameters that it needs.
    forward: Callable[..., Any] = _missing_forward

    def __init__(self) -> None:
        super().__init__()
        self.training = True

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Return what ``forward`` computes."""
        return self.forward(*args, **kwargs)

    # Walking the tree

    def children(self) -> Iterator["Module"]:
        """Yield the direct submodules, each once."""
        return (module for _, module in self.named_children())

    def named_children(self) -> Iterator[tuple[str, "Module"]]:
        """Yield (name, module) of the direct submodules, each module once."""
        return _unique((n, m) for n, m in self._modules.items() if m is not None)

    def modules(self) -> Iterator["Module"]:
        """Yield the module itself and all modules below it, each once."""
        return (module for _, module in self.named_modules())

    def named_modules(
        self, prefix: str = "", remove_duplicate: bool = True
    ) -> Iterator[tuple[str, "Module"]]:
        """Yield (dotted name, module) of the module itself and all modules below it.

        Args:
            prefix: What the names begin with.
            remove_duplicate: Yield a module that occurs several times once.
        """
        found = self._walk(prefix)
        return _unique(found) if remove_duplicate else found

    def _walk(self, prefix: str) -> Iterator[tuple[str, "Module"]]:
        yield prefix, self
        for name, module in self._modules.items():
            if module is not None:
                yield from module._walk(_join(prefix, name))

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
                    yield _join(path, name), value

    # Mode and gradients

    def train(self, mode: bool = True) -> Self:
        """Set training mode, or evaluation mode with False, here and below.

        Raises:
            ValueError: If ``mode`` is not a bool.
        """
        if not isinstance(mode, bool):
            raise ValueError(f"training mode is expected to be True or False, got {mode!r}")
        for module in self.modules():
            module.training = mode
        return self

    def eval(self) -> Self:
        """Set evaluation mode, here and below."""
        return self.train(False)

    def requires_grad_(self, requires_grad: bool = True) -> Self:
        """Let all parameters ask for a gradient, or freeze them."""
        for parameter in self.parameters():
            parameter.requires_grad_(requires_grad)
        return self

    def zero_grad(self, set_to_none: bool = True) -> None:
        """Drop the gradients of all parameters, or with ``set_to_none=False`` fill them with 0."""
        for parameter in self.parameters():
            if parameter.grad is not None and not set_to_none:
                parameter.grad = parameter.grad.detach().zero_()
            else:
                parameter.grad = None

    def apply(self, fn: Callable[["Module"], Any]) -> Self:
        """Call ``fn`` with every module below this one, children first, then with this one."""
        for module in self.children():
            module.apply(fn)
        fn(self)
        return self

    # State

    def state_dict(self, *, prefix: str = "") -> dict[str, Tensor]:
        """Return all parameters and persistent buffers under their dotted names.

        The Tensors are detached and share memory with the module; a shared parameter stands under
        each of its names.

        Args:
            prefix: What the names begin with.

        Example:
            >>> from distgrad import nn
            >>> state = nn.Sequential(nn.Linear(2, 3), nn.ReLU()).state_dict()
            >>> {name: value.shape for name, value in state.items()}
            {'0.weight': (3, 2), '0.bias': (3,)}
        """
        return {prefix + name: value.detach() for name, value in self._named_state()}

    def load_state_dict(
        self, state_dict: Mapping[str, Any], strict: bool = True
    ) -> IncompatibleKeys:
        """Copy values into the parameters and persistent buffers, in place.

        Values are Tensors or arrays of the same shape; they are converted to the data type of what
        they are copied into. Everything is checked first: if it raises, nothing was changed.

        Args:
            state_dict: The values under the names that `state_dict` gives.
            strict: Whether each name must be given, and no other.

        Returns:
            ``missing_keys`` and ``unexpected_keys``, two lists of names.

        Raises:
            RuntimeError: One for all that does not fit: names that are missing or unexpected, if
                ``strict``; and in any case shapes that differ, and values that are no numbers.
        """
        own = dict(self._named_state())
        report = check_state(own, state_dict, type(self).__name__, strict)
        copy_state(own, state_dict)
        return report

    def _named_state(self) -> Iterator[tuple[str, Tensor]]:
        for path, module in self._walk(""):
            transient = module._transient_buffers
            lasting = (item for item in module._buffers.items() if item[0] not in transient)
            for name, value in chain(module._parameters.items(), lasting):
                if value is not None:
                    yield _join(path, name), value

    # Text

    def extra_repr(self) -> str:
        """Return what ``repr`` says of the module itself, such as its sizes."""
        return ""

    def __repr__(self) -> str:
        extra = self.extra_repr()
        lines = [extra] if extra else []
        for name, module in self._modules.items():
            lines.append(f"({name}): {module!r}".replace("\n", "\n  "))
        if not self._modules:
            return f"{type(self).__name__}({extra})"
        return f"{type(self).__name__}(\n  " + "\n  ".join(lines) + "\n)"


def _join(prefix: str, name: str) -> str:
    return f"{prefix}.{name}" if prefix else name


def _unique(named: Iterable[tuple[str, T]]) -> Iterator[tuple[str, T]]:
    """Yield each object once, under the first of its names."""
    seen: set[int] = set()
    for name, value in named:
        if id(value) not in seen:
            seen.add(id(value))
            yield name, value
