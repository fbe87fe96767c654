"""Check and measure distgrad on a GPU, in under ten minutes.

Every kernel is compared with its reference in float64, the tests in tests/gpu run, one training
run is divided over ranks in several ways, and a table of times is made, with PyTorch's beside ours
where PyTorch with CUDA is installed. The result is a JSON file in benchmarks/results/gpu.

    python -m benchmarks.gpu

Exit status: 0 done; 1 something is not right; 2 there is no GPU here.
"""

import argparse
import json
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from time import monotonic
from typing import Any

from distgrad.backend.devices import read_device
from distgrad.errors import DeviceError

_RESULTS = Path(__file__).resolve().parents[1] / "results" / "gpu"
_SECONDS = 570.0


def main(arguments: list[str] | None = None) -> int:
    options = _parser().parse_args(arguments)
    try:
        read_device("cuda:0")
    except DeviceError as error:
        print(f"benchmarks.gpu: {error}", file=sys.stderr)
        return 2
    return _measure(options)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.gpu", description=__doc__)
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("--output", type=Path, help=f"the JSON file (in {_RESULTS})")
    return parser


def _measure(options: argparse.Namespace) -> int:
    from benchmarks.gpu import correctness, report, rows, splits, suite
    from benchmarks.gpu.facts import facts

    end = monotonic() + _SECONDS
    result: dict[str, Any] = {"date": datetime.now(UTC).isoformat(timespec="seconds"), **facts()}
    print(report.heading(result), flush=True)
    sections: dict[str, Callable[[float], Any]] = {
        "kernels": correctness.check_all,
        "times": rows.measure_all,
        "splits": splits.hashes,
        "tests": suite.run,
    }
    for name, section in sections.items():
        start = monotonic()
        try:
            result[name] = section(end)
        except Exception as error:  # the other sections are worth having all the same
            result[name] = {"ok": False, "error": f"{type(error).__name__}: {error}"}
        result[name]["seconds"] = round(monotonic() - start, 1)
        print(report.section(name, result[name]), flush=True)
    path = options.output or _RESULTS / f"{result['date'][:19].replace(':', '')}.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(result, indent=2) + "\n")
    print(f"written to {path}")
    return 0 if all(result[name]["ok"] for name in sections) else 1


if __name__ == "__main__":
    sys.exit(main())
