import ast
import os
import subprocess
import sys
from pathlib import Path

import pytest

import distgrad.launcher

PACKAGE = Path(distgrad.launcher.__file__).parent
FILES = sorted(PACKAGE.glob("*.py"))


def imported_modules(path):
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "absolute imports only"
            yield node.module


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_a_file_imports_the_standard_library_and_the_launcher_only(path):
    for module in imported_modules(path):
        ours = module == "distgrad.launcher" or module.startswith("distgrad.launcher.")
        assert ours or module.partition(".")[0] in sys.stdlib_module_names, module


def test_importing_the_launcher_loads_nothing_heavy():
    code = "import sys, distgrad.launcher; print(*sys.modules)"
    child = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
        env=os.environ | {"PYTHONPATH": str(PACKAGE.parents[1])},
    )
    loaded = set(child.stdout.split())
    assert "distgrad.launcher" in loaded
    assert not loaded & {"mpi4py", "pydantic", "typer", "rich", "cupy", "sklearn", "safetensors"}


def test_the_public_names_are_these():
    assert distgrad.launcher.__all__ == ["LaunchError", "LaunchOptions", "launch", "preview"]
    for name in distgrad.launcher.__all__:
        assert getattr(distgrad.launcher, name).__doc__
