"""The text of a program."""

from collections.abc import Callable
from types import ModuleType
from typing import Any

import numpy as np

from distgrad.autograd.random_scope import MicroBatchWord, SeedWord, StepWord
from distgrad.tracing.memory import Plan, is_reduction
from distgrad.tracing.steps import Slot, Step

__all__ = ["written"]

_WORDS = {SeedWord: "seed", StepWord: "step", MicroBatchWord: "micro_batch"}


def written(
    plan: Plan, inputs: list[Slot], loss: Slot, count: Any, leaves: dict[Any, int], by_views: bool
) -> Callable[..., tuple[float, float]]:
    """Return ``run(views or write, *inputs, seed, step, micro_batch)``.

    Args:
        plan: What it does.
        inputs: The slots of the batch's arrays.
        loss: What it returns as a number.
        count: A slot, or a number, that it returns with that.
        leaves: The number of each leaf.
        by_views: Whether gradients are written to arrays; else ``write(number, array)`` is called.
    """
    text = _Text(plan, leaves, by_views)
    for number, slot in enumerate(inputs):
        text.names[slot] = f"x{number}"
    for step in plan.steps:
        text.add(step)
    results = [
        f"{text.of(part)}.item()" if isinstance(part, Slot) else text.of(part)
        for part in (loss, count)
    ]
    given = ["given", *(text.names[slot] for slot in inputs), *_WORDS.values()]
    lines = [f"def run({', '.join(given)}):", *text.head(), *text.lines]
    source = "\n    ".join([*lines, f"return {', '.join(results)}"])
    defined = text.constants
    exec(compile(source, "<a recorded micro-batch>", "exec"), defined)
    run: Callable[..., tuple[float, float]] = defined["run"]
    return run


class _DeclinedError(Exception):
    """A kernel does not serve the values of a run, as it did those that were recorded."""


class _Text:
    def __init__(self, plan: Plan, leaves: dict[Any, int], by_views: bool) -> None:
        self.plan = plan
        self.leaves = leaves
        self.by_views = by_views
        self.lines: list[str] = []
        self.names: dict[Slot, str] = {}
        self.constants: dict[str, Any] = {}
        self._known: dict[int, str] = {}
        self._delivered: set[int] = set()
        self._assigned: set[str] = set()

    def head(self) -> list[str]:
        """Return the lines that unpack what is given."""
        wanted = self.by_views and self._delivered
        return [f"{', '.join(f'w{n}' for n in range(len(self.leaves)))}, = given"] if wanted else []

    def add(self, step: Step) -> None:
        """Add the lines of a step."""
        if step.kind == "deliver":
            self._deliver(step)
        else:
            self.lines += self._lines(step)
            self._assigned.update(self.names[s] for s in step.targets() if s in self.names)
        gone = [self.names[s] for s in self.plan.ends.get(step, ()) if s in self.names]
        if gone:
            self.lines.append(f"del {', '.join(gone)}")

    def _deliver(self, step: Step) -> None:
        number, (slot,) = self.leaves[step.what], step.args
        if not self.by_views:
            self.lines.append(f"given({number}, {self.of(slot)})")
        elif number in self._delivered:
            self.lines.append(f"w{number} += {self.of(slot)}")
        elif self.of(slot) != f"w{number}":
            self.lines.append(f"w{number}[...] = {self.of(slot)}")
        self._delivered.add(number)

    def _lines(self, step: Step) -> list[str]:
        line = self._line(step)
        if step.kind != "kernel":
            return [line]
        raised = f"raise {self.constant(_DeclinedError)}({getattr(step.what, '__name__', '')!r})"
        out = self.plan.outs.get(step)
        if out is None:
            return [line, f"if {self.names[step.target]} is NotImplemented: {raised}"]
        place = f"w{out}" if type(out) is int else self.of(out)
        return [f"if {line} is not {place}: {raised}"]

    def _line(self, step: Step) -> str:
        out = self.plan.outs.get(step)
        if out is None:
            return f"{self._targets(step)}{self._expression(step)}"
        name = f"w{out}" if type(out) is int else self.of(out)
        if not isinstance(out, np.ndarray):
            self.names[step.target] = name
        args = [self.of(part) for part in step.args]
        if step.what in ("astype", "copy"):
            return f"{name}[...] = {args[0]}"
        if step.what == "dot":
            return f"{self._method(step.args[0], 'dot')}({args[1]}, {name})"
        if is_reduction(step.what):
            given = [*args, *["0", "None"][len(args) - 1 :], name]
            given += [f"{key}={self.of(value)}" for key, value in step.kwargs.items()]
            return f"{self.of(step.what)}({', '.join(given)})"
        if step.what in (np.maximum, np.minimum):  # they take it by name only
            name = f"out={name}"
        return f"{self.of(step.what)}({', '.join([*args, name])})"

    def _targets(self, step: Step) -> str:
        names = []
        for slot in step.targets():
            self.names[slot] = f"v{len(self.names)}"
            names.append(self.names[slot])
        if not names:
            return ""
        return f"{', '.join(names)}{',' if isinstance(step.target, tuple) else ''} = "

    def _expression(self, step: Step) -> str:
        args = [self.of(part) for part in step.args]
        if step.kind == "get":
            return f"{args[0]}[{args[1]}]"
        if step.kind == "set":
            return f"{args[0]}[{args[1]}] = {args[2]}"
        if step.kind == "attribute":
            return f"{args[0]}.{step.what}"
        given = args + [f"{key}={self.of(value)}" for key, value in step.kwargs.items()]
        if step.kind == "method":
            return f"{self._method(step.args[0], step.what)}({', '.join(given[1:])})"
        return f"{self.of(step.what)}({', '.join(given)})"

    def _method(self, owner: Any, name: str) -> str:
        if owner in self.plan.arrays:
            return self.constant(getattr(self.plan.arrays[owner], name))
        return f"{self.of(owner)}.{name}"

    def of(self, value: Any) -> str:
        """Return the expression of an argument."""
        if isinstance(value, Slot):
            found = self.plan.arrays.get(value)
            return self.names[value] if found is None else self.constant(found)
        kind = type(value)
        if kind in _WORDS:
            return _WORDS[kind]
        if value is None or value is ... or kind in (bool, int, str):
            return repr(value) if value is not ... else "..."
        if kind is tuple:
            return "(" + "".join(f"{self.of(part)}, " for part in value) + ")"
        if kind is list:
            return "[" + ", ".join(self.of(part) for part in value) + "]"
        if kind is dict:
            return "{" + ", ".join(f"{k!r}: {self.of(part)}" for k, part in value.items()) + "}"
        if kind is slice:
            return f"slice({self.of(value.start)}, {self.of(value.stop)}, {self.of(value.step)})"
        return self.constant(value)

    def constant(self, value: Any) -> str:
        """Return the name of a value that is the same in each run."""
        known = self._known.get(id(value))
        if known is None or self.constants[known] is not value:
            known = "numpy" if isinstance(value, ModuleType) else f"c{len(self.constants)}"
            self._known[id(value)], self.constants[known] = known, value
        return known
