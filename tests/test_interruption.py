"""Signals become requests to stop, as long as the block lasts."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from distgrad.interruption import StopSignals

LISTENED_TO = [signal.SIGUSR1, signal.SIGINT, signal.SIGTERM]


@pytest.mark.parametrize("number", LISTENED_TO)
def test_a_signal_asks_for_a_stop(number, capfd):
    asked = []
    with StopSignals(alone=True) as signals:
        signals.tell(lambda: asked.append(number))
        signal.raise_signal(number)
    assert asked == [number]
    said = capfd.readouterr().err
    assert ("Ctrl-C ends the run at once" in said) is (number != signal.SIGUSR1)


def test_a_signal_that_came_before_is_not_lost(capfd):
    asked = []
    with StopSignals(alone=True) as signals:
        signal.raise_signal(signal.SIGTERM)
        signals.tell(lambda: asked.append("stop"))
    assert asked == ["stop"]


@pytest.mark.parametrize("first", LISTENED_TO)
def test_an_interrupt_after_a_signal_ends_at_once(first, capfd):
    with StopSignals(alone=True):
        signal.raise_signal(first)
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(signal.SIGINT)


def test_further_requests_change_nothing(capfd):
    with StopSignals(alone=True):
        signal.raise_signal(signal.SIGINT)
        signal.raise_signal(signal.SIGTERM)
        signal.raise_signal(signal.SIGUSR1)


def test_a_rank_leaves_to_its_launcher_what_ends_all_ranks():
    before = [signal.getsignal(number) for number in LISTENED_TO]
    with StopSignals(alone=False):
        now = [signal.getsignal(number) for number in LISTENED_TO]
        assert [b is n for b, n in zip(before, now, strict=True)] == [False, True, True]


def test_the_handlers_before_come_back():
    before = [signal.getsignal(number) for number in LISTENED_TO]
    with pytest.raises(ValueError), StopSignals(alone=True):
        raise ValueError
    assert [signal.getsignal(number) for number in LISTENED_TO] == before


def test_what_the_parent_had_ignored_stays_ignored():
    """As a shell does for what it starts in the background."""
    program = (
        "import signal\n"
        "from distgrad.interruption import StopSignals\n"
        "with StopSignals(alone=True):\n"
        "    signal.raise_signal(signal.SIGINT)\n"
        "    print(signal.getsignal(signal.SIGINT) is signal.SIG_IGN)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program],
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_IGN),
        env=os.environ | {"PYTHONPATH": str(Path(__file__).parents[1])},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (done.stdout, done.stderr) == ("True\n", "")
