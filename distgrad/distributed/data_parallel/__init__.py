"""Data-parallel training of one model: the part of `distgrad.distributed` that knows models."""

from distgrad.distributed.data_parallel.model import DataParallel, StepResult, Window
from distgrad.distributed.data_parallel.precision import LossScale
from distgrad.distributed.data_parallel.sharded_optimizer import ShardedOptimizer

__all__ = ["DataParallel", "LossScale", "ShardedOptimizer", "StepResult", "Window"]
