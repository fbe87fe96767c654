"""The programs of the pages for those who come from PyTorch and from Horovod."""

import pickle
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from helpers.mpi import environment, mpirun
from helpers.pages import DOCS, blocks, write_files

pytest.importorskip(
    "sklearn", reason="the programs train on scikit-learn's data: pip install 'distgrad[datasets]'"
)

EXAMPLES = DOCS / "examples"
FROM_PYTORCH = DOCS / "from-pytorch.md"
PAGES = {
    FROM_PYTORCH: ("pytorch_ddp.py", "from_pytorch.py"),
    DOCS / "from-horovod.md": ("horovod_torch.py", "from_horovod.py"),
}
PROGRAMS = [(page, program) for page, programs in PAGES.items() for program in programs]


def run(words, folder):
    """What a program prints; its processes end with it, also where it takes too long."""
    process = subprocess.Popen(
        [sys.executable, *map(str, words)],
        cwd=folder,
        env=environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        stdout, stderr = process.communicate(timeout=120)
    except subprocess.TimeoutExpired:
        process.terminate()  # torchrun ends its processes then
        raise
    assert process.returncode == 0, stderr
    return stdout


def run_on_two(words, folder):
    done = mpirun(2, ["python", *words], timeout=120, cwd=folder)
    assert done.returncode == 0, done.stderr
    return done.stdout


def losses(output):
    return [float(loss) for loss in re.findall(r"loss ([\d.]+)", output)]


def arrays(state):
    """The arrays of a checkpoint by name: those of the model, and the optimizer's momentum."""
    momentum = {
        f"momentum {number}": values["momentum_buffer"]
        for number, values in state["optimizer"]["state"].items()
    }
    return {name: value.numpy() for name, value in {**state["model"], **momentum}.items()}


@pytest.mark.parametrize(("page", "program"), PROGRAMS, ids=lambda value: Path(value).name)
def test_the_parts_on_the_page_make_the_program(page, program):
    parts = [block.text for block in blocks(page) if block.part == f"examples/{program}"]
    _, code = (EXAMPLES / program).read_text(encoding="utf-8").split('"""\n', 1)
    shown = [line for part in parts for line in part.splitlines() if line]
    assert shown == [line for line in code.splitlines() if line]


@pytest.mark.parametrize("program", [after for _, after in PAGES.values()])
def test_one_rank_and_two_that_go_on_from_a_checkpoint_give_the_same(program, tmp_path):
    script = EXAMPLES / program
    one = run([script, "--epochs", "2", "--checkpoint", "one.pickle"], tmp_path)
    two = [
        run_on_two([script, "--epochs", epochs, "--checkpoint", "two.pickle"], tmp_path)
        for epochs in "12"
    ]
    before, after = losses(one)
    assert after < before / 2
    assert one == "".join(two)
    first, second = (
        pickle.loads((tmp_path / f"{name}.pickle").read_bytes()) for name in ("one", "two")
    )
    for name, value in arrays(first).items():
        np.testing.assert_array_equal(arrays(second)[name], value, err_msg=name)


def test_the_loop_line_by_line_runs_on_two_ranks(tmp_path):
    (program,) = [block.text for block in blocks(FROM_PYTORCH, "python") if not block.mark]
    (tmp_path / "loop.py").write_text(program)
    run_on_two(["loop.py"], tmp_path)


def test_ddp_and_distgrad_make_the_same_steps(tmp_path):
    """From a checkpoint of DDP, on the same micro-batches: an epoch of 22 steps."""
    torch = pytest.importorskip("torch")
    before, after = PAGES[FROM_PYTORCH]
    torchrun = ["-m", "torch.distributed.run", "--standalone", "--nproc-per-node", 2]
    same_batches = [Path(__file__).parents[1] / "helpers" / "same_batches.py", 64, 16]
    ddp = [*torchrun, *same_batches, EXAMPLES / before, "--dropout", 0]

    run([*ddp, "--epochs", 1], tmp_path)
    started = torch.load(tmp_path / "digits.pt")
    write_files(FROM_PYTORCH, tmp_path)
    run(["convert.py"], tmp_path)
    ours = run([EXAMPLES / after, "--dropout", 0, "--epochs", 2], tmp_path)
    theirs = run([*ddp, "--epochs", 2], tmp_path)

    assert len(losses(theirs)) == 1
    np.testing.assert_allclose(losses(ours), losses(theirs), rtol=1e-5)
    expected = arrays(torch.load(tmp_path / "digits.pt"))
    found = arrays(pickle.loads((tmp_path / "digits.pickle").read_bytes()))
    seen_before = started["model"]["norm.num_batches_tracked"].item()
    # DDP follows the micro-batches of rank 0, here there are those of both.
    assert expected.pop("norm.num_batches_tracked") - seen_before == 44
    assert found["norm.num_batches_tracked"] - seen_before == 88
    for name, value in expected.items():
        if "running" not in name:
            np.testing.assert_allclose(found[name], value, rtol=0, atol=1e-5, err_msg=name)
