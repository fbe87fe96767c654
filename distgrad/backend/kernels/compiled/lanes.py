"""Sixteen float32 at a time, said in so many words.

A loop that writes where it also reads runs in lanes only after the compiler has proved, or tests
again and again, that nothing overlaps; with several places to write to it gives up. Here nothing is
left to prove: a value of the type `lanes` is sixteen neighbours in a flat array.
"""

from collections.abc import Callable
from typing import Any

from llvmlite import ir
from numba.core import cgutils, types
from numba.extending import intrinsic, models, register_model

__all__ = [
    "LANES",
    "add",
    "if_equal",
    "larger",
    "load",
    "multiply_add",
    "repeated",
    "store",
    "subtract",
]

LANES = 16


class _Lanes(types.Type):
    def __init__(self) -> None:
        super().__init__(name="lanes")


_lanes = _Lanes()
_vector = ir.VectorType(ir.FloatType(), LANES)


@register_model(_Lanes)
class _Model(models.PrimitiveModel):
    def __init__(self, manager: Any, type_: Any) -> None:
        super().__init__(manager, type_, _vector)


def _plain(function: Callable[..., Any]) -> Callable[..., Any]:
    """Return the code of an operation that needs no more than (builder, *values)."""

    def generate(_context: Any, builder: Any, _signature: Any, args: Any) -> Any:
        return function(builder, *args)

    return generate


def _pointer(context: Any, builder: Any, signature: Any, args: Any) -> Any:
    array = context.make_array(signature.args[0])(context, builder, args[0])
    return builder.bitcast(builder.gep(array.data, [args[1]]), _vector.as_pointer())


@intrinsic
def load(_context: Any, flat: Any, _first: Any) -> Any:
    """The elements of a flat array from the place ``first`` on."""

    def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        return builder.load(_pointer(context, builder, signature, args), align=4)

    return _lanes(flat, types.intp), generate


@intrinsic
def store(_context: Any, flat: Any, _first: Any, _value: Any) -> Any:
    """Write lanes to a flat array, from the place ``first`` on."""

    def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        builder.store(args[2], _pointer(context, builder, signature, args), align=4)
        return context.get_dummy_value()

    return types.void(flat, types.intp, _lanes), generate


@intrinsic
def repeated(_context: Any, _number: Any) -> Any:
    """One number in all lanes."""

    def generate(builder: Any, number: Any) -> Any:
        nothing, first = ir.Constant(_vector, ir.Undefined), ir.IntType(32)(0)
        places = ir.Constant(ir.VectorType(ir.IntType(32), LANES), None)
        return builder.shuffle_vector(
            builder.insert_element(nothing, number, first), nothing, places
        )

    return _lanes(types.float32), _plain(generate)


@intrinsic
def add(_context: Any, _a: Any, _b: Any) -> Any:
    """``a + b``."""
    return _lanes(_lanes, _lanes), _plain(lambda builder, a, b: builder.fadd(a, b))


@intrinsic
def subtract(_context: Any, _a: Any, _b: Any) -> Any:
    """``a - b``."""
    return _lanes(_lanes, _lanes), _plain(lambda builder, a, b: builder.fsub(a, b))


@intrinsic
def multiply_add(_context: Any, _a: Any, _b: Any, _c: Any) -> Any:
    """``a * b + c``, rounded once."""

    def generate(builder: Any, *values: Any) -> Any:
        kind = ir.FunctionType(_vector, [_vector] * 3)
        name = f"llvm.fma.v{LANES}f32"
        return builder.call(cgutils.get_or_insert_function(builder.module, kind, name), values)

    return _lanes(_lanes, _lanes, _lanes), _plain(generate)


@intrinsic
def larger(_context: Any, _a: Any, _b: Any) -> Any:
    """The larger of both, or the one that is nan."""

    def generate(builder: Any, a: Any, b: Any) -> Any:
        better = builder.fcmp_ordered(">", b, a)
        return builder.select(builder.or_(better, builder.fcmp_unordered("uno", b, b)), b, a)

    return _lanes(_lanes, _lanes), _plain(generate)


@intrinsic
def if_equal(_context: Any, _a: Any, _b: Any, _then: Any, _otherwise: Any) -> Any:
    """``then`` where a equals b, and ``otherwise`` elsewhere."""

    def generate(builder: Any, a: Any, b: Any, then: Any, otherwise: Any) -> Any:
        return builder.select(builder.fcmp_ordered("==", a, b), then, otherwise)

    return _lanes(*[_lanes] * 4), _plain(generate)
