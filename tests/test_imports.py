"""Imports go one way, heavy modules stay where they belong, and importing changes nothing."""

import ast
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import distgrad

PACKAGE = Path(distgrad.__file__).parent
FILES = [path for path in sorted(PACKAGE.rglob("*.py")) if path != PACKAGE / "__init__.py"]

# Highest first: a part may import itself and what stands below it, nothing beside or above it.
LAYERS = [
    {"__main__"},
    {"cli"},
    {"launcher", "training"},
    {"distributed.data_parallel"},
    {"optim"},
    {"nn", "data"},
    {"functional"},
    {"creation", "cuda", "tracing"},
    {"tensor"},
    {"autograd"},
    {"ops", "flat"},
    {"backend"},
    {"cgroup", "errors", "interruption", "_version"},
]
RANK = {part: rank for rank, layer in enumerate(LAYERS) for part in layer}

# Communication knows arrays only; what it is used by stands above it.
OF_DISTRIBUTED = {"backend", "cgroup", "flat", "errors", "_version"}
USERS_OF_DISTRIBUTED = {"cli", "training", "distributed.data_parallel"}

# Where a third-party module may be named, beside numpy, which may be named anywhere.
PLACES = {
    "cupy": ["backend/"],
    "llvmlite": ["backend/kernels/compiled/"],
    "ml_dtypes": ["backend/bfloat16.py"],
    "mpi4py": ["distributed/mpi.py"],
    "numba": ["backend/kernels/compiled/"],
    "pydantic": ["training/", "cli"],
    "pydantic_core": ["training/", "cli"],
    "rich": ["training/", "cli"],
    "typer": ["cli"],
    "safetensors": ["nn/weights.py", "training/"],
    "sklearn": ["data/sources/"],
    "threadpoolctl": ["backend/"],
}


def name_of(path: Path) -> str:
    """The file's name within the package, with slashes."""
    return path.relative_to(PACKAGE).as_posix()


def part_of(module: str) -> str:
    """The part of the package that a module belongs to; "" for the package itself."""
    names = module.split(".")[1:]
    if names[:2] == ["distributed", "data_parallel"]:
        return "distributed.data_parallel"
    return names[0] if names else ""


def module_of(path: Path) -> str:
    names = path.relative_to(PACKAGE.parent).with_suffix("").parts
    return ".".join(names[:-1] if names[-1] == "__init__" else names)


def is_module(name: str) -> bool:
    path = PACKAGE.parent.joinpath(*name.split("."))
    return path.with_suffix(".py").exists() or (path / "__init__.py").exists()


def imported(path: Path) -> Iterator[str]:
    """Every module that a file imports, at whatever depth of its code."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: imports are absolute"
            for alias in node.names:
                name = f"{node.module}.{alias.name}"
                yield name if is_module(name) else node.module


def may_import(importer: str, other: str) -> bool:
    if importer == other:
        return True
    if importer == "distributed":
        return other in OF_DISTRIBUTED
    if other == "distributed":
        return importer in USERS_OF_DISTRIBUTED
    if importer == "launcher":
        return other == "cgroup"
    if other not in RANK:
        return False
    return RANK[other] > RANK[importer]


@pytest.mark.parametrize("path", FILES, ids=name_of)
def test_imports_go_one_way(path: Path) -> None:
    importer = part_of(module_of(path))
    for module in imported(path):
        if module.split(".")[0] != "distgrad":
            continue
        other = part_of(module)
        if name_of(path) == "distributed/__init__.py" and other == "distributed.data_parallel":
            continue  # the door of the folder
        assert may_import(importer, other), f"{name_of(path)} must not import {module}"


def test_every_part_has_its_place() -> None:
    parts = {part_of(module_of(path)) for path in FILES}
    assert parts - {"distributed"} <= set(RANK)


@pytest.mark.parametrize("path", FILES, ids=name_of)
def test_third_party_modules_stay_where_they_belong(path: Path) -> None:
    for module in imported(path):
        top = module.split(".")[0]
        if top in sys.stdlib_module_names or top in {"distgrad", "numpy"}:
            continue
        assert top in PLACES, f"{name_of(path)} imports {top}, which is not a dependency"
        allowed = any(name_of(path).startswith(place) for place in PLACES[top])
        assert allowed, f"{name_of(path)} must not import {top}"


OF_LAUNCHER = {"launcher", "cgroup"}


@pytest.mark.parametrize(
    "path", [path for path in FILES if part_of(module_of(path)) in OF_LAUNCHER], ids=name_of
)
def test_the_launcher_knows_the_standard_library_only(path: Path) -> None:
    for module in imported(path):
        assert module.split(".")[0] in sys.stdlib_module_names or part_of(module) in OF_LAUNCHER


def python(code: str) -> None:
    """Run code in a fresh interpreter, where warnings are errors too."""
    result = subprocess.run(
        [sys.executable, "-W", "error", "-c", code],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        env=os.environ | {"PYTHONPATH": str(PACKAGE.parent)},
    )
    assert result.returncode == 0, result.stderr


def test_importing_loads_nothing_heavy() -> None:
    python(
        """
import sys
import distgrad
distgrad.nn, distgrad.optim, distgrad.data, distgrad.distributed
heavy = {
    "mpi4py", "cupy", "pydantic", "rich", "typer", "sklearn", "scipy", "torch", "threadpoolctl",
    "safetensors", "numba", "ml_dtypes", "matplotlib", "tensorboard", "pytest",
}
assert not heavy & set(sys.modules), heavy & set(sys.modules)
"""
    )


def test_parts_are_imported_when_they_are_asked_for() -> None:
    python(
        """
import sys
import distgrad
later = {"distgrad.data", "distgrad.distributed", "distgrad.nn", "distgrad.optim"}
assert not later & set(sys.modules), later & set(sys.modules)
assert later <= {f"distgrad.{name}" for name in distgrad.__all__}
assert distgrad.nn.Linear and distgrad.optim.SGD and distgrad.data.DataLoader
assert distgrad.distributed.connect
try:
    distgrad.convolve
except AttributeError as error:
    assert str(error) == "module 'distgrad' has no attribute 'convolve'", error
else:
    raise AssertionError("an unknown name is an error")
"""
    )


def test_importing_changes_nothing_in_the_host() -> None:
    python(
        """
import locale, logging, os, random, signal, sys, threading, warnings
import numpy

def state():
    return {
        "environment": dict(os.environ),
        "errstate": numpy.geterr(),
        "print options": numpy.get_printoptions(),
        "handlers": [signal.getsignal(number) for number in sorted(signal.valid_signals())],
        "excepthook": (sys.excepthook, threading.excepthook, sys.unraisablehook),
        "threads": threading.enumerate(),
        "filters": list(warnings.filters),
        "random": random.getstate(),
        "numpy.random": [str(part) for part in numpy.random.get_state()],
        "path": list(sys.path),
        "limits": (sys.getrecursionlimit(), sys.getswitchinterval()),
        "locale": locale.setlocale(locale.LC_ALL),
        "logging": (logging.root.level, list(logging.root.handlers)),
        "directory": os.getcwd(),
        "hooks": (list(sys.meta_path), list(sys.path_hooks)),
    }

before = state()
import distgrad
distgrad.nn, distgrad.optim, distgrad.data, distgrad.distributed
after = state()
for name in before:
    assert before[name] == after[name], (name, before[name], after[name])
"""
    )


def test_importing_leaves_blas_threads_alone() -> None:
    pytest.importorskip("threadpoolctl")
    python(
        """
import numpy
from threadpoolctl import threadpool_info
before = threadpool_info()
import distgrad
assert threadpool_info() == before
"""
    )
