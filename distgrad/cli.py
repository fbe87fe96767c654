"""The command line: `distgrad train`, `distgrad launch` and `distgrad evaluate`."""

import sys
import time
import traceback
from pathlib import Path
from typing import Annotated, NoReturn

import typer

from distgrad._version import __version__
from distgrad.errors import DistgradError, UsageError
from distgrad.launcher import LaunchError, LaunchOptions, launch, preview

__all__ = ["entry_point", "main"]

# The base class of all that is wrong with a command line; typer exports only this one of them.
_CommandLineError: type[Exception] = typer.BadParameter.__bases__[0]

_GRACE_SECONDS = 2.0

app = typer.Typer(
    help="Data-parallel training with gradient accumulation: one result for every number of ranks.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)

ConfigPath = Annotated[
    Path, typer.Argument(metavar="CONFIG", help="The configuration, a TOML file.")
]
RunDir = Annotated[
    Path | None,
    typer.Option(metavar="PATH", help="A new folder for the run.", show_default="runs/NAME"),
]
Overrides = Annotated[
    list[str] | None,
    typer.Option(
        "--set",
        metavar="SECTION.KEY=VALUE",
        help="Change the configuration; the value is TOML or a bare word. May be repeated.",
    ),
]


def entry_point() -> NoReturn:
    """Run the command line of this process and leave with its exit status."""
    # As `python -m` does, so that a configuration can name components in the working directory.
    if "" not in sys.path:
        sys.path.insert(0, "")
    sys.exit(main())


def main(argv: list[str] | None = None) -> int:
    """Run a command line and return its exit status.

    Under mpirun every rank calls it, and what is wrong is said by one of them.

    Args:
        argv: The words behind the program's name; by default those of this process.

    Returns:
        0 done, 2 bad usage, configuration or data, 3 training failed, 130 interrupted; and for
        `launch` whatever the ranks end with.

    Example:
        >>> main(["--version"])
        distgrad 0.1.0
        0
    """
    try:
        status: int | None = app(argv, prog_name="distgrad", standalone_mode=False)
    except (DistgradError, LaunchError) as error:
        _say(str(error), error)
        return error.exit_status
    except _CommandLineError as error:
        _say(error.format_message(), error)  # type: ignore[attr-defined]
        return UsageError.exit_status
    except typer.Abort:
        return 130
    return status or 0


def _print_version(wanted: bool) -> None:
    if wanted:
        print(f"distgrad {__version__}")
        raise typer.Exit


@app.callback()
def _root(
    _version: Annotated[
        bool,
        typer.Option(
            "--version", help="Print the version.", callback=_print_version, is_eager=True
        ),
    ] = False,
) -> None:
    pass


@app.command("train")
def _train(config: ConfigPath, run_dir: RunDir = None, overrides: Overrides = None) -> None:
    """Train as CONFIG says: in one process, or under mpirun on all of its ranks."""
    from distgrad.distributed import connect
    from distgrad.training.run import prepare, train
    from distgrad.training.together import together

    comm = connect()
    settled, folder = together(comm, lambda: prepare(config, overrides or [], run_dir, comm.size))
    train(settled, comm, folder)


@app.command("launch")
def _launch(
    config: ConfigPath,
    ranks: Annotated[int, typer.Option("-n", metavar="N", help="The number of ranks.")],
    mpi: Annotated[
        str | None,
        typer.Option(metavar="openmpi|mpich", help="Refuse to start under another MPI."),
    ] = None,
    hostfile: Annotated[
        Path | None, typer.Option(metavar="FILE", help="The hosts to run on.")
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Print the command and run nothing.")
    ] = False,
    run_dir: RunDir = None,
    overrides: Overrides = None,
) -> int:
    """Check CONFIG once, then start N ranks that train as it says."""
    from distgrad.training.run import prepare

    options = LaunchOptions(ranks, mpi, hostfile)
    prepare(config, overrides or [], run_dir, ranks)
    command = [sys.executable, "-m", "distgrad", "train", str(config)]
    command += ["--run-dir", str(run_dir)] if run_dir else []
    for override in overrides or []:
        command += ["--set", override]
    if dry_run:
        print(preview(command, options))
        return 0
    return launch(command, options)


@app.command("evaluate")
def _evaluate(
    run: Annotated[Path, typer.Argument(metavar="RUN", help="The folder of a finished run.")],
    overrides: Overrides = None,
) -> None:
    """Measure the weights of RUN on its test samples, in one process or under mpirun."""
    from distgrad.distributed import connect
    from distgrad.training.evaluation import evaluate_run

    evaluate_run(run, overrides or [], connect())


def _say(message: str, error: Exception) -> None:
    """Print an error that all ranks have met, from one of them."""
    from distgrad.distributed import connect, launched_rank

    try:
        comm = connect()
    except UsageError:
        # Without MPI the ranks cannot wait for each other, and mpirun ends all of them when the
        # first leaves: let that be the one that has spoken.
        if launched_rank() == 0:
            _print(message, error)
        else:
            time.sleep(_GRACE_SECONDS)
        return
    if comm.rank == getattr(error, "rank", 0):
        _print(message, error)
    comm.barrier()


def _print(message: str, error: Exception) -> None:
    print(f"error: {message}", file=sys.stderr)
    if hasattr(error, "rank") and error.__cause__:
        traceback.print_exception(error.__cause__)
    sys.stderr.flush()
