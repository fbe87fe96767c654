"""The column of kernels compiled by numba, for arrays of float32.

Each module holds some implementations and says in ``COLUMN`` under which kernels' names they
stand.
"""

import sys

from distgrad.backend.kernels.compiled.cache import (
    cache_folder,
    compiler,
    is_complete,
    mark_complete,
)
from distgrad.backend.kernels.compiled.compiling import compile_all
from distgrad.backend.kernels.table import Column

__all__ = ["compiler", "load_column", "to_be_compiled"]


def to_be_compiled() -> bool:
    """Tell whether all kernels are to be compiled now, for later processes."""
    return cache_folder() is not None and not is_complete()


def load_column() -> Column:
    """Return the column; if need be it is compiled first, which takes a quarter of a minute."""
    from distgrad.backend.kernels.compiled import (
        adaptive,
        convolution,
        gelu,
        loss,
        norm,
        optimizers,
        pooling,
        products,
        selection,
        softmax,
        sums,
    )

    if to_be_compiled():
        _say(f"compiling kernels, once, to be kept in {cache_folder()}")
        compile_all()
        mark_complete()
    elif cache_folder() is None:
        _say(
            "kernels are compiled as they are needed, in each process anew, because no folder can "
            "be written to; set NUMBA_CACHE_DIR to one"
        )
    return {
        **adaptive.COLUMN,
        **convolution.COLUMN,
        **gelu.COLUMN,
        **loss.COLUMN,
        **norm.COLUMN,
        **optimizers.COLUMN,
        **pooling.COLUMN,
        **products.COLUMN,
        **selection.COLUMN,
        **softmax.COLUMN,
        **sums.COLUMN,
    }


def _say(line: str) -> None:
    print(f"distgrad: {line}", file=sys.stderr, flush=True)
