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

A function ``(xp, *arrays, attributes...)`` takes any number of arrays, and one rule serves each of
them: see `VariadicOp`.

Rules also run on Tensors, when gradients of gradients are asked for: then ``xp`` is a namespace
whose functions are the ops of this package under their NumPy names. So a rule uses operators,
``xp.NAME`` of an op of this package, or another op called with ``xp`` first.
"""

import inspect
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from types import ModuleType
from typing import Any

from distgrad.backend import Array, Namespace
from distgrad.backend.kernels import Kernel

__all__ = ["OUTPUT", "Op", "Plan", "Rule", "VariadicOp", "op"]

OUTPUT = -1


@dataclass(frozen=True, slots=True)
class Rule:
    """A gradient rule: which input, the function, and the names of what it needs."""

    position: int
    function: Callable[..., Any]
    needs: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Plan:
    """What one call keeps and runs, given which inputs want a gradient."""

    op: "Op"
    positions: tuple[int, ...]
    """The inputs that want a gradient."""
    rules: tuple[Callable[[Namespace, Any, Sequence[Any]], Any], ...]
    """For each of them, its rule as a function of (namespace, gradient, saved values)."""
    names: tuple[str, ...]
    """What is saved: first the arrays, then the constants."""
    arrays: tuple[int, ...]
    """For each saved array, the input's position, or OUTPUT."""
    constants: tuple[tuple[str, int | None], ...]
    """For each saved constant, an attribute's name, or the position of an input for its shape."""


class Op:
    """An array function and its gradient rules; made by the decorator `op`."""

    def __init__(
        self, function: Callable[..., Any], view: bool = False, kernel: bool = False
    ) -> None:
        self.name = function.__name__
        self.forward = Kernel(function) if kernel else function
        self.view = view
        self.__doc__ = function.__doc__
        names, marked = _parameters(function)
        self.inputs = names[1:marked] if marked else names[1:]
        self.defaults = _with_defaults(function, names[1 + len(self.inputs) :])
        self.rules: dict[str, Rule] = {}
        self._plans: dict[int, Plan | None] = {}

    def __repr__(self) -> str:
        return f"<op {self.name}({', '.join((*self.inputs, *self.defaults))})>"

    def rule(self, name: str) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
        """Declare the gradient rule of the input called ``name``."""
        if name not in self.inputs:
            raise ValueError(f"{self!r} has no input {name!r}")

        def declare(function: Callable[..., Any]) -> Callable[..., Any]:
            needs = _parameters(function)[0][2:]
            self.rules[name] = Rule(self.inputs.index(name), function, needs)
            for needed in needs:
                if not self._is_array(needed):
                    self._constant(needed)  # refuses an unknown name here, not at the first call
            return function

        return declare

    def __call__(self, xp: Namespace, *args: Any, **attributes: Any) -> Any:
        """Run the op inside another op or rule, on whatever ``xp`` works on."""
        if isinstance(xp, ModuleType):  # of arrays; a module is slow to say what it has not
            return self.forward(xp, *args, **attributes)
        return xp.apply_op(self, *args, **attributes)

    def bind(
        self, args: tuple[Any, ...], attributes: dict[str, Any]
    ) -> tuple[tuple[Any, ...], dict[str, Any]]:
        """Return the inputs and all attributes of a call: positional, named and default ones."""
        count = len(self.inputs)
        if len(args) > count:
            attributes = {**dict(zip(self.defaults, args[count:], strict=False)), **attributes}
        return args[:count], {**self.defaults, **attributes}

    def plan(self, wanted: int) -> Plan | None:
        """Return what to keep and to run, or None where no rule has to run.

        Args:
            wanted: Bit n is set if input n wants a gradient; one bit more above them all.
        """
        try:
            return self._plans[wanted]
        except KeyError:
            count = wanted.bit_length() - 1
            bits = tuple(bool(wanted >> place & 1) for place in range(count))
            return self._plans.setdefault(wanted, self._make_plan(bits))

    def _make_plan(self, wanted: tuple[bool, ...]) -> Plan | None:
        rules = [r for r in self.rules.values() if wanted[r.position]]
        if not rules:
            return None
        needed = dict.fromkeys(name for rule in rules for name in rule.needs)
        arrays = [name for name in needed if self._is_array(name)]
        constants = [name for name in needed if not self._is_array(name)]
        names = (*arrays, *constants)
        return Plan(
            op=self,
            positions=tuple(r.position for r in rules),
            rules=tuple(
                _with_saved(r.function, tuple(names.index(n) for n in r.needs)) for r in rules
            ),
            names=names,
            arrays=tuple(OUTPUT if n == "y" else self.inputs.index(n) for n in arrays),
            constants=tuple(self._constant(name) for name in constants),
        )

    def _is_array(self, name: str) -> bool:
        return name == "y" or name in self.inputs

    def _constant(self, name: str) -> tuple[str, int | None]:
        """Say where a constant that a rule names comes from."""
        if name in self.defaults:
            return name, None
        of = name.removesuffix("_shape")
        if of != name and of in self.inputs:
            return name, self.inputs.index(of)
        raise ValueError(f"a rule of {self!r} names {name!r}, which the op does not have")


