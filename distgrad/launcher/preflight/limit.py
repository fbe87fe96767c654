"""A time limit for what may wait for ever, such as a file system whose server is gone."""

import threading
from collections.abc import Callable

from distgrad.launcher.preflight.result import Result, red


def within(
    seconds: float, check: str, waits_for: str, remedy: str, ask: Callable[[], Result]
) -> Result:
    """Runs a check; if it is not done in time, says what it waited for and leaves it behind.

    Args:
        seconds: the time limit.
        check: the check's name.
        waits_for: whom it asks.
        remedy: the command that shows why it hangs.
        ask: the check itself.

    Example:
        >>> from distgrad.launcher.preflight.result import green
        >>> within(5.0, "disk", "the disk", "df", lambda: green("disk", "75 GB free")).text
        '75 GB free'
    """
    answers: list[Result] = []

    def run() -> None:
        try:
            answers.append(ask())
        except OSError as error:
            answers.append(red(check, f"{waits_for}: {error}", remedy))

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    thread.join(seconds)
    if answers:
        return answers[0]
    return red(check, f"no answer within {seconds:g} s from {waits_for}", remedy)
