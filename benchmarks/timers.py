"""Timers around functions that call one another: each moment counts once."""

import time
from collections import Counter, defaultdict
from collections.abc import Callable
from functools import wraps
from typing import Any


class Timers:
    """Seconds and calls by label, from the functions that `around` has made.

    What a timed function spends in another timed one counts for the inner one only.

    Attributes:
        running: Whether anything is timed; to be changed while no timed function runs.
        seconds: By label.
        calls: By label.
    """

    def __init__(self) -> None:
        self.running = True
        self.seconds: dict[str, float] = defaultdict(float)
        self.calls: Counter[str] = Counter()
        self._elsewhere = 0.0
        self._in_whole = False

    def around(
        self, label: str, function: Callable[..., Any], whole: bool = False
    ) -> Callable[..., Any]:
        """Return the function with a timer.

        Args:
            label: Where its time is added.
            function: What is timed.
            whole: Whether timed functions that it calls count as a part of it instead.
        """

        @wraps(function)
        def timed(*args: Any, **kwargs: Any) -> Any:
            if self._in_whole or not self.running:
                return function(*args, **kwargs)
            before, self._elsewhere, self._in_whole = self._elsewhere, 0.0, whole
            start = time.perf_counter()
            try:
                return function(*args, **kwargs)
            finally:
                elapsed = time.perf_counter() - start
                self.seconds[label] += elapsed - self._elsewhere
                self.calls[label] += 1
                self._elsewhere, self._in_whole = before + elapsed, False

        return timed

    def taken(self) -> tuple[dict[str, float], dict[str, int]]:
        """Return seconds and calls since this was last asked for."""
        taken = dict(self.seconds), dict(self.calls)
        self.seconds.clear()
        self.calls.clear()
        return taken
