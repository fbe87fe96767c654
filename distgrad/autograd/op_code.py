"""The code that records an op and passes its gradient on, written out for each op.

Every recorded operation passes here. Loops over its inputs, its rules and what it saves would cost
more than the operation itself, so at the first use of an op functions are written in which these
stand one by one. In their code, names without an underscore in front are the op's own: of an input
``x`` there are ``x_array``, ``x_node`` and ``x_version``.
"""

from collections.abc import Callable, Iterable
from linecache import cache
from textwrap import indent
from typing import Any

import numpy as np

from distgrad.autograd.modes import current_mode
from distgrad.autograd.node import next_number
from distgrad.autograd.observing import observed, observers
from distgrad.autograd.op_node import UNCHANGED, OpNode
from distgrad.autograd.variadic import pass_on_of_many
from distgrad.backend import array_namespace
from distgrad.ops.op import Op, Rule, VariadicOp

__all__ = ["RECORDING_NAMES", "compiled", "is_plain", "listed", "pass_on", "recording"]

_RECORDING = """\
if ({wanted}) and _current_mode().recording:
    _dtype = _output_array.dtype
    if _dtype is _float32 or _dtype.kind in "fV":
        _node = _OpNode()
        _node.op = _op
        _node.number = _next_number()
        _node.shape = _output_array.shape
        _node.dtype = _dtype
        _node.asked = None
        _node.inputs = {nodes}
{choices}\
        _node.saved = {saved}
        _node.versions = {versions}
        _output.node = _node
        if _observers():
            _observed(_node)
"""
RECORDING_NAMES = {
    "_UNCHANGED": UNCHANGED,
    "_OpNode": OpNode,
    "_current_mode": current_mode,
    "_next_number": next_number,
    "_observers": observers.get,
    "_observed": observed,
    "_float32": np.dtype(np.float32),
}
"""What the lines of `recording` use."""

_PASS_ON = """\
def {name}(_node, _gradient, _walk):
    _saved = _node.saved
    if type(_saved) is not tuple:
        _saved = _node.saved_values()
{checking}\
    if _walk.create_graph:
        _xp = _gradient.__array_namespace__()
        _saved = _node.as_tensors(_saved, _walk.tensor_type)
    else:
        _xp = _np if type(_gradient) is _ndarray else _array_namespace(_gradient)
    {names} = _saved
    {nodes} = _node.inputs
    _needed = _walk.needed
{sharing}\
{rules}\
{freeing}\
"""
_CHECKING = """\
{counters} = _node.versions
if {changed}:
    _node.saved_values()
"""
_SHARING = """\
_gradient = _shared_rule(_xp, _gradient{needs})
"""
_RULE = """\
if {x}_node is not None and (_needed is None or {x}_node in _needed):
    _walk.send({x}_node, {gradient})
"""
_FREEING = """\
if not _walk.retain_graph{holding}:
    _node.saved = None
"""


def compiled(op: Op, what: str, source: str, names: dict[str, Any]) -> Callable[..., Any]:
    """Return the function called as an op that ``source`` defines.

    Args:
        op: The op.
        what: What the function does, as tracebacks show it.
        source: Its code.
        names: What it uses beside builtins.
    """
    file = f"{__file__} ({op.name}, {what})"
    cache[file] = len(source), None, source.splitlines(keepends=True), file
    defined = {"__name__": __name__, **names}
    exec(compile(source, file, "exec"), defined)
    return defined[op.name]  # type: ignore[no-any-return]


def listed(parts: Iterable[str]) -> str:
    """Return expressions as a tuple."""
    return "(" + "".join(f"{part}, " for part in parts) + ")"


