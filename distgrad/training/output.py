"""What a run leaves and prints: rank 0 does both, and the other ranks neither."""

import sys
from collections.abc import Iterable, Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any, Protocol

from distgrad.data import Vocabulary
from distgrad.nn import Module
from distgrad.training.config import Config
from distgrad.training.report import print_result, print_sample, with_progress
from distgrad.training.run_folder import RunFolder
from distgrad.training.step_report import StepReport
from distgrad.training.summary import Summary
from distgrad.training.toml import dumps
from distgrad.training.weights import weights_bytes

__all__ = ["Output", "RunOutput", "Silence"]


class Output(Protocol):
    """What a run tells of itself, in this order."""

    def follow(
        self, reports: Iterable[StepReport], last_step: int | None, /
    ) -> Iterable[StepReport]:
        """Pass the reports of the steps on and record them."""

    def finish(self, summary: Summary, module: Module, text: str | None, /) -> None:
        """Record how the run ended, with which weights, and the text that they write."""


class Silence:
    """The output of every rank but 0."""

    def follow(self, reports: Iterable[StepReport], _last_step: int | None) -> Iterable[StepReport]:
        """Pass the reports on."""
        return reports

    def finish(self, _summary: Summary, _module: Module, _text: str | None) -> None:
        """Do nothing."""


class RunOutput:
    """Fills the folder of the run and prints to standard output.

    Raises:
        UsageError: If the folder exists or cannot be made.
    """

    def __init__(
        self,
        path: Path,
        config: Config,
        environment: dict[str, Any],
        vocabulary: Vocabulary | None = None,
    ) -> None:
        self.folder = RunFolder(path)
        self.folder.write("config.toml", dumps(config.model_dump(mode="json")).encode())
        self.folder.write_json("environment.json", environment)
        if vocabulary is not None:
            self.folder.write_json("vocabulary.json", {"characters": vocabulary.characters})

    def follow(self, reports: Iterable[StepReport], last_step: int | None) -> Iterator[StepReport]:
        """Pass the reports on, show them, and write a line of ``metrics.jsonl`` for each."""
        with self.folder.open_metrics() as add_row:
            for report in with_progress(reports, last_step, sys.stdout):
                add_row(report.as_row())
                yield report

    def finish(self, summary: Summary, module: Module, text: str | None) -> None:
        """Write what the run came to, and print it if it came to its end."""
        if summary.status == "done":
            self.folder.write("weights.safetensors", weights_bytes(module))
        if text is not None:
            self.folder.write("sample.txt", text.encode())
            print_sample(text, sys.stdout)
        self.folder.write_json("summary.json", asdict(summary))
        if summary.status == "done":
            print_result(summary, self.folder.path, sys.stdout)