class VariadicOp(Op):
    """An op of any number of arrays, ``(xp, *arrays, attributes...)``, with one rule for them all.

    The rule runs once for each array that wants a gradient. Its further parameters are attributes,
    or ``position``, that of the array it serves; ``others``, the other arrays in order; ``shapes``,
    those of all arrays.
    """

    def __init__(self, function: Callable[..., Any], view: bool = False) -> None:
        super().__init__(function, view)
        names, _ = _parameters(function)
        self.inputs = (function.__code__.co_varnames[len(names)],)
        self.defaults = _with_defaults(function, names[1:])

    def _is_array(self, name: str) -> bool:
        return name == "others"

    def _constant(self, name: str) -> tuple[str, int | None]:
        return (name, 0) if name in ("position", "shapes") else super()._constant(name)

    def bind(
        self, args: tuple[Any, ...], attributes: dict[str, Any]
    ) -> tuple[tuple[Any, ...], dict[str, Any]]:
        """Return the inputs and all attributes of a call: named and default ones."""
        return args, {**self.defaults, **attributes}

    def _make_plan(self, wanted: tuple[bool, ...]) -> Plan | None:
        if True not in wanted or not self.rules:
            return None
        (rule,) = self.rules.values()
        (name,) = self.inputs
        places = range(len(wanted))
        serving = [place for place in places if wanted[place]]
        arrays = tuple(p for p in places if "others" in rule.needs and serving != [p])
        attributes = [need for need in rule.needs if need in self.defaults]
        shapes = places if "shapes" in rule.needs else ()
        names = [f"{name}[{p}]" for p in arrays] + attributes + ["shapes"] * len(shapes)
        return Plan(
            op=self,
            positions=tuple(serving),
            rules=tuple(_serving(rule, p, arrays, attributes) for p in serving),
            names=tuple(names),
            arrays=arrays,
            constants=(*((need, None) for need in attributes), *(("shapes", p) for p in shapes)),
        )


def _serving(
    rule: Rule, position: int, arrays: tuple[int, ...], attributes: list[str]
) -> Callable[..., Any]:
    """Return the rule of a variadic op for one of its arrays, taking the saved values in order."""

    def serve(xp: Namespace, g: Any, saved: Sequence[Any]) -> Any:
        given = dict(zip(attributes, saved[len(arrays) :], strict=False))
        given["position"] = position
        given["others"] = [x for p, x in zip(arrays, saved, strict=False) if p != position]
        given["shapes"] = saved[len(arrays) + len(attributes) :]
        return rule.function(xp, g, *(given[need] for need in rule.needs))

    return serve


def _with_saved(rule: Callable[..., Any], places: tuple[int, ...]) -> Callable[..., Any]:
    """Return a rule as a function of all saved values, given the places of its own ones."""
    match places:  # written out: each recorded operation passes here
        case ():
            return lambda xp, g, _: rule(xp, g)
        case (i,):
            return lambda xp, g, saved: rule(xp, g, saved[i])
        case (i, j):
            return lambda xp, g, saved: rule(xp, g, saved[i], saved[j])
    return lambda xp, g, saved: rule(xp, g, *[saved[place] for place in places])


def op(
    function: Callable[..., Array] | None = None, *, view: bool = False, kernel: bool = False
) -> Any:
    """Make an op of a function ``(xp, inputs..., /, attributes...)`` or ``(xp, *arrays, ...)``.

    Args:
        function: The array function.
        view: Whether the result may share the first input's memory.
        kernel: Whether the kernel table may have faster implementations of it.
    """
    if function is None:
        return lambda function: op(function, view=view, kernel=kernel)
    if function.__code__.co_flags & inspect.CO_VARARGS:
        return VariadicOp(function, view)
    return Op(function, view, kernel)


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
