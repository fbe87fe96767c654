"""How Sphinx makes pages of this folder and of the docstrings.

Build them with ``sphinx-build -W -n docs build/docs``: a warning is an error, and so is a name in
single backticks that is documented nowhere.
"""

import re
import sys
from importlib import import_module
from typing import Any

from docutils import nodes
from sphinx.addnodes import pending_xref
from sphinx.application import Sphinx
from sphinx.environment import BuildEnvironment

from distgrad import __version__, linalg, special

project = "distgrad"
author = "The distgrad authors"
version = release = __version__

extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.napoleon"]
exclude_patterns = ["examples"]
myst_heading_anchors = 3
myst_enable_extensions = ["colon_fence"]

# Single backticks name something of distgrad: a name that no page documents is an error.
default_role = "py:obj"
nitpick_ignore_regex = [
    ("py:class", ".*"),  # types in signatures: NumPy's, Python's, internal ones
    ("py:obj", "numpy.*"),
]
add_module_names = False
autodoc_default_options = {"members": True, "member-order": "bysource", "show-inheritance": True}
autodoc_typehints = "description"
autodoc_typehints_description_target = "documented_params"
autodoc_preserve_defaults = True
napoleon_numpy_docstring = False
napoleon_custom_sections = ["Shapes"]

html_theme = "furo"
html_title = f"distgrad {version}"
html_static_path = ["_static"]
html_css_files = ["before-after.css"]
html_copy_source = False
html_show_sphinx = False

sys.modules["distgrad.linalg"] = linalg  # their pages name them as users do
sys.modules["distgrad.special"] = special

PUBLIC = (
    "distgrad",
    "distgrad.nn",
    "distgrad.optim",
    "distgrad.optim.lr_scheduler",
    "distgrad.data",
    "distgrad.distributed",
    "distgrad.errors",
)
"""Where classes that others derive from are documented."""


def setup(app: Sphinx) -> None:
    """Connect what this file defines."""
    app.connect("missing-reference", resolve_short_name)
    app.connect("autodoc-process-bases", show_public_bases)
    app.connect("autodoc-process-docstring", keep_initials)


def resolve_short_name(
    app: Sphinx, env: BuildEnvironment, node: pending_xref, contnode: nodes.Element
) -> nodes.Element | None:
    """Find `DataParallel.evaluate` wherever it is documented, as docstrings name it."""
    if node.get("refdomain") != "py" or node["reftype"] != "obj" or node.hasattr("refspecific"):
        return None
    node["refspecific"] = True
    return env.domains.python_domain.resolve_xref(
        env, node["refdoc"], app.builder, "obj", node["reftarget"], node, contnode
    )


def show_public_bases(
    _app: Sphinx, _name: str, _class: type, _options: Any, bases: list[type]
) -> None:
    """Show the public ancestors of a class in the place of internal ones."""
    classes = [base for base in bases if isinstance(base, type)]  # others are Protocol[T] and such
    bases[:] = dict.fromkeys(next(filter(is_public, base.__mro__)) for base in classes)


def keep_initials(
    _app: Sphinx, _what: str, _name: str, _object: object, _options: Any, lines: list[str]
) -> None:
    """Keep an author's initial at the beginning of a line from opening an enumeration."""
    lines[:] = [re.sub(r"^(\s*[A-Z])\. ", r"\1\. ", line) for line in lines]


def is_public(cls: type) -> bool:
    """Tell whether a class is Python's own, or documented under its name."""
    if not cls.__module__.startswith("distgrad"):
        return True
    return any(getattr(import_module(name), cls.__name__, None) is cls for name in PUBLIC)
