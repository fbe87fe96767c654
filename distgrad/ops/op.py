"""`Op`: an array function with its gradient rules beside it.

An op is written once, over any array namespace::

    @op
    def tanh(xp, x):
        return xp.tanh(x)

    @tanh.rule("x")
    def _(xp, g, y):
        return g * (1 - y * y)

The function's parameters are arrays; those behind a ``/`` are attributes, constants of the call.
The names of a rule's parameters say what must be kept for it: an input by its name, ``y`` the
output, an attribute by its name, ``x_shape`` the shape of input ``x`` without the array.
``@op(kernel=True)`` enters the function into the kernel table: a faster implementation for an array
library may then stand in for it (`distgrad.backend.kernels`).
A rule may return a gradient of the broadcast shape: the engine sums it to the input's shape.
What all rules of an op would begin with is declared once, by ``@NAME.shared``: a function like a
rule, whose result the rules get in place of ``g``.

A function ``(xp, *arrays, attributes...)`` takes any number of arrays, and one rule serves each of
them: see `VariadicOp`.

Rules also run on Tensors, when gradients of gradients are asked for: then ``xp`` is a namespace
whose functions are the ops of this package under their NumPy names. So a rule uses operators,
``xp.NAME`` of an op of this package, or another op called with ``xp`` first.
"""

import inspect
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from types import ModuleType
from typing import Any, ClassVar

from distgrad.backend import Array, Namespace
from distgrad.backend.kernels import Kernel

__all__ = ["OUTPUT", "Op", "Rule", "VariadicOp", "op"]

OUTPUT = -1


@dataclass(frozen=True, slots=True)
class Rule:
    """A gradient rule: which input (or `OUTPUT`), the function, and the names of what it needs."""

    position: int
    function: Callable[..., Any]
    needs: tuple[str, ...]


class Op:
    """An array function and its gradient rules; made by the decorator `op`."""

    made: ClassVar[dict[str, Callable[["Op"], Callable[..., Any]]]] = {}
    """Makes `call`, `record` and `pass_on` of an op at their first use: by `autograd`, `tensor`."""

    def __init__(
        self,
        function: Callable[..., Any],
        view: bool = False,
        kernel: bool = False,
        moves: bool = False,
    ) -> None:
        self.name = function.__name__
        self.forward = Kernel(function) if kernel else function
        self.view = view
        self.moves = moves
        self.__doc__ = function.__doc__
        names, marked = _parameters(function)
        self.inputs = names[1:marked] if marked else names[1:]
        self.defaults = _with_defaults(function, names[1 + len(self.inputs) :])
        self.rules: dict[str, Rule] = {}
        self.shared_rule: Rule | None = None

    def __repr__(self) -> str:
        return f"<op {self.name}({', '.join((*self.inputs, *self.defaults))})>"

    def rule(self, name: str) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
        """Declare the gradient rule of the input called ``name``."""
        if name not in self.inputs:
            raise ValueError(f"{self!r} has no input {name!r}")

        def declare(function: Callable[..., Any]) -> Callable[..., Any]:
            self.rules[name] = self._rule(self.inputs.index(name), function)
            return function

        return declare

    def shared(self, function: Callable[..., Any]) -> Callable[..., Any]:
        """Declare what is made of the gradient ``g`` once, and given to each rule in its place."""
        self.shared_rule = self._rule(OUTPUT, function)
        return function

    def _rule(self, position: int, function: Callable[..., Any]) -> Rule:
        needs = _parameters(function)[0][2:]
        for needed in needs:
            if not self._is_array(needed):
                self._check_constant(needed)
        return Rule(position, function, needs)

    def __call__(self, xp: Namespace, *args: Any, **attributes: Any) -> Any:
        """Run the op inside another op or rule, on whatever ``xp`` works on."""
        if isinstance(xp, ModuleType):  # of arrays; a module is slow to say what it has not
            return self.forward(xp, *args, **attributes)
        return xp.apply_op(self, *args, **attributes)

    @cached_property
    def call(self) -> Callable[..., Any]:
        """The op on Tensors, arrays and numbers, recorded: ``op.call(*inputs, **attributes)``."""
        return self.made["call"](self)

    @cached_property
    def record(self) -> Callable[..., Any]:
        """What records a call that somebody else computes: ``op.record(output, *inputs, ...)``."""
        return self.made["record"](self)

    @cached_property
    def pass_on(self) -> Callable[..., None]:
        """What passes a gradient on: ``op.pass_on(node, gradient, walk)``."""
        return self.made["pass_on"](self)

    @cached_property
    def saved_arrays(self) -> tuple[str, ...]:
        """The arrays that gradient rules name: inputs, and ``y`` for the output."""
        return tuple(name for name in self._needed() if self._is_array(name))

    @cached_property
    def saved_constants(self) -> tuple[str, ...]:
        """What else gradient rules name: attributes, and ``x_shape`` for that of an input."""
        return tuple(name for name in self._needed() if not self._is_array(name))

    def saved_name(self, place: int) -> str:
        """Return what a saved array is called."""
        return self.saved_arrays[place]

    def saved_from(self, count: int) -> tuple[int, ...]:  # noqa: ARG002 (see VariadicOp)
        """Say which input each saved array is, or `OUTPUT`, in a call with so many inputs."""
        return tuple(OUTPUT if n == "y" else self.inputs.index(n) for n in self.saved_arrays)

    def _needed(self) -> dict[str, None]:
        shared = () if self.shared_rule is None else (self.shared_rule,)
        rules = *shared, *self.rules.values()
        return dict.fromkeys(name for rule in rules for name in rule.needs)

    def _is_array(self, name: str) -> bool:
        return name == "y" or name in self.inputs

    def _check_constant(self, name: str) -> None:
        if name not in self.defaults and not self.shape_of(name):
            raise ValueError(f"a rule of {self!r} names {name!r}, which the op does not have")

    def shape_of(self, name: str) -> str | None:
        """Return the input whose shape a saved constant is; None if it is an attribute."""
        of = name.removesuffix("_shape")
        return of if of != name and of in self.inputs and name not in self.defaults else None


