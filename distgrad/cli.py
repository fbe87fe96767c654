"""The command line: `distgrad train`, `launch`, `evaluate`, `replay` and `doctor`."""

import sys
import time
import traceback
from pathlib import Path
from typing import Annotated, NoReturn

import typer

from distgrad._version import __version__
from distgrad.errors import DistgradError, Interrupted, UsageError
from distgrad.interruption import StopSignals
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
    typer.Option(metavar="PATH", help="The folder of the run.", show_default="runs/NAME"),
]
Resume = Annotated[
    bool,
    typer.Option(
        "--resume",
        help="Go on from the newest whole checkpoint in the run's folder; begin if there is none.",
    ),
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
def _train(
    config: ConfigPath,
    run_dir: RunDir = None,
    resume: Resume = False,
    overrides: Overrides = None,
) -> None:
    """Train as CONFIG says: in one process, or under mpirun on all of its ranks."""
    from distgrad.distributed import connect, launched_size

    # First of all: a signal that a rank does not hear yet would end it.
    with StopSignals(alone=launched_size() is None) as signals:
        from distgrad.training.run import prepare, train
        from distgrad.training.together import together

        comm = connect(kernels="numpy")  # the trainer makes the configuration's choice
        settled, folder = together(
            comm, lambda: prepare(config, overrides or [], run_dir, comm.size, resume)
        )
        train(settled, comm, folder, resume=resume, listen=signals.tell)


@app.command("launch")
def _launch(
    config: ConfigPath,
    ranks: Annotated[int, typer.Option("-n", metavar="N", help="The number of ranks.")],
    mpi: Annotated[
        str | None,
        typer.Option(
            metavar="openmpi|mpich|impi",
            help="The MPI to run under.",
            show_default="the one that mpi4py loads",
        ),
    ] = None,
    hostfile: Annotated[
        Path | None, typer.Option(metavar="FILE", help="The hosts to run on.")
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Print the command and run nothing.")
    ] = False,
    run_dir: RunDir = None,
    resume: Resume = False,
    overrides: Overrides = None,
) -> int:
    """Check CONFIG once, then start N ranks that train as it says."""
    from distgrad.training.run import prepare

    options = LaunchOptions(ranks, mpi, hostfile, folder=run_dir or Path("runs"))
    prepare(config, overrides or [], run_dir, ranks, resume)
    command = [sys.executable, "-m", "distgrad", "train", str(config)]
    command += ["--run-dir", str(run_dir)] if run_dir else []
    command += ["--resume"] if resume else []
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

    evaluate_run(run, overrides or [], connect(kernels="numpy"))


@app.command("replay")
def _replay(
    run: Annotated[Path, typer.Argument(metavar="RUN", help="The folder of a run.")],
    step: Annotated[
        int | None, typer.Option(metavar="N", help="The step to make again and to look into.")
    ] = None,
    against: Annotated[
        Path | None,
        typer.Option(metavar="RUN", help="Another run: find the first step at which they part."),
    ] = None,
    ranks: Annotated[int, typer.Option(metavar="N", help="The number of ranks.")] = 1,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> int:
    """Make steps of RUN again, bit for bit; status 3 if they are not what was recorded."""
    if (step is None) == (against is None):
        raise UsageError("give either --step N, to look into one step, or --against RUN")
    if ranks == 1:
        from distgrad.training.replay.command import compare, replay

        if step is not None:
            return replay(run, step, as_json)
        assert against is not None  # one of them is given
        return compare(run, against, as_json)
    if as_json:
        raise UsageError("--json is for one process: lines of several ranks are tagged")
    asked = ["--step", str(step)] if step is not None else ["--against", str(against)]
    command = [sys.executable, "-m", "distgrad", "replay", str(run), *asked]
    return launch(command, LaunchOptions(ranks))


@app.command("doctor")
def _doctor(
    ranks: Annotated[
        int | None,
        typer.Option(
            "-n", metavar="N", help="The number of ranks.", show_default="2, or one a host"
        ),
    ] = None,
    mpi: Annotated[
        str | None, typer.Option(metavar="openmpi|mpich|impi", help="The MPI that is wanted.")
    ] = None,
    hostfile: Annotated[
        Path | None, typer.Option(metavar="FILE", help="The hosts to look at.")
    ] = None,
    run_dir: Annotated[
        Path, typer.Option(metavar="PATH", help="Where runs shall be written.")
    ] = Path("runs"),
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> int:
    """Look whether this machine, or each host, is fit for a run; status 2 if something is red."""
    from distgrad.launcher.preflight.doctor import Examination, examine
    from distgrad.launcher.preflight.report import print_json, print_result, print_verdict
    from distgrad.launcher.preflight.result import exit_status

    results = []
    for result in examine(Examination(ranks, mpi, hostfile, run_dir)):
        results.append(result)
        if not as_json:
            print_result(result, sys.stdout)
    (print_json if as_json else print_verdict)(results, sys.stdout)
    return exit_status(results)


def _say(message: str, error: Exception) -> None:
    """Print an error that all ranks have met, from one of them."""
    from distgrad.distributed import connect, launched_rank

    try:
        comm = connect(kernels="numpy")
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
    print(message if isinstance(error, Interrupted) else f"error: {message}", file=sys.stderr)
    if hasattr(error, "rank") and error.__cause__:
        traceback.print_exception(error.__cause__)
    sys.stderr.flush()
