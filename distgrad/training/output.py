"""What a run leaves and prints: rank 0 does both, and the other ranks neither."""

import sys
import threading
from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict
from typing import Any, Protocol, Self

from distgrad.nn import Module
from distgrad.training.checkpoint import BackgroundWriter, CheckpointStore
from distgrad.training.environment import described_devices
from distgrad.training.report import (
    print_done,
    print_result,
    print_sample,
    print_warning,
    with_progress,
)
from distgrad.training.resume import Resumption, look_for_resumption
from distgrad.training.run_folder import RunFolder
from distgrad.training.step_report import StepReport
from distgrad.training.summary import Summary
from distgrad.training.toml import dumps
from distgrad.training.trainer import Trainer
from distgrad.training.weights import weights_bytes

__all__ = ["Output", "RunOutput", "Silence"]

_RESULTS = ("summary.json", "weights.safetensors", "sample.txt")


class Output(Protocol):
    """What a run tells of itself, in this order."""

    @property
    def writer(self) -> BackgroundWriter | None:
        """Writes the checkpoints, on the rank that writes."""

    def look(self, trainer: Trainer, environment: dict[str, Any], /) -> Resumption:
        """Find what the run can go on from."""

    def result(self) -> Summary | None:
        """Say that the run is done, if it is, and return its summary."""

    def begin(
        self, trainer: Trainer, resumption: Resumption, environment: dict[str, Any], /
    ) -> None:
        """Record what is run, and from where."""

    def follow(
        self, reports: Iterable[StepReport], last_step: int | None, /
    ) -> Iterable[StepReport]:
        """Pass the reports of the steps on and record them."""

    def trouble(self) -> str | None:
        """Say why a step could not be recorded, or None."""

    def sync(self) -> None:
        """See to the disk what was recorded."""

    def restarts(self) -> int:
        """Return how often the run was resumed."""

    def finish(self, summary: Summary, module: Module, text: str | None, /) -> None:
        """Record how the run ended, with which weights, and the text that they write."""

    def __enter__(self) -> object:
        """Begin to use the folder."""

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        """Leave the folder to others."""


