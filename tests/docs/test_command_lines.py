"""What the documentation says of the command line is so: commands, options, exit statuses."""

import dataclasses

import pytest
import typer
from helpers.pages import DOCS, PAGES, code_spans, command_lines, name_of, rows, section

from distgrad import errors
from distgrad.cli import app
from distgrad.launcher import LaunchError
from distgrad.training.summary import Summary

PAGE = DOCS / "command-line.md"
COMMANDS = typer.main.get_command(app).commands


def options_of(command: str) -> set[str]:
    parameters = COMMANDS[command].params
    return {name for p in parameters for name in p.opts if name.startswith("-")} - {"--help"}


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_the_command_lines_of_a_page_exist(page):
    for words in command_lines(page):
        command = words[0]
        if command in ("COMMAND", "--version", "--help"):
            continue
        assert command in COMMANDS, f"{name_of(page)}: distgrad {' '.join(words)}"
        known = options_of(command) | {"--help"}
        used = {word.partition("=")[0] for word in words[1:] if word.startswith("-")}
        assert used <= known, f"{name_of(page)}: distgrad {' '.join(words)}"


def test_pages_have_command_lines_to_look_at():
    found = {words[0] for page in PAGES for words in command_lines(page)}
    assert found >= set(COMMANDS)


@pytest.mark.parametrize("command", COMMANDS)
def test_every_option_of_every_command_stands_on_the_page(command):
    (heading,) = [
        line for line in PAGE.read_text().splitlines() if line.startswith(f"## `distgrad {command}")
    ]
    options = {code_spans(option)[0].split()[0] for option, _ in rows(section(PAGE, heading))}
    own = options_of(command)
    if command == "launch":  # it takes those of train, which stand above
        own -= options_of("train")
    assert options == own


def test_every_exit_status_stands_on_the_page():
    told = {int(status) for status, _ in rows(section(PAGE, "## Exit status"))}
    exceptions = [getattr(errors, name) for name in errors.__all__ if name != "DistgradError"]
    statuses = {error.exit_status for error in [*exceptions, LaunchError]}
    assert told == statuses | {0, 4}


def test_what_a_run_leaves_names_what_the_summary_says():
    text = section(PAGE, "## What a run leaves")
    fields = {field.name for field in dataclasses.fields(Summary)}
    assert {"weights_sha256", "data_sha256"} <= fields & set(code_spans(text))
