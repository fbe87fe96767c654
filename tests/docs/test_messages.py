"""The messages that the documentation explains are those that the program has."""

import ast
from collections.abc import Iterator
from functools import cache

import pytest
from helpers.pages import DOCS, ROOT, code_spans, rows

MESSAGES = [
    message
    for cell, *_ in rows((DOCS / "errors.md").read_text())
    for message in code_spans(cell)[:1]
]


@cache
def texts() -> list[str]:
    """All strings of the package, with … for what is filled in."""
    return [
        text
        for file in (ROOT / "distgrad").rglob("*.py")
        for text in strings(ast.parse(file.read_text()))
    ]


def strings(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.value
        elif isinstance(node, ast.JoinedStr):
            parts = [p.value if isinstance(p, ast.Constant) else "…" for p in node.values]
            yield "".join(parts)


def test_there_are_messages():
    assert len(MESSAGES) > 40


@pytest.mark.parametrize("message", MESSAGES)
def test_a_message_stands_in_the_source(message):
    assert any(message in text for text in texts())
