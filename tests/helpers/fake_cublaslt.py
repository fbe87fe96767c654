"""cublasLt's functions in Python: they read matrices column by column, as the library does."""

import ctypes
import math
from importlib.util import find_spec
from typing import Any

import numpy as np
from helpers.strict_device import double

from distgrad.backend.cublaslt import ALIGNMENT, CONSTANTS, WORKSPACE
from distgrad.backend.dtypes import data_type

__all__ = ["FakeCublasLt"]

_NAMES = {number: name for name, number in CONSTANTS.items() if name.startswith("CUDA_R_")}
_TYPES = {"CUDA_R_32F": np.float32, "CUDA_R_64F": np.float64, "CUDA_R_16F": np.float16}
if find_spec("ml_dtypes"):
    _TYPES["CUDA_R_16BF"] = data_type("bfloat16").type


class FakeCublasLt:
    """The functions that are used.

    Attributes:
        chosen: How often an algorithm was chosen.
        computed: What each product was computed in.
    """

    def __init__(self) -> None:
        self._made: dict[int, dict[Any, Any]] = {}
        self.chosen = 0
        self.computed: list[int] = []

    def _make(self, place: Any, **known: Any) -> int:
        number = len(self._made) + 1
        self._made[number] = known
        place._obj.value = number
        return 0

    def _of(self, handle: ctypes.c_void_p) -> dict[Any, Any]:
        return self._made[handle.value or 0]

    def cublasLtCreate(self, place: Any) -> int:
        return self._make(place)

    def cublasLtMatmulDescCreate(self, place: Any, compute: int, scale: int) -> int:
        return self._make(place, compute=compute, scale=scale)

    def cublasLtMatrixLayoutCreate(
        self, place: Any, dtype: int, rows: Any, columns: Any, step: Any
    ) -> int:
        known = {"dtype": _TYPES[_NAMES[dtype]], "step": step.value}
        return self._make(place, rows=rows.value, columns=columns.value, **known)

    def cublasLtMatmulPreferenceCreate(self, place: Any) -> int:
        return self._make(place)

    def cublasLtMatmulPreferenceDestroy(self, handle: Any) -> int:
        self._made[handle.value] = {}
        return 0

    def _set(self, handle: Any, attribute: int, value: Any, size: Any) -> int:
        assert size.value == ctypes.sizeof(value._obj)
        self._of(handle)[attribute] = value._obj.value
        return 0

    cublasLtMatmulDescSetAttribute = _set  # noqa: N815 (the library's)
    cublasLtMatrixLayoutSetAttribute = _set  # noqa: N815 (the library's)
    cublasLtMatmulPreferenceSetAttribute = _set  # noqa: N815 (the library's)

    def cublasLtMatmulAlgoGetHeuristic(self, handle: Any, *given: Any) -> int:
        *_, preference, wanted, found, count = given
        assert wanted == 1
        limits = self._of(preference)
        assert limits[CONSTANTS["CUBLASLT_MATMUL_PREF_MAX_WORKSPACE_BYTES"]] == WORKSPACE
        assert limits[CONSTANTS["CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_A_BYTES"]] == ALIGNMENT
        assert ctypes.sizeof(found._obj) == 96
        self.chosen += 1
        count._obj.value = 1
        return 0

    def cublasLtMatmul(self, handle: Any, work: Any, one: Any, *given: Any) -> int:
        known = {**self._of(work)}  # as it is now, also in the replays of a graph
        multiply = lambda: self._multiply(known, one, *given)  # noqa: E731
        multiply()
        if double.recorded is not None:
            double.recorded.append(multiply)
        return 0

    def _multiply(self, known: Any, one: Any, *given: Any) -> None:
        a, a_layout, b, b_layout, zero, c, c_layout, d, d_layout, *_ = given
        assert (one._obj.value, zero._obj.value, c.value, c_layout) == (1, 0, d.value, d_layout)
        self.computed.append(known["compute"])
        left = self._read(a, a_layout, known[CONSTANTS["CUBLASLT_MATMUL_DESC_TRANSA"]])
        right = self._read(b, b_layout, known[CONSTANTS["CUBLASLT_MATMUL_DESC_TRANSB"]])
        wide = np.float64 if left.dtype == np.float64 else np.float32
        product = np.matmul(left.astype(wide), right.astype(wide))
        self._read(d, d_layout, 0)[...] = self._finished(product, known, left.dtype)

    def _finished(self, product: Any, known: Any, dtype: Any) -> Any:
        epilogue = known[CONSTANTS["CUBLASLT_MATMUL_DESC_EPILOGUE"]]
        if epilogue & CONSTANTS["CUBLASLT_EPILOGUE_BIAS"]:
            place = known[CONSTANTS["CUBLASLT_MATMUL_DESC_BIAS_POINTER"]]
            product = product + _memory(place, product.shape[-2], dtype)[:, None]
        if epilogue & CONSTANTS["CUBLASLT_EPILOGUE_RELU"]:
            product = np.maximum(product, 0)
        if epilogue & CONSTANTS["CUBLASLT_EPILOGUE_GELU"]:
            inner = math.sqrt(2 / math.pi) * (product + 0.044715 * product**3)
            product = 0.5 * product * (1 + np.tanh(inner))
        return product

    def _read(self, pointer: Any, layout: Any, transposed: int) -> Any:
        known = self._of(layout)
        rows, columns, step = known["rows"], known["columns"], known["step"]
        batch = known[CONSTANTS["CUBLASLT_MATRIX_LAYOUT_BATCH_COUNT"]]
        offset = known[CONSTANTS["CUBLASLT_MATRIX_LAYOUT_STRIDED_BATCH_OFFSET"]]
        assert pointer.value % ALIGNMENT == 0
        assert step >= rows
        size = (batch - 1) * offset + (columns - 1) * step + rows
        memory = _memory(pointer.value, size, known["dtype"])
        strides = [n * memory.itemsize for n in (offset, 1, step)]
        found = np.lib.stride_tricks.as_strided(memory, (batch, rows, columns), strides)
        return found.swapaxes(1, 2) if transposed else found


def _memory(place: int, size: int, dtype: Any) -> np.ndarray:
    nbytes = size * np.dtype(dtype).itemsize
    return np.frombuffer((ctypes.c_char * nbytes).from_address(place), dtype)
