"""The command for a machine with a GPU: without one it says so."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

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