class Silence:
    """The output of every rank but 0."""

    writer = None

    def look(self, _trainer: Trainer, _environment: dict[str, Any]) -> Resumption:
        """Leave it to rank 0."""
        return Resumption()

    def result(self) -> None:
        """Leave it to rank 0."""

    def begin(
        self, _trainer: Trainer, _resumption: Resumption, _environment: dict[str, Any]
    ) -> None:
        """Do nothing."""

    def follow(self, reports: Iterable[StepReport], _last_step: int | None) -> Iterable[StepReport]:
        """Pass the reports on."""
        return reports

    def trouble(self) -> None:
        """Have none."""

    def sync(self) -> None:
        """Do nothing."""

    def restarts(self) -> int:
        """Leave it to rank 0."""
        return 0

    def finish(self, _summary: Summary, _module: Module, _text: str | None) -> None:
        """Do nothing."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        pass


class RunOutput:
    """Fills the folder of the run and prints to standard output.

    Args:
        folder: The run's, new or resumed.
    """

    def __init__(self, folder: RunFolder) -> None:
        self.folder = folder
        self.path = folder.path
        self.writer: BackgroundWriter | None = None
        self._trouble: str | None = None

    def look(self, trainer: Trainer, environment: dict[str, Any]) -> Resumption:
        """Look into a folder that was there before.

        Raises:
            UsageError: If the run in it cannot go on in this way.
        """
        if self.folder.is_new:
            return Resumption()
        return look_for_resumption(self.folder, trainer.config, trainer.data, environment)

    def result(self) -> Summary | None:
        """Say that the run is done, if it is, and return its summary."""
        content = self.folder.read_json("summary.json")
        if content.get("status") != "done":
            return None
        try:
            summary = Summary(**content)
        except TypeError:  # of another version: what remains is to write this version's
            return None
        print_done(summary, self.path, sys.stdout)
        return summary

    def begin(self, trainer: Trainer, resumption: Resumption, environment: dict[str, Any]) -> None:
        """Write what is run and where it goes on; take away what is no longer so.

        Raises:
            OSError: If a file cannot be written.
        """
        folder, steps = self.folder, trainer.progress.steps
        store = CheckpointStore(folder.path / "checkpoints")
        self.writer = BackgroundWriter(store, trainer.config.checkpoint.keep_last)
        folder.remove(*_RESULTS)
        folder.cut_rows(steps)
        folder.write("config.toml", dumps(trainer.config.model_dump(mode="json")).encode())
        folder.write_json("environment.json", environment)
        if trainer.vocabulary is not None:
            folder.write_json("vocabulary.json", {"characters": trainer.vocabulary.characters})
        hosts = environment["hosts"]
        found = {
            "skipped": resumption.skipped,
            "changed": resumption.changed,
            "warnings": resumption.warnings,
        }
        folder.journal.add(
            "launch" if folder.is_new else "resume",
            step=steps,
            ranks=len(hosts),
            hosts=sorted(set(hosts)),
            **{name: what for name, what in found.items() if what},
        )
        self._announce(resumption)
        for line in described_devices(environment):
            print(line, flush=True)

    def _announce(self, resumption: Resumption) -> None:
        for line in resumption.skipped:
            print_warning(f"skipped a checkpoint that is not whole: {line}", sys.stderr)
        for line in resumption.warnings:
            print_warning(line, sys.stderr)
        if resumption.checkpoint is not None:
            step = resumption.checkpoint.step
            print(f"goes on from step {step} of {self.path}", flush=True)
        elif self.folder.resume:
            print(f"{self.path} has no checkpoint yet: the run begins anew", flush=True)

    def follow(self, reports: Iterable[StepReport], last_step: int | None) -> Iterator[StepReport]:
        """Pass the reports on, show them, and write a line of ``metrics.jsonl`` for each."""
        for report in with_progress(reports, last_step, sys.stdout):
            self._record(report)
            yield report

    def _record(self, report: StepReport) -> None:
        # After a row that was cut short a further one would stand in the same line.
        if self._trouble is None:
            self._try(lambda: self.folder.add_row(report.as_row()))

    def sync(self) -> None:
        """See the rows to the disk; what goes wrong is told by `trouble`."""
        self._try(self.folder.sync_rows)

    def trouble(self) -> str | None:
        """Say why a row could not be written, or None."""
        return self._trouble

    def _try(self, write: Callable[[], None]) -> None:
        try:
            write()
        except OSError as error:
            self._trouble = (
                f"{self.path / 'metrics.jsonl'} cannot be written ({error.strerror}); mend that "
                "and go on from the last checkpoint with --resume"
            )

    def restarts(self) -> int:
        """Return how often the run was resumed."""
        return self.folder.journal.count("resume")

    def finish(self, summary: Summary, module: Module, text: str | None) -> None:
        """Write what the run came to, and print it if it came to its end.

        Raises:
            OSError: If a file cannot be written.
        """
        if summary.status == "done":
            self.folder.write("weights.safetensors", weights_bytes(module))
        if text is not None:
            self.folder.write("sample.txt", text.encode())
            print_sample(text, sys.stdout)
        self.folder.journal.add(
            "stop", status=summary.status, step=summary.steps, error=summary.error
        )
        self.folder.write_json("summary.json", asdict(summary))
        if summary.status == "done":
            print_result(summary, self.path, sys.stdout)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        """Leave the folder to others, as soon as no checkpoint is being written into it.

        An interrupt does not wait for that: the program most often ends now.
        """
        if kind is not None and issubclass(kind, KeyboardInterrupt):
            threading.Thread(target=self._leave, daemon=True).start()
        else:
            self._leave()

    def _leave(self) -> None:
        if self.writer is not None:
            self.writer.finish()
        self.folder.close()
