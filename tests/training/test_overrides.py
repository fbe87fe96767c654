import pytest

from distgrad.errors import UsageError
from distgrad.training.overrides import apply_overrides


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("3", 3),
        ("1e-3", 0.001),
        ("true", True),
        ("adam", "adam"),
        ("'3'", "3"),
        ("[64, 10]", [64, 10]),
        ("my.module:Net", "my.module:Net"),
        ("a b", "a b"),
        ("", ""),
        ("x=y", "x=y"),
        ("1\ny = 2", "1\ny = 2"),
    ],
)
def test_a_value_is_toml_or_a_bare_word(text, value):
    document = {}
    apply_overrides(document, [f"section.key={text}"])
    assert document == {"section": {"key": value}}


def test_tables_are_made_or_changed_and_later_assignments_win():
    document = {"data": {"global_batch_size": 8, "source": {"name": "sine"}}}
    apply_overrides(
        document,
        ["data.source.samples = 5", "scheduler.name=step", "data.source.samples=6"],
    )
    assert document == {
        "data": {"global_batch_size": 8, "source": {"name": "sine", "samples": 6}},
        "scheduler": {"name": "step"},
    }


@pytest.mark.parametrize("assignment", ["training.seed", "seed=1", "training.=1", ".seed=1", "=1"])
def test_an_assignment_has_a_section_a_key_and_a_value(assignment):
    with pytest.raises(UsageError) as raised:
        apply_overrides({}, [assignment])
    assert str(raised.value) == (
        f"--set {assignment}: must be section.key=value, such as --set training.seed=1"
    )


def test_an_assignment_does_not_go_into_a_value():
    with pytest.raises(UsageError) as raised:
        apply_overrides({"run": {"name": "a"}}, ["run.name.first=b"])
    assert str(raised.value) == (
        "--set run.name.first=b: run.name is 'a' and not a table, so it has no key first"
    )
