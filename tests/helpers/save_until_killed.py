"""Goes on with the checkpoints in a folder, on a slow disk, until it is killed.

`python -m helpers.save_until_killed FOLDER SEED` saves every step twice, and prints the step and
the version of each checkpoint as soon as it is said to be saved.
"""

import itertools
import os
import random
import sys
import time
from pathlib import Path

from helpers.checkpoints import checkpoint_of

from distgrad.training.checkpoint import CheckpointStore

ROWS = 40_000


def main() -> None:
    folder, seed = Path(sys.argv[1]), int(sys.argv[2])
    delays, fsync = random.Random(seed), os.fsync

    def slow_fsync(descriptor: int) -> None:
        time.sleep(delays.uniform(0, 0.02))
        fsync(descriptor)
        time.sleep(delays.uniform(0, 0.02))

    os.fsync = slow_fsync
    store = CheckpointStore(folder)
    newest = store.newest().checkpoint
    for step in itertools.count(newest.step + 1 if newest else 1):
        for version in (0, 1):
            store.save(checkpoint_of(step, version, rows=ROWS))
            print(step, version, flush=True)
            store.prune(2)


if __name__ == "__main__":
    main()
