"""What the pages for those who come from PyTorch and Horovod say exists does, and the rest not."""

import ast
from pkgutil import resolve_name

import pytest
from helpers.pages import DOCS, code_spans, name_of, rows, section

import distgrad as dg

FROM_PYTORCH, FROM_HOROVOD = DOCS / "from-pytorch.md", DOCS / "from-horovod.md"
PAGES = [FROM_PYTORCH, FROM_HOROVOD]


def exists(path):
    """Whether distgrad has something of these dotted names."""
    value = dg
    for name in path.split("."):
        value = getattr(value, name, None)
    return value is not None


def names(text, prefix):
    """The dotted names in single backticks that begin so."""
    spans = (span.partition("(")[0] for span in code_spans(text))
    return [span for span in spans if span.startswith(prefix)]


def not_here(page):
    return section(page, "## Not here")


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_every_name_of_distgrad_exists(page):
    text = page.read_text(encoding="utf-8")
    found = names(text, "dg.")
    assert len(found) > 15
    assert [name for name in found if not exists(name.removeprefix("dg."))] == []


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_every_row_names_what_serves_here(page):
    table = rows(section(page, "## Names"))
    assert len(table) > 15
    for theirs, ours, _ in table:
        assert all(span.startswith(("dg.", "mpirun ")) for span in code_spans(ours)), ours
        assert code_spans(theirs)
        assert code_spans(ours)


def test_names_that_stand_in_one_row_for_the_same_are_the_same():
    for theirs, ours, _ in rows(section(FROM_PYTORCH, "## Names")):
        of_torch, of_distgrad = names(theirs, "torch.nn."), names(ours, "dg.nn.")
        if len(of_torch) > 1:
            assert [f"dg.{name.removeprefix('torch.')}" for name in of_torch] == of_distgrad


def test_what_is_not_here_is_not():
    for name in names(not_here(FROM_PYTORCH), "torch."):
        path = name.removeprefix("torch.").removeprefix("utils.")
        assert not exists(path), f"{name} has come: change the page"
    for name in names(not_here(FROM_HOROVOD), "hvd."):
        assert not exists(f"distributed.{name.removeprefix('hvd.')}"), name


@pytest.mark.filterwarnings("ignore")  # some that it loads warn of themselves
def test_every_name_of_pytorch_exists():
    pytest.importorskip("torch")
    text = "".join(page.read_text(encoding="utf-8") for page in PAGES)
    for name in names(text, "torch."):
        assert resolve_name(name)


def test_the_table_has_every_name_of_horovod_that_the_program_uses():
    program = (DOCS / "examples" / "horovod_torch.py").read_text(encoding="utf-8")
    used = {
        f"hvd.{node.attr}"
        for node in ast.walk(ast.parse(program))
        if isinstance(node, ast.Attribute)
        and isinstance(node.value, ast.Name)
        and node.value.id == "hvd"
    }
    table = section(FROM_HOROVOD, "## Names")
    assert "hvd.DistributedOptimizer" in used
    assert used - {"hvd.Sum"} <= set(names(table, "hvd."))
