"""The pages of the documentation, and the fenced blocks on them."""

import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted(DOCS.rglob("*.md"))]

_BLOCK = re.compile(
    r"(?:^<!-- (?P<mark>[^\n]*?) -->\n)?^```(?P<language>\w+)\n(?P<text>.*?)^```", re.M | re.S
)


@dataclass(frozen=True)
class Block:
    """A fenced block.

    Attributes:
        language: What stands behind the fence.
        text: What it holds.
        mark: The comment right before it, such as "file: NAME", "part: NAME" or "run"; empty
            without one.
    """

    language: str
    text: str
    mark: str

    @property
    def file(self) -> str | None:
        """The name of the file that it is the content of."""
        return self._named("file")

    @property
    def part(self) -> str | None:
        """The name of the file beside the page that it shows a part of."""
        return self._named("part")

    def _named(self, wanted: str) -> str | None:
        kind, _, name = self.mark.partition(": ")
        return name if kind == wanted else None


def name_of(page: Path) -> str:
    """What a test calls a page."""
    return str(page.relative_to(ROOT))


def blocks(page: Path, language: str | None = None) -> list[Block]:
    """The blocks of a page, in order; those of one language, if it is given."""
    found = [
        Block(match["language"], match["text"], match["mark"] or "")
        for match in _BLOCK.finditer(page.read_text(encoding="utf-8"))
    ]
    return [block for block in found if language in (None, block.language)]


def write_files(page: Path, folder: Path) -> None:
    """Make the files in ``folder`` that a page shows."""
    for block in blocks(page):
        if block.file:
            path = folder / block.file
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(block.text, encoding="utf-8")


def section(page: Path, heading: str) -> str:
    """What stands below a heading, up to the next one of its rank or above."""
    text = page.read_text(encoding="utf-8")
    rank = len(heading) - len(heading.lstrip("#"))
    _, found, rest = text.partition(f"\n{heading}\n")
    assert found, f"{name_of(page)} has no heading {heading!r}"
    return re.split(rf"^#{{1,{rank}}} ", rest, maxsplit=1, flags=re.M)[0]


def rows(text: str) -> list[list[str]]:
    """The cells of each row of the tables in a text, without their headers."""
    lines = [line for line in text.splitlines() if line.startswith("|")]
    headers = {i - 1 for i, line in enumerate(lines) if set(line) <= set("|-: ")}
    cells = [[cell.strip() for cell in line.strip("|").split(" | ")] for line in lines]
    return [row for i, row in enumerate(cells) if i not in headers and i - 1 not in headers]


def code_spans(text: str) -> list[str]:
    """What stands in single backticks."""
    return re.findall(r"(?<!`)`([^`\n]+)`(?!`)", text)


def command_lines(page: Path) -> Iterator[list[str]]:
    """The words behind each ``distgrad`` in the shell blocks and single backticks of a page."""
    lines = [line for block in blocks(page, "sh") for line in block.text.splitlines()]
    for line in [*lines, *code_spans(page.read_text(encoding="utf-8"))]:
        for command in re.findall(
            r"(?:^|&& |-m |bin/|exec |(?:srun|docker run) .*)distgrad (\S[^|&;]*)", line
        ):
            yield shlex.split(command.removesuffix(":"), comments=True)