def recording(op: Op) -> str:
    """Return the lines that record a call; empty where no gradient rule would run.

    They stand behind lines that set the result ``_output`` and, as for each input, its array and
    its version.
    """
    if not op.rules:
        return ""
    choices, saved, versions = "", [], []
    for name in op.saved_arrays:
        x, needed = _stem(name), _wanted(op, name)
        array, version = f"{x}_array", f"{x}_version"
        if needed:  # by some rules only
            choices += f"{x}_kept = {version} if {needed} else _UNCHANGED\n"
            array, version = f"{array} if {needed} else None", f"{x}_kept"
        saved.append(array)
        versions.append(f"{version}, {version}.number")
    for name in op.saved_constants:
        of, needed = op.shape_of(name), _wanted(op, name)
        value = f"{of}_array.shape" if of else name
        saved.append(f"{value} if {needed} else None" if needed else value)
    return _RECORDING.format(
        wanted=_some(name for name in op.rules),
        nodes=listed(f"{name}_node" if name in op.rules else "None" for name in op.inputs),
        choices=indent(choices, 8 * " "),
        saved=listed(saved),
        versions=listed(versions),
    )


def pass_on(op: Op) -> Callable[..., None]:
    """Return the function that runs the gradient rules of a recorded call."""
    counters = [(f"{_stem(name)}_version", f"{_stem(name)}_number") for name in op.saved_arrays]
    checking = _CHECKING.format(
        counters=listed(name for pair in counters for name in pair),
        changed=" or ".join(f"{version}.number != {number}" for version, number in counters),
    )
    shared = op.shared_rule
    rules = "".join(
        _RULE.format(x=name, gradient=_gradient(op, name, rule)) for name, rule in op.rules.items()
    )
    needed = shared.needs if shared else ()
    holding = [
        x for x, rule in op.rules.items() if not {*needed, *rule.needs}.isdisjoint(op.saved_arrays)
    ]
    some = "" if len(holding) == len(op.rules) else f" and ({_some(holding)})"
    source = _PASS_ON.format(
        name=op.name,
        checking=indent(checking, "    ") if counters else "",
        names=listed((*op.saved_arrays, *op.saved_constants)),
        nodes=listed(f"{name}_node" for name in op.inputs),
        sharing=indent(_SHARING.format(needs=_further(shared)), "    ") if shared else "",
        rules=indent(rules, "    "),
        freeing=indent(_FREEING.format(holding=some), "    ") if holding else "",
    )
    names = {"_np": np, "_ndarray": np.ndarray, "_array_namespace": array_namespace}
    functions = {f"_{name}_rule": rule.function for name, rule in op.rules.items()}
    if shared:
        functions["_shared_rule"] = shared.function
    return compiled(op, "backward", source, {**names, **functions})


def _gradient(op: Op, name: str, rule: Rule) -> str:
    """Return the expression of what a rule gives, which may be what it gets."""
    if is_plain(op, rule.function, "xp, g", "g"):
        return "_gradient"
    return f"_{name}_rule(_xp, _gradient{_further(rule)})"


def is_plain(op: Op, function: Any, parameters: str, expression: str) -> bool:
    """Tell whether a function of an op only returns an expression, which can stand in its place."""
    plain: Any = compiled(op, "plain", f"def {op.name}({parameters}): return {expression}", {})
    own, its = getattr(function, "__code__", None), plain.__code__
    return own is not None and (own.co_code, own.co_names) == (its.co_code, its.co_names)


def _further(rule: Rule) -> str:
    """Return the arguments of a rule behind the gradient."""
    return "".join(f", {need}" for need in rule.needs)


def _stem(name: str) -> str:
    """Return what the names of a saved array's variables begin with."""
    return "_output" if name == "y" else name


def _wanted(op: Op, saved: str) -> str:
    """Return the condition that a rule will run that needs a value; empty if each of them does."""
    if op.shared_rule is not None and saved in op.shared_rule.needs:
        return ""
    needing = [name for name, rule in op.rules.items() if saved in rule.needs]
    return "" if len(needing) == len(op.rules) else _some(needing)


def _some(inputs: Iterable[str]) -> str:
    """Return the condition that a gradient is wanted for one of some inputs."""
    return " or ".join(f"{name}_node is not None" for name in inputs)


def _make_pass_on(op: Op) -> Callable[..., None]:
    return pass_on_of_many(op) if isinstance(op, VariadicOp) else pass_on(op)


Op.made["pass_on"] = _make_pass_on
