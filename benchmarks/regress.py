"""Compares two commits of this repository in interleaved rounds of one run.

python benchmarks/regress.py HEAD~1 HEAD                all claims, two ranks
python benchmarks/regress.py v0.1.0 main mlp gpt --ranks 1 --bound 1.03

Both commits run the workers of this working tree, which itself is not touched: each commit is
unpacked into a temporary folder. The exit status is 1 where the second one is slower.
"""

import argparse
import os
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from io import BytesIO
from pathlib import Path

from claims import CLAIMS
from command_line import one_of, positive, say
from harness import METRICS, Run, compare, ratios
from report import cell, markdown
from sides import SIDES, Side

ROOT = Path(__file__).resolve().parent.parent

# Python runs it at its start. An editable installation has a finder of its own, which would win
# against PYTHONPATH.
FINDER = """
import sys
from importlib.machinery import PathFinder
from pathlib import Path


class Unpacked:
    @staticmethod
    def find_spec(name, path=None, target=None):
        here = [str(Path(__file__).parent)]
        return PathFinder.find_spec(name, here) if name == "distgrad" else None


sys.meta_path.insert(0, Unpacked)
"""

DEFAULT_CLAIMS = ("mlp", "cnn", "gpt", "tiny")


def main() -> None:
    arguments = _parser().parse_args()
    commits = [commit_of(name) for name in (arguments.before, arguments.after)]
    slower = []
    rows = [["second / first", *METRICS.values()]]
    with unpacked(commits) as folders:
        sides = sides_of(SIDES[arguments.side], folders)
        for name in arguments.claims or DEFAULT_CLAIMS:
            found = compare(CLAIMS[name], arguments.ranks, arguments.rounds, sides, say)
            measured = change(found["runs"], list(sides))
            rows.append([name, *(cell(measured[metric], ".3f") for metric in METRICS)])
            if is_slower(measured["step_ms"], arguments.bound):
                slower.append(name)
    first, second = (commit[:12] for commit in commits)
    print(f"{second} (second) beside {first} (first), {arguments.side}, {arguments.ranks} ranks, ")
    print(f"{arguments.rounds} rounds: medians (min to max) of the ratios within rounds\n")
    print(markdown(rows))
    if slower:
        sys.exit(f"slower beyond {arguments.bound} in {', '.join(slower)}")


def commit_of(name: str, root: Path = ROOT) -> str:
    """Return the full hash of a commit.

    Raises:
        SystemExit: If there is none of that name.
    """
    found = _git(root, "rev-parse", "--verify", "--quiet", f"{name}^{{commit}}")
    if found.returncode:
        raise SystemExit(f"{name!r} is no commit of {root}; name a commit, branch or tag")
    return found.stdout.decode().strip()


@contextmanager
def unpacked(commits: Sequence[str], root: Path = ROOT) -> Iterator[list[Path]]:
    """Unpack commits into folders of their own, which are gone at the end."""
    with tempfile.TemporaryDirectory(prefix="regress-") as parent:
        folders = []
        for number, commit in enumerate(commits):
            folder = Path(parent, f"{number}-{commit[:12]}")
            archive = _git(root, "archive", commit, "distgrad")
            if archive.returncode:
                raise SystemExit(f"{commit[:12]} cannot be unpacked: {archive.stderr.decode()}")
            with tarfile.open(fileobj=BytesIO(archive.stdout)) as packed:
                packed.extractall(folder, filter="data")
            Path(folder, "sitecustomize.py").write_text(FINDER)
            folders.append(folder)
        yield folders


def sides_of(side: Side, folders: Sequence[Path]) -> dict[str, Side]:
    """Return the side as it runs with the distgrad of each folder.

    Raises:
        SystemExit: If another distgrad comes first, or the side lacks something.
    """
    if side.lacks:
        raise SystemExit(f"nothing to measure: {side.lacks}")
    names = ("first", "second")
    sides = {}
    for name, folder in zip(names, folders, strict=True):
        own = {"PYTHONPATH": str(folder), "NUMBA_CACHE_DIR": str(folder / "compiled")}
        of_folder = replace(side, variables={**side.variables, **own})
        _check_source(of_folder, folder)
        sides[name] = of_folder
    return sides


def _check_source(side: Side, folder: Path) -> None:
    ((command, variables),) = side.processes("", 1)
    done = subprocess.run(
        [command[0], "-c", "import distgrad; print(distgrad.__file__)"],
        env={**os.environ, **variables},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode or not Path(done.stdout.strip()).is_relative_to(folder):
        raise SystemExit(
            f"distgrad is imported from {done.stdout.strip() or done.stderr}, not from {folder}; "
            "run it in an environment whose Python reads sitecustomize.py from PYTHONPATH"
        )


def change(runs: Sequence[Run], sides: Sequence[str]) -> Mapping[str, Mapping[str, float]]:
    """Return the spread of the ratios of the second side to the first."""
    first, second = sides
    return ratios(runs, second, first)


def is_slower(ratio: Mapping[str, float], bound: float) -> bool:
    """Return whether a ratio is beyond the bound, and not for the noise of the rounds alone.

    Three rounds in four must be slower, and the median of all beyond the bound.
    """
    return ratio["median"] > bound and ratio["q1"] > 1


def _git(root: Path, *arguments: str) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(["git", "-C", str(root), *arguments], capture_output=True, check=False)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description="Compare two commits in one interleaved run.")
    parser.add_argument("before", help="a commit, branch or tag")
    parser.add_argument("after", help="that which must not be slower")
    known = f"({' '.join(DEFAULT_CLAIMS)}); there are: {', '.join(CLAIMS)}"
    parser.add_argument("claims", nargs="*", type=one_of(CLAIMS), metavar="CLAIM", help=known)
    parser.add_argument("--ranks", type=positive, default=2, help="processes (2)")
    parser.add_argument("--rounds", type=positive, default=7, help="runs of each commit (7)")
    parser.add_argument("--bound", type=float, default=1.05, help="what is slower (1.05)")
    own = [name for name in SIDES if name.startswith("distgrad")]
    parser.add_argument("--side", choices=own, default="distgrad", help="(distgrad)")
    return parser


if __name__ == "__main__":
    main()
