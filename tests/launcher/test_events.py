import os
import signal
import threading

import pytest

from distgrad.launcher.events import EXITED, Events

LIMIT = 30


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_is_an_event(number):
    with Events() as events:
        os.kill(os.getpid(), number)
        assert events.next(LIMIT) == number


def test_signals_come_in_order_and_none_is_lost():
    with Events() as events:
        numbers = [signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGTERM]
        for number in numbers:
            os.kill(os.getpid(), number)
        assert [events.next(LIMIT) for _ in numbers] == numbers


def test_a_signal_that_another_thread_gets_wakes_the_one_that_waits():
    with Events() as events:
        thread = threading.Timer(0.1, lambda: signal.raise_signal(signal.SIGTERM))
        thread.start()
        assert events.next(LIMIT) == signal.SIGTERM
        thread.join()


def test_the_end_is_told_from_another_thread():
    with Events() as events:
        thread = threading.Thread(target=events.exited)
        thread.start()
        assert events.next() == EXITED
        thread.join()


def test_what_does_not_count_is_left_out():
    with Events() as events:
        os.kill(os.getpid(), signal.SIGHUP)
        assert events.next(0.05, but={signal.SIGHUP}) is None
        os.kill(os.getpid(), signal.SIGHUP)
        events.exited()
        assert events.next(LIMIT, but=signal.valid_signals()) == EXITED


def test_other_signals_are_no_events():
    previous = signal.signal(signal.SIGUSR2, lambda *_: None)
    try:
        with Events() as events:
            os.kill(os.getpid(), signal.SIGUSR2)
            assert events.next(0.05) is None
    finally:
        signal.signal(signal.SIGUSR2, previous)


def test_an_ignored_signal_stays_ignored():
    previous = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        with Events() as events:
            os.kill(os.getpid(), signal.SIGHUP)
            assert events.next(0.05) is None
        assert signal.getsignal(signal.SIGHUP) == signal.SIG_IGN
    finally:
        signal.signal(signal.SIGHUP, previous)


def test_the_signals_of_the_caller_come_back():
    receiver, sender = os.pipe()
    os.set_blocking(sender, False)
    handlers = [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)]
    previous = signal.set_wakeup_fd(sender)
    try:
        with Events():
            pass
        assert signal.set_wakeup_fd(previous) == sender
    finally:
        signal.set_wakeup_fd(previous)
        os.close(receiver)
        os.close(sender)
    assert [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)] == handlers
