"""What a check found: how good, in one line with the numbers, and the command that mends it."""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum


class Level(StrEnum):
    """How good a result is: green is well, yellow costs something, red does not work."""

    GREEN = "green"
    YELLOW = "yellow"
    RED = "red"


@dataclass(frozen=True)
class Result:
    """What one check found.

    Attributes:
        check: the name of the check, such as ``"disk"``.
        level: how good.
        text: one line with the numbers.
        remedy: the command that mends it; empty where nothing is to mend.
        host: the machine that the result is about; empty for all together.
    """

    check: str
    level: Level
    text: str
    remedy: str = ""
    host: str = ""


def green(check: str, text: str) -> Result:
    """Makes a result with which all is well."""
    return Result(check, Level.GREEN, text)


def yellow(check: str, text: str, remedy: str) -> Result:
    """Makes a result with which a run works, and pays for it."""
    return Result(check, Level.YELLOW, text, remedy)


def red(check: str, text: str, remedy: str) -> Result:
    """Makes a result with which a run fails."""
    return Result(check, Level.RED, text, remedy)


def exit_status(results: Iterable[Result]) -> int:
    """Returns 2 where a result is red, else 0.

    Example:
        >>> exit_status([green("disk", "75 GB free"), red("ranks", "none came", "mpirun ...")])
        2
    """
    return 2 if any(result.level == Level.RED for result in results) else 0


def size(number: float) -> str:
    """Writes a number of bytes as a user reads it.

    Example:
        >>> size(67108864), size(1.5 * 2**30), size(0)
        ('64 MB', '1.5 GB', '0 KB')
    """
    for unit, factor in (("GB", 2**30), ("MB", 2**20)):
        if number >= factor:
            text = f"{number / factor:.1f}"
            return f"{text.removesuffix('.0')} {unit}"
    return f"{number / 1024:.0f} KB"
