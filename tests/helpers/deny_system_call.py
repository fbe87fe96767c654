"""Runs a command for which the kernel refuses one system call, as a container's filter does.

``python deny_system_call.py NAME COMMAND...``; exit status 77 where this cannot be done.
"""

import ctypes
import os
import platform
import struct
import sys

NUMBERS = {
    ("process_vm_readv", "x86_64"): 310,
    ("process_vm_readv", "aarch64"): 270,
}
CANNOT = 77

_PR_SET_NO_NEW_PRIVS, _PR_SET_SECCOMP = 38, 22
_FILTER = 2
_LOAD, _JUMP_IF_EQUAL, _RETURN = 0x20, 0x15, 0x06
_ALLOW, _REFUSE_WITH_EPERM = 0x7FFF0000, 0x00050001


class _Program(ctypes.Structure):
    _fields_ = (("length", ctypes.c_ushort), ("filter", ctypes.c_void_p))


def deny(number):
    instructions = [
        (_LOAD, 0, 0, 0),  # the number of the call
        (_JUMP_IF_EQUAL, 1, 0, number),
        (_RETURN, 0, 0, _ALLOW),
        (_RETURN, 0, 0, _REFUSE_WITH_EPERM),
    ]
    code = ctypes.create_string_buffer(b"".join(struct.pack("HBBI", *i) for i in instructions))
    program = _Program(len(instructions), ctypes.addressof(code))
    prctl = ctypes.CDLL(None).prctl
    return (
        prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
        == 0
        == prctl(_PR_SET_SECCOMP, _FILTER, ctypes.byref(program), 0, 0)
    )


if __name__ == "__main__":
    number = NUMBERS.get((sys.argv[1], platform.machine()))
    if number is None or not deny(number):
        sys.exit(CANNOT)
    os.execvp(sys.argv[2], sys.argv[2:])
