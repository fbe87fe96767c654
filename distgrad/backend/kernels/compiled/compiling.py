"""How the functions of this column are compiled: once, kept on disk, with the same bits everywhere.

Nothing may let the compiler choose between results. Contraction and reassociation are off: where a
product and a sum are to be rounded once, the code says `fma`. What is left are operations with one
possible result each, however many lanes a loop is given, wherever an array begins and ends. Only
sums that are `reassociated` may be added up in another order than they are written in, one that the
compiler fixes for the function, the processor and the number of terms. They are loops that write
to no array: a loop that does exists twice, for arrays that overlap and for others.
"""

from collections.abc import Callable
from functools import partial
from typing import Any, TypeVar

import numba
from numba.core import types
from numba.extending import intrinsic

from distgrad.backend.kernels.compiled.cache import cache_folder

__all__ = [
    "compile_all",
    "compiled",
    "fma",
    "from_bits",
    "inlined",
    "reassociated",
    "times_power_of_two",
]

Function = TypeVar("Function", bound=Callable[..., Any])


class Compiled:
    """A function that is compiled, or loaded from the cache, when it is first called.

    Most processes call few of the column's functions.
    """

    def __init__(self, function: Callable[..., Any], signature: str, served: bool) -> None:
        self._function = function
        self._signature = signature
        self._call: Callable[..., Any] = self._first_call
        if served:
            _all.append(self)

    def __call__(self, *args: Any) -> Any:
        return self._call(*args)

    def _first_call(self, *args: Any) -> Any:
        self.compile()
        return self._call(*args)

    def compile(self) -> None:
        """Be ready to be called."""
        folder = cache_folder()
        before = numba.config.CACHE_DIR
        numba.config.CACHE_DIR = str(folder or "")
        try:
            self._call = numba.njit(
                self._signature, cache=folder is not None, nogil=True, error_model="numpy"
            )(self._function)
        finally:
            numba.config.CACHE_DIR = before


_all: list[Compiled] = []


def compile_all() -> None:
    """Compile every function of the modules that were imported, for the cache."""
    for function in _all:
        function.compile()


def compiled(signature: str, served: bool = True) -> Callable[[Callable[..., Any]], Compiled]:
    """Have a function compiled for arguments of these types.

    Where it is not ``served``, it is left out when all functions are compiled.
    """
    return partial(Compiled, signature=signature, served=served)


def inlined(function: Function) -> Function:
    """Let compiled functions call this one; it becomes part of them."""
    result: Function = numba.njit(nogil=True, error_model="numpy")(function)
    return result


def reassociated(function: Function) -> Function:
    """Let compiled functions call this sum, whose order the compiler may choose."""
    flags = {"reassoc", "nsz"}
    result: Function = numba.njit(nogil=True, error_model="numpy", fastmath=flags)(function)
    return result


@intrinsic
def fma(_context: Any, a: Any, b: Any, c: Any) -> Any:
    """``a * b + c``, rounded once."""

    def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        del context, signature
        return builder.fma(*args)

    return a(a, b, c), generate


@intrinsic
def from_bits(_context: Any, bits: Any) -> Any:  # noqa: ARG001 (numba looks at the names)
    """The float32 of the lowest 32 bits of a whole number."""

    def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        lowest = builder.trunc(args[0], context.get_value_type(types.int32))
        return builder.bitcast(lowest, context.get_value_type(signature.return_type))

    return types.float32(types.int64), generate


@intrinsic
def times_power_of_two(_context: Any, y: Any, n: Any) -> Any:
    """``y * 2 ** n``, where float32 n holds a whole number in the lowest bits of its mantissa."""

    def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        bits = context.get_value_type(types.int32)
        whole = builder.shl(builder.bitcast(args[1], bits), bits(23))
        scaled = builder.add(builder.bitcast(args[0], bits), whole)
        return builder.bitcast(scaled, context.get_value_type(signature.return_type))

    return y(y, n), generate
