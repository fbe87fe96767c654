"""One process reads the memory of another, as an MPI does with large messages on one machine.

This file is also run as a script, by its path, so it imports nothing of distgrad:
``hold`` prints its process id and the address of `CONTENT` in its memory and waits for the end of
its input; ``read PID ADDRESS`` reads there and prints what it finds.
"""

import ctypes
import os
import sys

CONTENT = b"distgrad preflight"

_PR_SET_PTRACER = 0x59616D61
_PR_SET_PTRACER_ANY = ctypes.c_ulong(-1)


class _IoVector(ctypes.Structure):
    _fields_ = (("base", ctypes.c_void_p), ("length", ctypes.c_size_t))


def read(process: int, address: int) -> bytes:
    """Reads as many bytes as `CONTENT` has from another process (``process_vm_readv``).

    Raises:
        PermissionError: if the system forbids it.
        OSError: if there is no such process, memory or system call.
    """
    libc = ctypes.CDLL(None, use_errno=True)
    if not hasattr(libc, "process_vm_readv"):
        raise OSError("this system has no process_vm_readv")
    buffer = ctypes.create_string_buffer(len(CONTENT))
    here = _IoVector(ctypes.addressof(buffer), len(CONTENT))
    there = _IoVector(address, len(CONTENT))
    libc.process_vm_readv.restype = ctypes.c_ssize_t
    arguments = (ctypes.byref(here), ctypes.c_ulong(1), ctypes.byref(there), ctypes.c_ulong(1))
    if libc.process_vm_readv(process, *arguments, ctypes.c_ulong(0)) != len(CONTENT):
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))
    return buffer.raw


def read_own() -> bytes:
    """Reads memory of this process itself, which only a filter of system calls can forbid."""
    buffer = ctypes.create_string_buffer(CONTENT)
    return read(os.getpid(), ctypes.addressof(buffer))


def allow_siblings() -> None:
    """Lets every process of this user read this one, where Yama would let only its parents."""
    ctypes.CDLL(None).prctl(_PR_SET_PTRACER, _PR_SET_PTRACER_ANY, 0, 0, 0)


def _main(action: str, *arguments: str) -> None:
    if action == "read":
        process, address = map(int, arguments)
        try:
            print(read(process, address).decode(errors="replace"))
        except OSError as error:
            sys.exit(str(error))
        return
    buffer = ctypes.create_string_buffer(CONTENT)
    if action == "hold-open":
        allow_siblings()
    print(os.getpid(), ctypes.addressof(buffer), flush=True)
    sys.stdin.read()


if __name__ == "__main__":
    _main(*sys.argv[1:])
