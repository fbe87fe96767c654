"""The malloc settings, each in a process of its own: they cannot be undone."""

import os
import subprocess
import sys

import pytest

from distgrad.backend.memory import tune_malloc
from distgrad.errors import UsageError

# One array is larger than what glibc can be told to serve from the heap, the others than what it
# does by itself at first; together they exceed what it keeps at the heap's end. 24 MiB are 6,144
# pages of 4 KiB.
FAULTS = """
import resource
import numpy as np
from distgrad.backend.memory import tune_malloc

def step():
    return [np.ones(size << 20, np.uint8) for size in (24, 24, 48)]

tuned = tune_malloc()
step()
before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
for _ in range(5):
    step()
print(tuned, resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
"""


def is_glibc() -> bool:
    try:
        return "glibc" in (os.confstr("CS_GNU_LIBC_VERSION") or "")
    except (AttributeError, ValueError):
        return False


needs_glibc = pytest.mark.skipif(not is_glibc(), reason="needs glibc")


def measured(malloc: str | None) -> tuple[bool, int]:
    environment = {k: v for k, v in os.environ.items() if "MALLOC" not in k}
    if malloc:
        environment["DISTGRAD_MALLOC"] = malloc
    child = subprocess.run(
        [sys.executable, "-c", FAULTS],
        env=environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    tuned, faults = child.stdout.split()
    return tuned == "True", int(faults)


@needs_glibc
@pytest.mark.parametrize("malloc", [None, "tuned"])
def test_freed_memory_is_reused_without_page_faults(malloc):
    tuned, faults = measured(malloc)
    assert tuned
    assert faults < 100


@needs_glibc
def test_opting_out_leaves_the_allocator_alone():
    tuned, faults = measured("system")
    assert not tuned
    assert faults > 1000


def test_does_nothing_where_there_is_no_glibc(monkeypatch):
    def unknown(name):
        raise ValueError("unrecognized configuration name")

    monkeypatch.delenv("DISTGRAD_MALLOC", raising=False)
    monkeypatch.setattr(os, "confstr", unknown)
    assert tune_malloc() is False


def test_refuses_an_unknown_choice(monkeypatch):
    monkeypatch.setenv("DISTGRAD_MALLOC", "jemalloc")
    with pytest.raises(
        UsageError, match=r"DISTGRAD_MALLOC must be 'system' or 'tuned'.*'jemalloc'"
    ):
        tune_malloc()
