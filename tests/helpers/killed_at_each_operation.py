"""Is killed before each of the operations on the file system that saving and pruning take.

`python -m helpers.killed_at_each_operation FOLDER` makes a folder for each of them, named after its
number; the last one is that of a process that has come to its end.
"""

import itertools
import os
import signal
import sys
from pathlib import Path

from helpers.checkpoints import checkpoint_of

from distgrad.training.checkpoint import CheckpointStore

OPERATIONS = {"open", "os.listdir", "os.mkdir", "os.remove", "os.rename", "os.rmdir", "os.scandir"}


def die_before(number: int) -> None:
    """Kill this process when it is about to do its operation of this number."""
    left = itertools.count(number, -1)

    def hook(event: str, _: object) -> None:
        if event in OPERATIONS and next(left) == 0:
            os.kill(os.getpid(), signal.SIGKILL)

    sys.addaudithook(hook)


def prepared(folder: Path) -> CheckpointStore:
    """A store with the checkpoints of steps 1 and 2."""
    store = CheckpointStore(folder)
    for step in (1, 2):
        store.save(checkpoint_of(step))
    return store


def work(store: CheckpointStore) -> None:
    store.save(checkpoint_of(2, version=1))
    store.save(checkpoint_of(3))
    store.prune(1)


def main() -> None:
    for number in itertools.count():
        store = prepared(Path(sys.argv[1], str(number)))
        if (pid := os.fork()) == 0:
            die_before(number)
            work(store)
            os._exit(0)
        _, status = os.waitpid(pid, 0)
        if os.waitstatus_to_exitcode(status) == 0:
            return


if __name__ == "__main__":
    main()
