"""NVRTC by ctypes: the compiler alone, which needs neither a GPU nor a driver, nor CuPy."""

import ctypes
from collections.abc import Sequence
from ctypes.util import find_library
from functools import cache
from pathlib import Path

__all__ = ["compile_cubin", "library"]


@cache
def library() -> ctypes.CDLL | None:
    """Return NVRTC, from NVIDIA's wheel or from the system; None where there is none."""
    try:
        import nvidia
    except ImportError:
        folders = []
    else:
        folders = [Path(folder) for folder in nvidia.__path__]
    found = [str(p) for folder in folders for p in folder.glob("*/lib/libnvrtc.so.*")]
    for name in (*found, find_library("nvrtc")):
        if name:
            return ctypes.CDLL(name)
    return None


def compile_cubin(code: str, options: Sequence[str]) -> bytes:
    """Return machine code for CUDA C.

    Raises:
        ValueError: With what the compiler says.
    """
    nvrtc = library()
    assert nvrtc is not None
    program = ctypes.c_void_p()
    assert not nvrtc.nvrtcCreateProgram(ctypes.byref(program), code.encode(), b"", 0, None, None)
    try:
        given = (ctypes.c_char_p * len(options))(*[option.encode() for option in options])
        if nvrtc.nvrtcCompileProgram(program, len(options), given):
            raise ValueError(_text(nvrtc, "ProgramLog", program).decode())
        return _text(nvrtc, "CUBIN", program)
    finally:
        nvrtc.nvrtcDestroyProgram(ctypes.byref(program))


def _text(nvrtc: ctypes.CDLL, what: str, program: ctypes.c_void_p) -> bytes:
    size = ctypes.c_size_t()
    assert not getattr(nvrtc, f"nvrtcGet{what}Size")(program, ctypes.byref(size))
    text = ctypes.create_string_buffer(size.value)
    assert not getattr(nvrtc, f"nvrtcGet{what}")(program, text)
    return text.raw
