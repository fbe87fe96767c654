"""The middle of a matrix product: a tile of the result, in registers while terms are added to it.

It is written out as instructions, because a loop around two dozen vectors of sums is something to
be laid down, and not what a compiler makes of loops over numbers.
"""

from collections.abc import Callable
from typing import Any

from llvmlite import ir
from numba.core import cgutils, types
from numba.core.registry import cpu_target
from numba.extending import intrinsic

from distgrad.backend.kernels.compiled.lanes import LANES

__all__ = ["NARROW_ROWS", "SERVED", "WIDE", "WIDE_ROWS", "narrow_tile", "wide_tile"]

SERVED = "+avx512f" in cpu_target.target_context.codegen().magic_tuple()[2].split(",")
"""Whether the processor has as many registers, and as long ones, as a wide tile takes."""
WIDE_ROWS, WIDE = 6, 4 * LANES
NARROW_ROWS = 8
"""Of a tile whose columns are no more than there are lanes: enough not to wait for a sum."""

_vector = ir.VectorType(ir.FloatType(), LANES)
_index, _place = ir.IntType(64), ir.IntType(32)


def _pointer(context: Any, builder: Any, kind: Any, array: Any, first: Any) -> Any:
    return builder.gep(context.make_array(kind)(context, builder, array).data, [first])


def _row(builder: Any, pointer: Any, i: int, line: Any) -> Any:
    return builder.gep(pointer, [builder.mul(_index(i), line)])


def _lanes_at(builder: Any, pointer: Any, vector: int) -> Any:
    place = builder.gep(pointer, [_index(vector * LANES)])
    return builder.bitcast(place, _vector.as_pointer())


def _load(builder: Any, pointer: Any, vectors: int) -> list[Any]:
    return [builder.load(_lanes_at(builder, pointer, v), align=4) for v in range(vectors)]


def _repeated(builder: Any, pointer: Any) -> Any:
    nothing = ir.Constant(_vector, ir.Undefined)
    first = builder.insert_element(nothing, builder.load(pointer), _place(0))
    places = ir.Constant(ir.VectorType(_place, LANES), None)
    return builder.shuffle_vector(first, nothing, places)


def _multiply_add(builder: Any, *values: Any) -> Any:
    kind = ir.FunctionType(_vector, [_vector] * 3)
    name = f"llvm.fma.v{LANES}f32"
    return builder.call(cgutils.get_or_insert_function(builder.module, kind, name), values)


def _sums(
    builder: Any, lines: list[Any], along: Any, b: Any, step: Any, terms: Any, vectors: int
) -> list[Any]:
    """Add up ``lines[i][p] * b[p, j]`` over p, one term after the other."""
    before = builder.block
    loop, behind = map(builder.append_basic_block, ("terms", "summed"))
    builder.branch(loop)
    builder.position_at_end(loop)
    counters = [builder.phi(_index) for _ in range(3)]
    sums = [builder.phi(_vector) for _ in range(len(lines) * vectors)]
    _, at_a, at_b = counters
    right = _load(builder, builder.gep(b, [at_b]), vectors)
    left = [_repeated(builder, builder.gep(line, [at_a])) for line in lines]
    pairs = [(x, y) for x in left for y in right]
    more = [_multiply_add(builder, *pair, to) for pair, to in zip(pairs, sums, strict=True)]
    steps = zip(counters, (_index(1), along, step), strict=True)
    following = [builder.add(counter, by) for counter, by in steps]
    for variable, then in zip(counters + sums, following + more, strict=True):
        variable.add_incoming(ir.Constant(variable.type, None), before)
        variable.add_incoming(then, loop)
    builder.cbranch(builder.icmp_signed("<", following[0], terms), loop, behind)
    builder.position_at_end(behind)
    return more


def _put(builder: Any, sums: list[Any], there: list[Any], rows: list[Any], adds: bool) -> None:
    """Write the rows that are there, or add them to what is written."""
    vectors = len(sums) // len(rows)
    for i, row in enumerate(rows):
        with builder.if_then(there[i], likely=True):
            for v, total in enumerate(sums[i * vectors : (i + 1) * vectors]):
                place = _lanes_at(builder, row, v)
                if adds:
                    total = builder.fadd(builder.load(place, align=4), total)
                builder.store(total, place, align=4)


def _tile(rows: int, vectors: int) -> Callable[..., None]:
    """Return the code of ``out[i, j] = sum(a[i, p] * b[p, j] for p)``, or ``+=`` where it adds.

    A matrix is given as an array, the place of its first element, and steps from row to row; `a`
    has steps between columns as well. Only ``count`` rows are there and written, if that is less
    than a tile has; there is at least one term.
    """

    @intrinsic
    def tile(
        _context: Any,
        a: Any, _a_first: Any, _down: Any, _along: Any, _count: Any,
        b: Any, _b_first: Any, _step: Any, _terms: Any,
        out: Any, _out_first: Any, _line: Any, _adds: Any,
    ) -> Any:  # fmt: skip
        def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
            def pointer(place: int) -> Any:
                return _pointer(context, builder, signature.args[place], *args[place : place + 2])

            down, along, count = args[2:5]
            step, terms = args[7:9]
            line, adds = args[11:13]
            there = [builder.icmp_signed("<", _index(i), count) for i in range(rows)]
            downs = [builder.select(one, down, _index(0)) for one in there]
            lines = [_row(builder, pointer(0), i, downs[i]) for i in range(rows)]
            sums = _sums(builder, lines, along, pointer(5), step, terms, vectors)
            places = [_row(builder, pointer(9), i, line) for i in range(rows)]
            with builder.if_else(builder.trunc(adds, ir.IntType(1))) as (then, otherwise):
                with then:
                    _put(builder, sums, there, places, adds=True)
                with otherwise:
                    _put(builder, sums, there, places, adds=False)
            return context.get_dummy_value()

        left, right, to = [types.intp] * 4, [types.intp] * 3, [types.intp] * 2
        return types.void(a, *left, b, *right, out, *to, types.boolean), generate

    return tile  # type: ignore[no-any-return]


wide_tile = _tile(WIDE_ROWS, WIDE // LANES)
narrow_tile = _tile(NARROW_ROWS, 1)
