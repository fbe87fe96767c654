"""cublasLt by ctypes: matrix products that can be recorded in a graph, with bias and activation.

CuPy's own products call cuBLAS, which it refuses while a graph is recorded. Sums are in float32, or
float64; products of float32 are those of float32, unless the environment variable
``DISTGRAD_TF32=1`` lets them be of 19 bits, which is several times faster.

``C = A B`` is computed as ``C' = B' A'``: see `distgrad.backend.strided`.
"""

import ctypes
import os
from dataclasses import dataclass
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from distgrad.backend.arrays import Array, Namespace
from distgrad.backend.strided import Strided

__all__ = [
    "ALIGNMENT",
    "CONSTANTS",
    "WORKSPACE",
    "CublasLt",
    "Product",
    "described_products",
    "library",
    "pointer",
    "tf32",
]

WORKSPACE = 32 << 20

ALIGNMENT = 16
"""What every address is a multiple of, and the choice of an algorithm may rest on: so it, and with
it the bits of a result, are the same wherever the arrays lie."""

CONSTANTS = {
    "CUDA_R_32F": 0,
    "CUDA_R_64F": 1,
    "CUDA_R_16F": 2,
    "CUDA_R_16BF": 14,
    "CUBLAS_COMPUTE_32F": 68,
    "CUBLAS_COMPUTE_64F": 70,
    "CUBLAS_COMPUTE_32F_FAST_TF32": 77,
    "CUBLASLT_MATMUL_DESC_TRANSA": 3,
    "CUBLASLT_MATMUL_DESC_TRANSB": 4,
    "CUBLASLT_MATMUL_DESC_EPILOGUE": 7,
    "CUBLASLT_MATMUL_DESC_BIAS_POINTER": 8,
    "CUBLASLT_MATRIX_LAYOUT_BATCH_COUNT": 5,
    "CUBLASLT_MATRIX_LAYOUT_STRIDED_BATCH_OFFSET": 6,
    "CUBLASLT_MATMUL_PREF_MAX_WORKSPACE_BYTES": 1,
    "CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_A_BYTES": 5,
    "CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_B_BYTES": 6,
    "CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_C_BYTES": 7,
    "CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_D_BYTES": 8,
    "CUBLASLT_EPILOGUE_DEFAULT": 1,
    "CUBLASLT_EPILOGUE_RELU": 2,
    "CUBLASLT_EPILOGUE_BIAS": 4,
    "CUBLASLT_EPILOGUE_GELU": 32,
    "CUBLAS_STATUS_NOT_SUPPORTED": 15,
}
"""The library's own numbers, as its headers have them."""

_TYPES = {
    "float32": ("CUDA_R_32F", "CUBLAS_COMPUTE_32F", "CUDA_R_32F"),
    "float64": ("CUDA_R_64F", "CUBLAS_COMPUTE_64F", "CUDA_R_64F"),
    "float16": ("CUDA_R_16F", "CUBLAS_COMPUTE_32F", "CUDA_R_32F"),
    "bfloat16": ("CUDA_R_16BF", "CUBLAS_COMPUTE_32F", "CUDA_R_32F"),
}
"""For each data type what its elements are, what is computed in, and what alpha and beta are."""


@dataclass(frozen=True)
class Product:
    """What there is to be done about a product: equal ones are done by one algorithm.

    Attributes:
        dtype: The data type of all arrays.
        left: The first operand of cublasLt.
        right: The second.
        result: Where the result goes.
        batch: How many products there are.
        has_bias: Whether a bias is added, a number for each row of the result (as cublasLt sees
            it).
        activation: "", "relu" or "gelu" (by tanh), what is made of the result.
        tf32: Whether products of float32 may be of 19 bits.
    """

    dtype: str
    left: Strided
    right: Strided
    result: Strided
    batch: int
    has_bias: bool = False
    activation: str = ""
    tf32: bool = False

    @property
    def epilogue(self) -> int:
        """What is done with a result before it is written."""
        after = CONSTANTS[f"CUBLASLT_EPILOGUE_{self.activation.upper()}"] if self.activation else 0
        bias = CONSTANTS["CUBLASLT_EPILOGUE_BIAS"] if self.has_bias else 0
        return (after | bias) or CONSTANTS["CUBLASLT_EPILOGUE_DEFAULT"]


