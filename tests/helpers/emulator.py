"""CUDA C on the host: kernels compiled by g++ and run with a fiber for each thread.

`RawModule` has the face of CuPy's. So launchers run on arrays of NumPy, and what they compute can
be compared with the references where there is no GPU.
"""

import ctypes
import hashlib
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import numpy as np

__all__ = ["RawModule", "available", "backward", "numpy_with_kernels"]

_HEADER = Path(__file__).with_suffix(".h")
_folder = tempfile.TemporaryDirectory(prefix="distgrad-emulator-")
_run_backward = [False]
_SIZES = {"float": 4, "double": 8, "float16": 2, "bfloat16": 2, "i64": 8, "u64": 8}
_SIZES |= {"int": 4, "unsigned": 4, "bool": 1}


def available() -> bool:
    """Tell whether kernels can be compiled for this machine."""
    return sys.platform == "linux" and shutil.which("g++") is not None


@contextmanager
def backward() -> Iterator[None]:
    """Run threads and blocks from the last to the first, inside the block."""
    _run_backward[0] = True
    try:
        yield
    finally:
        _run_backward[0] = False


class RawModule:
    """CUDA C, compiled for the host.

    Args:
        code: The source.
        options: Those of NVRTC; the definitions among them are heeded.
    """

    def __init__(self, *, code: str, options: Sequence[str] = ()) -> None:
        definitions = tuple(option for option in options if option.startswith("-D"))
        self._library = _compiled(code, definitions)
        given = dict(definition[2:].split("=") for definition in definitions)
        self._sizes = {"T": _SIZES[given["STORED"]], "A": _SIZES[given["COMPUTED"]]}

    def get_function(self, name: str) -> "Function":
        return Function(self._library, name, {**_SIZES, **self._sizes})


class Function:
    """A kernel: called with grid, block and arguments, it has run when the call returns."""

    def __init__(self, library: ctypes.PyDLL, name: str, sizes: dict[str, int]) -> None:
        self._sizes = sizes
        self._emulate = library.emulate
        self._emulate.restype = ctypes.c_char_p
        self._launch = ctypes.cast(getattr(library, f"launch_{name}"), ctypes.c_void_p)
        parameters = ctypes.c_char_p.in_dll(library, f"parameters_{name}").value
        assert parameters is not None
        self._parameters = parameters.decode().split(",")
        self._name = name

    def __call__(
        self,
        grid: Sequence[int],
        block: Sequence[int],
        args: Sequence[Any],
        *,
        shared_mem: int = 0,  # the emulated block has all that there is
    ) -> None:
        assert len(args) == len(self._parameters), (self._name, len(args), self._parameters)
        strided = any(parameter.endswith("strides") for parameter in self._parameters)
        values = [self._word(a, p, strided) for a, p in zip(args, self._parameters, strict=True)]
        pointers = (ctypes.c_void_p * len(values))(*[v.ctypes.data for v in values])
        sizes = [(ctypes.c_uint * 3)(*((*shape, 1, 1)[:3])) for shape in (grid, block)]
        complaint = self._emulate(self._launch, *sizes, pointers, ctypes.c_bool(_run_backward[0]))
        assert complaint is None, f"{self._name}: {complaint.decode()}"

    def _word(self, value: Any, parameter: str, strided: bool) -> Any:
        """Return an array that holds the argument as the kernel reads it."""
        kind = parameter.replace("const ", "").split()[0]
        if "*" in kind and isinstance(value, np.uint64):
            assert value == 0, (value, parameter)
            return np.array([value])
        assert value.dtype.itemsize == self._sizes[kind.rstrip("*")], (value.dtype, parameter)
        if "*" not in kind:
            assert (value.dtype.kind == "f") == (kind in ("A", "double")), (value, parameter)
            return np.array([value])
        assert strided or value.flags.c_contiguous, parameter
        return np.array([value.ctypes.data], np.uint64)


_KERNEL = re.compile(r'extern "C" __global__ void (?:__launch_bounds__\(\w+\) )?(\w+)\(([^)]*)\)')


@cache
def _compiled(code: str, definitions: tuple[str, ...]) -> ctypes.PyDLL:
    text = [f'#include "{_HEADER}"', code]
    for name, parameters in _KERNEL.findall(code):
        plain = " ".join(parameters.split())
        text.append(f'extern "C" void launch_{name}(void** given) {{ call({name}, given); }}')
        text.append(f'extern "C" const char* parameters_{name} = "{plain}";')
    digest = hashlib.sha256("\n".join((*text, *definitions)).encode()).hexdigest()[:16]
    base = Path(_folder.name) / digest
    base.with_suffix(".cpp").write_text("\n".join(text))
    command = ["g++", "-std=c++17", "-O0", "-fPIC", "-shared", "-ffp-contract=off", "-w"]
    files = [str(base.with_suffix(".cpp")), "-o", str(base.with_suffix(".so"))]
    command += [*definitions, *files]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return ctypes.PyDLL(str(base.with_suffix(".so")))


def numpy_with_kernels() -> ModuleType:
    """Return an array module that is NumPy with a `RawModule`, whose new arrays hold nonsense."""
    module = ModuleType("numpy_with_kernels")
    module.__dict__.update(vars(np))
    stream = SimpleNamespace(ptr=0, is_capturing=lambda: False)
    module.__dict__.update(
        RawModule=RawModule,
        cuda=SimpleNamespace(get_current_stream=lambda: stream),
        empty=_poisoned,
        empty_like=_poisoned_like,
    )
    return module


def _poisoned(*args: Any, **options: Any) -> np.ndarray:
    array = np.empty(*args, **options)
    array.reshape(-1).view(np.uint8)[...] = 0xFF  # nan
    return array


def _poisoned_like(prototype: np.ndarray) -> np.ndarray:
    return _poisoned(prototype.shape, prototype.dtype)
