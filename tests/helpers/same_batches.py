"""Runs a program for DistributedDataParallel on the batches that distgrad makes.

``torchrun ... same_batches.py BATCH MICRO_BATCH PROGRAM [ARGUMENT]...``
"""

import os
import runpy
import sys

import distgrad as dg


def give_same_batches(batch, micro_batch):
    """Give each rank the part of every global batch that it would have with distgrad."""
    from torch.utils.data import distributed

    class SameOrder(distributed.DistributedSampler):
        def __iter__(self):
            if not self.shuffle:
                yield from super().__iter__()
                return
            windows = dg.data.GlobalBatches(self.dataset, batch, micro_batch, seed=self.seed)
            windows.set_epoch(self.epoch)
            part = batch // self.num_replicas
            for window in windows:
                yield from window.indices[self.rank * part : (self.rank + 1) * part].tolist()

    distributed.DistributedSampler = SameOrder


if __name__ == "__main__":
    give_same_batches(*map(int, sys.argv[1:3]))
    sys.argv = sys.argv[3:]
    runpy.run_path(sys.argv[0], run_name="__main__")
    # At times a thread of gloo's aborts the process while Python ends it: nothing is left to do.
    sys.stdout.flush()
    os._exit(0)
