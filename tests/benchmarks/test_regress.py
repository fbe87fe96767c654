"""Two commits in one run: each with its own source, the working tree as it was."""

import os
import subprocess
from pathlib import Path

import pytest

SOURCE = "VALUE = {}\n"


@pytest.fixture
def regress(load):
    return load("regress")


@pytest.fixture
def repository(tmp_path):
    """A repository of two commits of a distgrad, and their hashes."""
    root = tmp_path / "repository"
    (root / "distgrad").mkdir(parents=True)

    def git(*arguments):
        identity = {
            f"GIT_{who}_{what}": "a@b"
            for who in ("AUTHOR", "COMMITTER")
            for what in ("NAME", "EMAIL")
        }
        command = ["git", "-C", str(root), *arguments]
        done = subprocess.run(
            command, env={**os.environ, **identity}, capture_output=True, text=True, check=True
        )
        return done.stdout.strip()

    git("init", "--quiet")
    commits = []
    for value in (1, 2):
        (root / "distgrad" / "__init__.py").write_text(SOURCE.format(value))
        git("add", ".")
        git("commit", "--quiet", "-m", "it")
        commits.append(git("rev-parse", "HEAD"))
    return root, commits


def test_unpacks_both_and_leaves_nothing(regress, repository):
    root, commits = repository
    (root / "distgrad" / "__init__.py").write_text(SOURCE.format("not committed"))
    assert regress.commit_of("HEAD~1", root) == commits[0]
    with regress.unpacked(commits, root) as folders:
        texts = [(folder / "distgrad" / "__init__.py").read_text() for folder in folders]
        sides = regress.sides_of(regress.SIDES["distgrad"], folders)  # imports from each
        assert sides["first"].variables["PYTHONPATH"] == str(folders[0])
        caches = {side.variables["NUMBA_CACHE_DIR"] for side in sides.values()}
        assert caches == {str(folder / "compiled") for folder in folders}
        assert list(sides) == ["first", "second"]
    assert texts == [SOURCE.format(1), SOURCE.format(2)]
    assert not any(folder.parent.exists() for folder in folders)
    assert (root / "distgrad" / "__init__.py").read_text() == SOURCE.format("not committed")


def test_refuses_what_is_no_commit(regress, repository):
    root, _ = repository
    with pytest.raises(SystemExit, match=r"'nothing' is no commit of .*; name a commit, branch"):
        regress.commit_of("nothing", root)


def test_refuses_a_commit_without_distgrad(regress, repository):
    root, _ = repository
    subprocess.run(["git", "-C", str(root), "mv", "distgrad", "other"], check=True)
    tree = subprocess.check_output(["git", "-C", str(root), "write-tree"], text=True).strip()
    with pytest.raises(SystemExit, match=r"cannot be unpacked: .*distgrad"):
        regress.unpacked([tree], root).__enter__()


def test_refuses_another_distgrad(regress, tmp_path):
    with pytest.raises(SystemExit, match=r"is imported from .*, not from .*sitecustomize.py"):
        regress.sides_of(regress.SIDES["distgrad"], [tmp_path, tmp_path])


def test_refuses_a_side_that_lacks_something(regress, load, monkeypatch):
    monkeypatch.setattr(load("sides"), "python_of", lambda name: None)
    with pytest.raises(SystemExit, match="nothing to measure: no environment 'fast'; make it: "):
        regress.sides_of(regress.SIDES["distgrad-numba"], [Path(), Path()])


@pytest.mark.parametrize(
    ("median", "q1", "slower"), [(1.2, 1.1, True), (1.2, 0.9, False), (1.04, 1.03, False)]
)
def test_slower_is_beyond_the_bound_and_not_by_noise(regress, median, q1, slower):
    assert regress.is_slower({"median": median, "q1": q1}, 1.05) is slower


def test_the_program_ends_with_1_where_the_second_is_slower(regress, load, monkeypatch, capsys):
    monkeypatch.setattr(regress, "commit_of", lambda name: f"{name:0<40}")
    monkeypatch.setattr(
        regress, "unpacked", lambda commits: load("contextlib").nullcontext(commits)
    )
    monkeypatch.setattr(regress, "sides_of", lambda side, folders: {"first": None, "second": None})

    def compare(claim, ranks, rounds, sides, say):
        slow = 2.0 if claim.model == "gpt" else 1.0
        measured = {side: dict.fromkeys(regress.METRICS, 1.0) for side in sides}
        measured["second"]["step_ms"] = slow
        return {"runs": [{"side": side, "measured": found} for side, found in measured.items()]}

    monkeypatch.setattr(regress, "compare", compare)
    monkeypatch.setattr("sys.argv", ["regress.py", "a", "b", "mlp"])
    regress.main()
    shown = capsys.readouterr().out
    assert "b00000000000 (second) beside a00000000000 (first), distgrad, 2 ranks" in shown
    assert "| mlp            | 1.000 (1.000 to 1.000)" in shown
    monkeypatch.setattr("sys.argv", ["regress.py", "a", "b", "mlp", "gpt", "--bound", "1.5"])
    with pytest.raises(SystemExit, match=r"slower beyond 1.5 in gpt"):
        regress.main()


def test_refuses_a_claim_that_it_does_not_know(program):
    done = program("regress.py", "HEAD", "HEAD", "nothing")
    assert done.returncode == 2
    assert "no 'nothing'; there are: mlp, cnn" in done.stderr
