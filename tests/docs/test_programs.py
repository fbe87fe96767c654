"""The programs in README and docs run as they stand, alone and under mpirun."""

import os
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from helpers.mpi import environment, mpirun
from helpers.pages import DOCS, PAGES, ROOT, blocks, name_of, write_files

pytest.importorskip(
    "sklearn", reason="the examples train on digits: pip install 'distgrad[datasets]'"
)

README = ROOT / "README.md"
WITH_PROGRAMS = [
    page
    for page in PAGES
    if page.is_relative_to(DOCS) and any(not block.mark for block in blocks(page, "python"))
]
WITH_COMMANDS = [page for page in PAGES if any(block.mark == "run" for block in blocks(page, "sh"))]


def run_alone(script: Path) -> str:
    done = subprocess.run(
        [sys.executable, script],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
        cwd=script.parent,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def run_on(ranks: int, script: Path) -> str:
    done = mpirun(ranks, [sys.executable, str(script)], timeout=120)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_the_library_example_of_the_readme_gives_every_rank_the_same_accuracy(tmp_path):
    (program,) = blocks(README, "python")
    assert len(program.text.splitlines()) <= 32
    script = tmp_path / "example.py"
    script.write_text(program.text)
    accuracies = set(re.findall(r"'accuracy': ([\d.]+)", run_alone(script) + run_on(3, script)))
    (accuracy,) = accuracies
    assert float(accuracy) > 0.9


def test_the_example_script_gives_one_hash_for_every_number_of_ranks():
    script = DOCS / "examples" / "digits.py"
    outputs = [run_alone(script), run_on(2, script), run_on(4, script)]
    results = {
        re.search(r"accuracy (\S+), weights (\w{64})", output).groups() for output in outputs
    }
    ((accuracy, _),) = results
    assert float(accuracy) > 0.95


def test_the_readme_names_the_two_commands():
    run, test = (block.text for block in blocks(README, "sh"))
    assert run.count("\n") == test.count("\n") == 1
    assert "configs/digits_mlp.toml" in run
    assert "-m pytest" in test


def test_the_page_on_containers_shows_the_file_that_makes_the_image():
    (shown,) = blocks(DOCS / "how-to" / "containers.md", "dockerfile")
    assert shown.text == (DOCS / "examples" / "Dockerfile").read_text()


@pytest.mark.parametrize("page", WITH_PROGRAMS, ids=name_of)
def test_the_blocks_of_a_page_make_a_program(page, tmp_path):
    write_files(page, tmp_path)
    if page.name == "fashion-mnist.md":
        make_images(tmp_path / "fashion/usr/share/datasets/fashion-mnist")
    script = tmp_path / "page.py"
    program = "\n\n".join(block.text for block in blocks(page, "python") if not block.mark)
    script.write_text(f"import warnings\nwarnings.simplefilter('error')\n\n{program}")
    run_alone(script)


@pytest.mark.parametrize("page", WITH_COMMANDS, ids=name_of)
def test_the_commands_of_a_page_run_on_its_files(page, tmp_path):
    write_files(page, tmp_path)
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    for block in blocks(page, "sh"):
        if block.mark == "run":
            done = subprocess.run(
                ["sh", "-e", "-c", block.text],
                cwd=tmp_path,
                env=environment({"PATH": path}),
                capture_output=True,
                text=True,
                timeout=240,
                check=False,
            )
            assert done.returncode == 0, done.stderr
            accuracy = re.search(r"accuracy ([\d.]+)", done.stdout)
            assert float(accuracy[1]) > 0.9, done.stdout


def make_images(folder: Path) -> None:
    """Write noise in the format of MNIST."""
    folder.mkdir(parents=True)
    rng = np.random.default_rng(0)
    for part in ("train", "t10k"):
        pixels = rng.integers(256, size=(64, 28, 28), dtype=np.uint8)
        labels = rng.integers(10, size=64, dtype=np.uint8)
        for name, array in (("images", pixels), ("labels", labels)):
            header = bytes([0, 0, 8, array.ndim]) + np.array(array.shape, ">u4").tobytes()
            file = folder / f"{part}-{name}-idx{array.ndim}-ubyte"
            file.write_bytes(header + array.tobytes())