class VariadicOp(Op):
    """An op of any number of arrays, ``(xp, *arrays, attributes...)``, with one rule for them all.

    The rule runs once for each array that wants a gradient. Its further parameters are attributes,
    or ``position``, that of the array it serves; ``others``, the other arrays in order; ``shapes``,
    those of all arrays.
    """

    def __init__(
        self, function: Callable[..., Any], view: bool = False, moves: bool = False
    ) -> None:
        super().__init__(function, view, moves=moves)
        names, _ = _parameters(function)
        self.inputs = (function.__code__.co_varnames[len(names)],)
        self.defaults = _with_defaults(function, names[1:])

    def _is_array(self, name: str) -> bool:
        return name == "others"

    def _check_constant(self, name: str) -> None:
        if name not in ("position", "shapes"):
            super()._check_constant(name)

    def saved_name(self, place: int) -> str:
        """Return what a saved array is called."""
        return f"{self.inputs[0]}[{place}]"

    def saved_from(self, count: int) -> tuple[int, ...]:
        """Say which input each saved array is, in a call with so many inputs."""
        return tuple(range(count)) if self.saved_arrays else ()


def op(
    function: Callable[..., Array] | None = None,
    *,
    view: bool = False,
    kernel: bool = False,
    moves: bool = False,
) -> Any:
    """Make an op of a function ``(xp, inputs..., /, attributes...)`` or ``(xp, *arrays, ...)``.

    Args:
        function: The array function.
        view: Whether the result may share the first input's memory.
        kernel: Whether the kernel table may have faster implementations of it.
        moves: Whether it computes nothing, and so takes values of every data type as they are.
    """
    if function is None:
        return lambda function: op(function, view=view, kernel=kernel, moves=moves)
    if function.__code__.co_flags & inspect.CO_VARARGS:
        if kernel:
            raise ValueError(
                f"{function.__name__}() takes any number of arrays, which the kernel table has no "
                "place for; leave kernel=True out, or give each array a name"
            )
        return VariadicOp(function, view, moves)
    return Op(function, view, kernel, moves)


# What `inspect.signature` tells, of a plain function; it would take half of the package's import.


def _parameters(function: Callable[..., Any]) -> tuple[tuple[str, ...], int]:
    """Return the names of the parameters but ``*arrays``, and how many stand before a ``/``."""
    code = function.__code__
    names = code.co_varnames[: code.co_argcount + code.co_kwonlyargcount]
    return names, code.co_posonlyargcount


def _with_defaults(function: Callable[..., Any], names: Sequence[str]) -> dict[str, Any]:
    """Return the defaults of parameters, `inspect.Parameter.empty` where there is none."""
    positional = function.__code__.co_varnames[: function.__code__.co_argcount]
    given = function.__defaults__ or ()
    defaults = dict(zip(positional[len(positional) - len(given) :], given, strict=True))
    defaults.update(function.__kwdefaults__ or {})
    return {name: defaults.get(name, inspect.Parameter.empty) for name in names}
