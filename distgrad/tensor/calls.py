"""Running ops on Tensors: the code of a call, written out for each op at its first use."""

import inspect
from collections.abc import Callable
from functools import partial
from textwrap import indent
from typing import Any

import numpy as np

from distgrad.autograd.op_code import RECORDING_NAMES, compiled, is_plain, listed, recording
from distgrad.autograd.op_node import Version
from distgrad.autograd.variadic import record_of_many
from distgrad.backend import Array, MixedDevices, array_namespace, array_of
from distgrad.ops import Op
from distgrad.ops.op import VariadicOp
from distgrad.tensor.mixing import brought_together
from distgrad.tensor.quiet import quiet, run_inside
from distgrad.tensor.tensor import Tensor
from distgrad.tensor.view import link_view

__all__ = ["apply"]


def apply(op: Op, *args: Any, **attributes: Any) -> Tensor:
    """Run an op on Tensors, arrays and numbers, and record it where a gradient is wanted.

    Args:
        op: An op of `distgrad.ops`.
        *args: Its inputs; attributes may follow by position.
        **attributes: Its attributes by name.
    """
    return op.call(*args, **attributes)  # type: ignore[no-any-return]


_CALL = """\
def {name}({parameters}):
{inputs}    try:
        _xp = _np if {numpy} else _array_namespace({arrays})
    except _MixedDevices:
        return _op.call(*_brought_together(_apply, _op, {together}){attributes})
    try:
        _output_array = _quiet.run({forward}, {arrays}{attributes})
    except (RuntimeError, AttributeError):
        _output_array = _run_inside(_op, _xp, {arrays}{attributes})
    if type(_output_array) is not _ndarray:
        _output_array = _array_of(_output_array)
    _output = _new_tensor(_Tensor)
    _output.data = _output_array
    _output.grad = _output.node = _output.view_of = None
    _output.version = _output_version = _Version()
    _output_version.number = 0
{view}{recording}    return _output
"""
_INPUT = """\
if isinstance({x}, _Tensor):
    {x}_array = {x}.data
    {x}_node = {x}.node
    {x}_version = {x}.version
else:
    {x}_array = {x}
    {x}_node = None
    {x}_version = _UNCHANGED
"""
_VIEW = """\
if _output_array.base is not None and _share_memory(_output_array, {x}_array):
    _link_view(_output, {x}, _op, {{{attributes}}})
    _output_version = _output.version
"""
_RECORD = """\
def {name}(_output, {parameters}):
    _output_array = _output.data
    _output_version = _output.version
{inputs}{recording}"""


def _make_call(op: Op) -> Callable[..., Tensor]:
    """Return what runs an op and records it."""
    if isinstance(op, VariadicOp):
        return partial(_call_of_many, op)
    arrays = [f"{x}_array" for x in op.inputs]
    view = _VIEW.format(x=op.inputs[0], attributes=", ".join(f"'{a}': {a}" for a in op.defaults))
    source = _CALL.format(
        name=op.name,
        parameters=_parameters(op),
        inputs=indent(_reading(op), "    "),
        numpy=" and ".join(f"type({x}) is _ndarray" for x in arrays),
        arrays=", ".join(arrays),
        forward=f"_xp.{op.name}" if _is_ufunc(op) else "_forward, _xp",
        together=listed(op.inputs),
        attributes="".join(f", {name}={name}" for name in op.defaults),
        view=indent(view, "    ") if op.view else "",
        recording=indent(recording(op), "    "),
    )
    return compiled(op, "call", source, _names(op))


def _make_record(op: Op) -> Callable[..., None]:
    """Return what records a call of an op, ``(output, *inputs, **attributes)``."""
    source = _RECORD.format(
        name=op.name,
        parameters=_parameters(op),
        inputs=indent(_reading(op), "    "),
        recording=indent(recording(op), "    "),
    )
    return compiled(op, "record", source, _names(op))


def _is_ufunc(op: Op) -> bool:
    """Tell whether an op is NumPy's ufunc of its name, which is then called directly."""
    given = ", ".join(op.inputs)
    plain = is_plain(op, op.forward, f"xp, {given}", f"xp.{op.name}({given})")
    return plain and isinstance(getattr(np, op.name, None), np.ufunc)


def _parameters(op: Op) -> str:
    attributes = [
        name if default is inspect.Parameter.empty else f"{name}=_{name}_default"
        for name, default in op.defaults.items()
    ]
    return ", ".join((*op.inputs, "/", *attributes))


def _reading(op: Op) -> str:
    return "".join(_INPUT.format(x=x) for x in op.inputs)


def _names(op: Op) -> dict[str, Any]:
    return {
        **RECORDING_NAMES,
        "_op": op,
        "_forward": op.forward,
        "_np": np,
        "_ndarray": np.ndarray,
        "_array_namespace": array_namespace,
        "_array_of": array_of,
        "_MixedDevices": MixedDevices,
        "_brought_together": brought_together,
        "_apply": apply,
        "_quiet": quiet,
        "_run_inside": run_inside,
        "_Tensor": Tensor,
        "_new_tensor": Tensor.__new__,
        "_Version": Version,
        "_share_memory": _share_memory,
        "_link_view": link_view,
        **{f"_{name}_default": default for name, default in op.defaults.items()},
    }


def _call_of_many(op: VariadicOp, *args: Any, **attributes: Any) -> Tensor:
    attributes = {**op.defaults, **attributes}
    arrays = [x.data if isinstance(x, Tensor) else x for x in args]
    try:
        xp = array_namespace(*arrays)
    except MixedDevices:
        return op.call(*brought_together(apply, op, args), **attributes)  # type: ignore[no-any-return]
    try:
        data = quiet.run(op.forward, xp, *arrays, **attributes)
    except (RuntimeError, AttributeError):
        data = run_inside(op, xp, *arrays, **attributes)
    output = Tensor.of(data)
    if op.view and data.base is not None and _share_memory(data, arrays[0]):
        link_view(output, args[0], op, attributes)
    record_of_many(op, output, args, attributes)
    return output


def _share_memory(a: Array, b: Array) -> bool:
    return bool(array_namespace(a, b).may_share_memory(a, b))


Op.made["call"] = _make_call
Op.made["record"] = _make_record
Tensor._apply = staticmethod(apply)
