"""Data-parallel training over ranks: communicators, reductions, `DataParallel`."""

from distgrad.distributed.communicator import Communicator, SingleProcess
from distgrad.distributed.connect import connect
from distgrad.distributed.data_parallel import (
    DataParallel,
    LossScale,
    ShardedOptimizer,
    StepResult,
    Window,
)
from distgrad.distributed.devices import choose_device
from distgrad.distributed.launch_environment import launched_rank, launched_size

__all__ = [
    "Communicator",
    "DataParallel",
    "LossScale",
    "ShardedOptimizer",
    "SingleProcess",
    "StepResult",
    "Window",
    "choose_device",
    "connect",
    "launched_rank",
    "launched_size",
]
