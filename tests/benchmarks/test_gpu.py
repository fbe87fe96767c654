"""The command for a machine with a GPU: without one it says so."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from helpers import emulator, kernel_cases
from helpers.device_with_kernels import KernelGraphs
from helpers.mpi import mpirun_path
from helpers.rehearsed_gpu import rehearsed_gpu

from distgrad.backend.devices import device_count

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.skipif(device_count() > 0, reason="there is a GPU here")
def test_without_a_gpu_it_ends_with_status_2_and_says_why(tmp_path: Path) -> None:
    output = tmp_path / "result.json"
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.gpu", "--output", str(output)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 2
    assert "benchmarks.gpu: " in done.stderr
    assert "device='cpu'" in done.stderr
    assert not output.exists()


def test_the_report_tells_what_was_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(ROOT))
    from benchmarks.gpu import report

    versions = {"cupy": "14.2", "versions": {"numpy": "2.4", "torch": None}}
    result = {"date": "2026-01-01", "device": "GPU", "runtime_cuda": 13000, **versions}
    assert report.heading(result) == "2026-01-01, GPU, CUDA 13000, cupy 14.2, numpy 2.4"
    rows = [
        {"what": "copy", "expected": "4.3 TB/s", "values": {"TB/s": 4.25}},
        {"what": "product", "expected": "much", "error": "RuntimeError: no"},
    ]
    told = report.section("times", {"ok": False, "seconds": 1.5, "rows": rows})
    assert "times: NOT OK (1.5 s)" in told
    assert "| copy | TB/s 4.25 | 4.3 TB/s |" in told
    assert "| product | RuntimeError: no | much |" in told
    kernels = {"distances": {"gelu": {"float32": 2e-7}}, "wrong": ["gelu, float32: nan"]}
    told = report.section("kernels", {"ok": False, "seconds": 1, **kernels})
    assert "gelu                     float32 2e-07" in told
    assert "wrong: gelu, float32: nan" in told
    assert json.dumps(result)


ON_THE_DOUBLE = """\
import sys
sys.path.append({tests!r})
from helpers.strict_device import double
from distgrad.backend.arrays import provide
provide(double)
"""


@pytest.fixture
def rehearsed(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[KernelGraphs]:
    """The double in place of the GPU, in this process and in those that it starts."""
    monkeypatch.syspath_prepend(str(ROOT))
    from benchmarks.gpu import splits

    few = [case for case in kernel_cases.all_cases() if case.kernel.name in ("linear", "gelu")]
    monkeypatch.setattr(kernel_cases, "all_cases", lambda large: iter(few))
    monkeypatch.setattr(splits, "_RANKS", (2,))
    (tmp_path / "sitecustomize.py").write_text(ON_THE_DOUBLE.format(tests=str(ROOT / "tests")))
    monkeypatch.setenv("DISTGRAD_KERNELS", "numpy")  # nothing is to be compiled for the CPU
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(tmp_path), str(ROOT)]))
    # Runs on several ranks are tests/test_every_split_on_a_device.py, with more to compare.
    monkeypatch.setenv("PYTEST_ADDOPTS", "-p helpers.rehearsed_gpu -k 'not every_split'")
    with rehearsed_gpu() as graphs:
        yield graphs


@pytest.mark.skipif(
    not emulator.available() or mpirun_path() is None, reason="no g++ here, or no mpirun"
)
def test_the_whole_command_runs_on_the_double(
    rehearsed: KernelGraphs, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    from benchmarks.gpu.__main__ import main

    output = tmp_path / "result.json"
    status = main(["--output", str(output)])
    told = capsys.readouterr().out
    result = json.loads(output.read_text())
    assert status == 0, told
    left_out = {row["what"] for row in result["times"]["rows"] if "left_out" in row}
    assert left_out <= {"the same by PyTorch", "GPT 124M, 16x1024 tokens, bf16"}
    rows = {row["what"]: row["values"] for row in result["times"]["rows"] if "values" in row}
    assert all(value > 0 for name in rows for key, value in rows[name].items() if "%" not in key)
    between = rows["2 ranks on the GPU, 124M parameters"]
    assert set(between) >= {"copy TB/s", "ipc copy TB/s", "ipc ms", "staged ms", "ipc / limit"}
    assert len(result["splits"]["weights_sha256"]) == 1
    assert " passed, 3 deselected in " in result["tests"]["verdict"]
    assert rehearsed.recorded > 0
    for heading in ("kernels: ok", "times: ok", "splits: ok", "tests: ok"):
        assert heading in told
