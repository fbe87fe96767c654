"""The environments of the peers: found, made, and missed with a way out."""

import shutil
import sys

import pytest


@pytest.fixture
def environments(load):
    return load("environments")


@pytest.fixture
def said():
    return []


@pytest.fixture
def one(environments, monkeypatch):
    """Let there be one environment, called ``it``, and return a function that changes it."""

    def set_to(**fields):
        defaults = {"modules": ("json",), "installs": ()}
        environment = environments.Environment(**{**defaults, **fields})
        monkeypatch.setattr(environments, "ENVIRONMENTS", {"it": environment})

    set_to()
    return set_to


def test_a_peer_of_this_python_needs_no_environment(environments, one, tmp_path):
    assert environments.python_of("it", tmp_path) == sys.executable
    one(modules=("json", "no_such_module_anywhere"))
    assert environments.python_of("it", tmp_path) is None


def test_makes_one_and_finds_it_until_other_versions_are_asked_for(
    environments, one, said, tmp_path
):
    assert environments.make("it", said.append, tmp_path)
    assert environments.python_of("it", tmp_path) == str(tmp_path / "it" / "bin" / "python")
    assert environments.make("it", said.append, tmp_path)
    assert said == ["it: made", "it: made before"]
    one(installs=(("other==2",),), modules=("no_such_module_anywhere",))
    assert environments.python_of("it", tmp_path) is None


def test_says_what_could_not_be_made(environments, one, said, tmp_path, monkeypatch):
    # In place of pip, which would say it after a while.
    program = "import os, sys; sys.exit('cannot build with ' + os.environ['COMPILER'])"
    commands = [[sys.executable, "-c", program]]
    monkeypatch.setattr(environments, "_commands", lambda environment, home: commands)
    one(variables={"COMPILER": "{bin}/mpicc"})
    assert not environments.make("it", said.append, tmp_path)
    assert said == [
        "it: could not be made, its sides are left out. Of its output:\n"
        f"cannot build with {tmp_path}/it/bin/mpicc"
    ]
    assert not (tmp_path / "it" / environments.STAMP).exists()


def test_a_side_without_its_environment_is_left_out(load, monkeypatch, capsys):
    run, sides = load("run"), load("sides")
    monkeypatch.setattr(sides, "python_of", lambda name: None)
    assert list(run.present(["distgrad", "jax"])) == ["distgrad"]
    assert capsys.readouterr().err == (
        "jax is left out: no environment 'jax'; make it: python benchmarks/environments.py jax\n"
    )
    with pytest.raises(SystemExit, match="nothing to measure: each side lacks something"):
        run.present(["jax"])


def test_a_side_without_its_compiler_is_left_out(load, monkeypatch, capsys):
    run, sides = load("run"), load("sides")
    monkeypatch.setattr(sides, "python_of", lambda name: sys.executable)
    monkeypatch.setattr(shutil, "which", lambda program: None)
    assert list(run.present(["distgrad", "torch-compile"])) == ["distgrad"]
    assert "torch-compile is left out: no program 'g++' on PATH" in capsys.readouterr().err


def test_all_sides_of_the_claims_are_there(load):
    sides = load("sides").SIDES
    for claim in load("claims").CLAIMS.values():
        assert set(claim.sides) <= set(sides)
        assert len(set(claim.sides)) == len(claim.sides)


def test_refuses_a_name_that_it_does_not_know(program):
    done = program("environments.py", "nothing")
    assert done.returncode == 2
    assert "no 'nothing'; there are: fast, torch" in done.stderr
