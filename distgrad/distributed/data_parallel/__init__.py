"""Data-parallel training of one model: the part of `distgrad.distributed` that knows models."""

from distgrad.distributed.data_parallel.model import DataParallel, StepResult, Window

__all__ = ["DataParallel", "StepResult", "Window"]