class CublasLt:
    """The library, with what it needs on one GPU.

    Args:
        xp: CuPy, or what has its memory and streams.
        functions: The library's functions.
    """

    def __init__(self, xp: Namespace, functions: Any) -> None:
        self._xp = xp
        self._functions = functions
        self._workspace = xp.empty(WORKSPACE, "uint8")
        self._handle = ctypes.c_void_p()
        self._call("cublasLtCreate", ctypes.byref(self._handle))
        self._plans: dict[Product, _Plan | None] = {}

    def _call(self, name: str, *args: Any, expected: int = 0) -> int:
        status = int(getattr(self._functions, name)(*args))
        if status not in (0, expected):
            raise RuntimeError(f"{name} failed with status {status} of cuBLAS")
        return status

    def multiply(
        self, product: Product, left: Array, right: Array, out: Array, bias: Array | None = None
    ) -> bool:
        """Compute a product into ``out``; the algorithm is chosen at the first of its kind.

        Returns:
            Whether it was computed; it is not where the library knows no algorithm for it.
        """
        if product not in self._plans:
            self._plans[product] = self._planned(product)
        plan = self._plans[product]
        if plan is None:
            return False
        if bias is not None:
            self._set(plan.work, "MatmulDesc", "MATMUL_DESC_BIAS_POINTER", pointer(bias))
        matrices: list[Any] = [
            argument
            for array, layout in zip((left, right, out, out), plan.layouts, strict=True)
            for argument in (pointer(array), layout)
        ]
        matrices.insert(4, ctypes.byref(plan.zero))
        self._call(
            "cublasLtMatmul",
            self._handle,
            plan.work,
            ctypes.byref(plan.one),
            *matrices,
            ctypes.byref(plan.algorithm),
            pointer(self._workspace),
            ctypes.c_size_t(WORKSPACE),
            ctypes.c_void_p(self._xp.cuda.get_current_stream().ptr),
        )
        return True

    def _planned(self, product: Product) -> "_Plan | None":
        stored, computed, scale = _TYPES[product.dtype]
        if product.tf32 and product.dtype == "float32":
            computed = "CUBLAS_COMPUTE_32F_FAST_TF32"
        work = ctypes.c_void_p()
        types = CONSTANTS[computed], CONSTANTS[scale]
        self._call("cublasLtMatmulDescCreate", ctypes.byref(work), *types)
        for name, value in (
            ("MATMUL_DESC_TRANSA", int(product.left.is_transposed)),
            ("MATMUL_DESC_TRANSB", int(product.right.is_transposed)),
            ("MATMUL_DESC_EPILOGUE", product.epilogue),
        ):
            self._set(work, "MatmulDesc", name, ctypes.c_int32(value))
        if product.has_bias:  # an address for its alignment alone, which counts in the choice
            place = ctypes.c_void_p(ALIGNMENT)
            self._set(work, "MatmulDesc", "MATMUL_DESC_BIAS_POINTER", place)
        operands = product.left, product.right, product.result
        layouts = [self._layout(matrix, stored, product.batch) for matrix in operands]
        layouts.append(layouts[-1])  # what is added to, times 0, is the result itself
        number = ctypes.c_double if product.dtype == "float64" else ctypes.c_float
        algorithm = self._algorithm(work, layouts)
        return None if algorithm is None else _Plan(work, layouts, algorithm, number(1), number(0))

    def _layout(self, matrix: Strided, stored: str, batch: int) -> ctypes.c_void_p:
        layout = ctypes.c_void_p()
        sizes = [ctypes.c_uint64(matrix.rows), ctypes.c_uint64(matrix.columns)]
        step = ctypes.c_int64(matrix.step)
        create = "cublasLtMatrixLayoutCreate"
        self._call(create, ctypes.byref(layout), CONSTANTS[stored], *sizes, step)
        self._set(layout, "MatrixLayout", "MATRIX_LAYOUT_BATCH_COUNT", ctypes.c_int32(batch))
        offset = ctypes.c_int64(matrix.batch_step)
        self._set(layout, "MatrixLayout", "MATRIX_LAYOUT_STRIDED_BATCH_OFFSET", offset)
        return layout

    def _algorithm(self, work: ctypes.c_void_p, layouts: list[Any]) -> "Heuristic | None":
        preference = ctypes.c_void_p()
        self._call("cublasLtMatmulPreferenceCreate", ctypes.byref(preference))
        limits: dict[str, Any] = {"MAX_WORKSPACE_BYTES": ctypes.c_size_t(WORKSPACE)}
        for array in "ABCD":
            limits[f"MIN_ALIGNMENT_{array}_BYTES"] = ctypes.c_uint32(ALIGNMENT)
        for name, limit in limits.items():
            self._set(preference, "MatmulPreference", f"MATMUL_PREF_{name}", limit)
        found, count = Heuristic(), ctypes.c_int()
        answer = ctypes.byref(found), ctypes.byref(count)
        given = self._handle, work, *layouts, preference, 1, *answer
        none = CONSTANTS["CUBLAS_STATUS_NOT_SUPPORTED"]
        status = self._call("cublasLtMatmulAlgoGetHeuristic", *given, expected=none)
        self._call("cublasLtMatmulPreferenceDestroy", preference)
        return None if status or not count.value or found.state else found

    def _set(self, of: ctypes.c_void_p, kind: str, name: str, value: Any) -> None:
        number = CONSTANTS[f"CUBLASLT_{name}"]
        size = ctypes.c_size_t(ctypes.sizeof(value))
        self._call(f"cublasLt{kind}SetAttribute", of, number, ctypes.byref(value), size)


