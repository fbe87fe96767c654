"""Real file systems that are full or cannot be written, where root may mount some."""

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest


@contextmanager
def small_disk(path: Path, size: str, **options: object) -> Iterator[None]:
    """Mount a file system of this size at ``path``, in memory."""
    words = ",".join(f"{name}={value}" for name, value in {"size": size, **options}.items())
    with _mounted(path, "-t", "tmpfs", "-o", words, "tmpfs"):
        yield


@contextmanager
def read_only(path: Path) -> Iterator[None]:
    """Let nothing be written below ``path``, whoever one is."""
    with _mounted(path, "--bind", str(path)):
        _run("mount", "-o", "remount,ro,bind", str(path))
        yield


@contextmanager
def _mounted(path: Path, *words: str) -> Iterator[None]:
    _run("mount", *words, str(path))
    try:
        yield
    finally:
        _run("umount", "--lazy", str(path))


def _run(*command: str) -> None:
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=30, check=False)
    except OSError as error:
        pytest.skip(f"{command[0]}: {error}")
    if done.returncode:
        pytest.skip(f"{command[0]}: {done.stderr.splitlines()[0]}")
