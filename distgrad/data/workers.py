"""Threads that work ahead of their consumer.

They are threads and no processes. A process forked after MPI_Init has a copy of the MPI library in
an undefined state, and one started afresh imports everything again, needs the dataset pickled, and
sends each batch through a pipe. What reading a batch takes long for releases Python's lock: NumPy's
copies, files, decompression. The threads never call MPI.
"""

import threading
from collections import deque
from collections.abc import Callable, Generator, Iterable
from contextvars import copy_context
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from concurrent.futures import Future

__all__ = ["Workers", "ordered_map"]

Task = TypeVar("Task")
Result = TypeVar("Result")

_NAME = "distgrad-data"


class Workers:
    """A pool of threads that ends with the iteration it works for.

    Attributes:
        ahead: How many results to have under way: enough to keep all threads at work while the
            consumer is, few enough to bound the memory.
    """

    def __init__(self, count: int) -> None:
        from concurrent.futures import ThreadPoolExecutor  # most programs need none

        self.ahead = 2 * count
        self._pool = ThreadPoolExecutor(count, thread_name_prefix=_NAME)

    def submit(self, function: Callable[[Task], Result], task: Task) -> "Future[Result]":
        """Start ``function(task)``, in the caller's context: gradient mode, NumPy's error state."""
        return self._pool.submit(copy_context().run, function, task)

    def close(self) -> None:
        """Drop what has not begun and wait for the threads to end."""
        # The garbage collector can end an iteration in one of the threads, which is not to wait
        # for itself.
        in_worker = threading.current_thread().name.startswith(_NAME)
        self._pool.shutdown(wait=not in_worker, cancel_futures=True)


def ordered_map(
    function: Callable[[Task], Result], tasks: Iterable[Task], num_workers: int
) -> Generator[Result, None, None]:
    """Yield ``function(task)`` for each task in their order, worked out ahead by threads.

    ``tasks`` is iterated in the consumer's thread. An exception of a task is raised in its place,
    with its traceback. When the iteration ends, however that happens, so do the threads.

    Args:
        function: Called from several threads at once, unless there is one worker.
        tasks: May be endless.
        num_workers: 0 for none: each result is worked out when it is asked for.

    Example:
        >>> list(ordered_map(abs, [-3, 1, -2], num_workers=2))
        [3, 1, 2]
    """
    if num_workers == 0:
        yield from map(function, tasks)
        return
    workers = Workers(num_workers)
    pending: deque[Future[Result]] = deque()
    try:
        for task in tasks:
            pending.append(workers.submit(function, task))
            if len(pending) > workers.ahead:
                yield pending.popleft().result()
        while pending:
            yield pending.popleft().result()
    finally:
        workers.close()
