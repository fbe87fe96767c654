"""Parts of matrices, copied or turned to where a product reads or writes them in lanes."""

from typing import Any

from llvmlite import ir
from numba.core import types
from numba.extending import intrinsic

from distgrad.backend.kernels.compiled.compiling import inlined
from distgrad.backend.kernels.compiled.lanes import LANES, load, store

__all__ = ["copy", "turn"]

_vector = ir.VectorType(ir.FloatType(), LANES)
_index = ir.IntType(64)
_places = ir.VectorType(ir.IntType(32), LANES)


def _exchanged(builder: Any, a: Any, b: Any, distance: int) -> list[Any]:
    """Return both with the odd lanes of a and the even ones of b exchanged.

    Lanes are counted in steps of ``distance``.
    """
    odd = [bool(i & distance) for i in range(LANES)]
    evens = [LANES + i - distance if odd[i] else i for i in range(LANES)]
    odds = [LANES + i if odd[i] else i + distance for i in range(LANES)]
    return [builder.shuffle_vector(a, b, ir.Constant(_places, order)) for order in (evens, odds)]


@intrinsic
def _turn_block(
    _context: Any, x: Any, _first: Any, _line: Any, _rows: Any, y: Any, _to: Any, _step: Any
) -> Any:
    """Write a block of as many columns as there are lanes as rows.

    Of rows there are as many, too, or fewer: then the last one stands for those that are not there.
    """

    def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        def row(place: Any, step: Any) -> Any:
            return builder.gep(place, [step])

        def vector(place: Any) -> Any:
            return builder.bitcast(place, _vector.as_pointer())

        def start(array: int, first: Any) -> Any:
            kind = signature.args[array]
            return row(context.make_array(kind)(context, builder, args[array]).data, first)

        line, count, step = args[2], args[3], args[6]
        place, block = start(0, args[1]), []
        for i in range(LANES):
            block.append(builder.load(vector(place), align=4))
            there = builder.icmp_signed("<", _index(i + 1), count)
            place = row(place, builder.select(there, line, _index(0)))
        for distance in (1, 2, 4, 8):
            for i in range(LANES):
                if not i & distance:
                    pair = block[i], block[i + distance]
                    block[i], block[i + distance] = _exchanged(builder, *pair, distance)
        place = start(4, args[5])
        for lanes in block:
            builder.store(lanes, vector(place), align=4)
            place = row(place, step)
        return context.get_dummy_value()

    return types.void(x, *[types.intp] * 3, y, *[types.intp] * 2), generate


@inlined
def turn(x: Any, rows: int, columns: int, y: Any, roomy: bool) -> None:
    """Write the columns of a matrix as rows.

    A matrix is given as a flat array, its first place there, and how far it is from row to row.
    Where the rows of ``y`` have room for whole lanes, those are filled up with any values.
    """
    (source, first, line), (target, to, step) = x, y
    whole = columns // LANES * LANES
    for i in range(0, rows, LANES):
        here = min(rows - i, LANES)
        blocks = whole if here == LANES or roomy else 0
        for j in range(0, blocks, LANES):
            _turn_block(source, first + i * line + j, line, here, target, to + j * step + i, step)
        for k in range(i, i + here):
            for j in range(blocks, columns):
                target[to + j * step + k] = source[first + k * line + j]


@inlined
def copy(x: Any, rows: int, columns: int, y: Any) -> None:
    """Write a matrix to another place; both are given as those of `turn`."""
    (source, first, line), (target, to, step) = x, y
    whole = columns // LANES * LANES
    for i in range(rows):
        for j in range(0, whole, LANES):
            store(target, to + i * step + j, load(source, first + i * line + j))
        for j in range(whole, columns):
            target[to + i * step + j] = source[first + i * line + j]