class Heuristic(ctypes.Structure):
    """``cublasLtMatmulHeuristicResult_t``: an algorithm, which comes first, and what it needs."""

    _fields_ = (
        ("algorithm", ctypes.c_uint64 * 8),
        ("workspace", ctypes.c_size_t),
        ("state", ctypes.c_int),
        ("waves", ctypes.c_float),
        ("reserved", ctypes.c_int * 4),
    )


@dataclass
class _Plan:
    work: ctypes.c_void_p
    layouts: list[ctypes.c_void_p]
    algorithm: Heuristic
    one: Any
    zero: Any


def pointer(array: Array) -> ctypes.c_void_p:
    """Return where an array begins."""
    return ctypes.c_void_p(array.data.ptr)


@cache
def library() -> Any:
    """Return cublasLt's functions, from what CuPy has loaded or NVIDIA's wheel; None without."""
    names = [f"libcublasLt.so.{version}" for version in (13, 12)]
    found = find_spec("nvidia")  # of which each wheel brings a part
    folders = list(found.submodule_search_locations or ()) if found else []
    wheels = [str(p) for f in folders for p in sorted(Path(f).glob("*/lib/libcublasLt.so.*"))]
    for name in (*names, *wheels):
        try:
            return ctypes.CDLL(name)
        except OSError:
            continue
    return None


def tf32() -> bool:
    """Tell whether products of float32 may be of 19 bits."""
    return os.environ.get("DISTGRAD_TF32", "0") == "1"


def described_products() -> dict[str, str]:
    """Return what is special about products, by what it is called: their bits depend on it.

    Those that this library does not make are CuPy's, which has a setting of its own.

    Example:
        >>> described_products()
        {}
    """
    settings = [name for name in ("DISTGRAD_TF32", "CUPY_TF32") if os.environ.get(name) == "1"]
    return {"products of float32": f"in TF32 ({', '.join(settings)})"} if settings else {}
