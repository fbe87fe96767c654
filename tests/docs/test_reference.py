"""The reference has a page for every package whose names users write."""

from collections.abc import Iterator
from types import ModuleType

from helpers.pages import DOCS

import distgrad as dg


def public_modules(module: ModuleType, name: str) -> Iterator[str]:
    yield name
    for public in module.__all__:
        value = getattr(module, public)
        if isinstance(value, ModuleType):
            yield from public_modules(value, f"{name}.{public}")


def test_every_public_module_has_a_page():
    wanted = {*public_modules(dg, "distgrad"), "distgrad.training", "distgrad.errors"}
    pages = {page.stem: page.read_text() for page in (DOCS / "api").glob("distgrad*.md")}
    assert set(pages) == wanted | {"distgrad.Tensor"}
    for name in wanted:
        assert f".. automodule:: {name}\n" in pages[name]
