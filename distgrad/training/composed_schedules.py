"""Schedules that a configuration makes of others, and of functions."""

from collections.abc import Callable
from typing import Annotated, Any

from pydantic import AfterValidator, TypeAdapter, ValidationError

from distgrad.optim import Optimizer
from distgrad.optim.lr_scheduler import (
    ChainedScheduler,
    LambdaLR,
    LRScheduler,
    MultiplicativeLR,
    SequentialLR,
)
from distgrad.training.import_path import imported
from distgrad.training.problems import explain

__all__ = ["by_lambda", "chained", "multiplicative", "sequential"]


def _checked_function(path: str) -> str:
    imported(path)
    return path


def _checked_tables(tables: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return the tables of schedules with all defaults."""
    # Here, because components are found among those that this module defines.
    from distgrad.training.component import SchedulerConfig

    try:
        configs = TypeAdapter(list[SchedulerConfig]).validate_python(tables)
    except ValidationError as error:
        by_place: Any = dict(enumerate(tables))
        lines = explain(
            error, by_place, lambda path, _: SchedulerConfig.known_keys(by_place[path[0]]["name"])
        )
        raise ValueError("; ".join(lines)) from error
    return [{"name": config.name, **config.arguments} for config in configs]


Function = Annotated[str, AfterValidator(_checked_function)]
"""The import path of a function of the step that returns a factor."""

Tables = Annotated[list[dict[str, Any]], AfterValidator(_checked_tables)]
"""Tables of schedules: their name, and their arguments."""


def by_lambda(optimizer: Optimizer, lr_lambda: Function, last_epoch: int = -1) -> LambdaLR:
    """Return a `LambdaLR` by the import path of its function."""
    return LambdaLR(optimizer, _function(lr_lambda), last_epoch)


def multiplicative(
    optimizer: Optimizer, lr_lambda: Function, last_epoch: int = -1
) -> MultiplicativeLR:
    """Return a `MultiplicativeLR` by the import path of its function."""
    return MultiplicativeLR(optimizer, _function(lr_lambda), last_epoch)


def sequential(optimizer: Optimizer, schedulers: Tables, milestones: list[int]) -> SequentialLR:
    """Return a `SequentialLR` of the schedules of tables.

    Example:
        >>> import distgrad as dg
        >>> optimizer = dg.optim.SGD([dg.nn.Parameter(dg.zeros(1))], lr=1.0)
        >>> tables = [{"name": "constant", "factor": 0.5}, {"name": "exponential", "gamma": 0.5}]
        >>> scheduler = sequential(optimizer, tables, milestones=[2])
        >>> rates = []
        >>> for step in range(4):
        ...     rates += scheduler.get_last_lr()
        ...     optimizer.step()
        ...     scheduler.step()
        >>> rates
        [0.5, 0.5, 1.0, 0.5]
    """
    return SequentialLR(optimizer, _built(optimizer, schedulers), milestones)


def chained(optimizer: Optimizer, schedulers: Tables) -> ChainedScheduler:
    """Return a `ChainedScheduler` of the schedules of tables."""
    return ChainedScheduler(_built(optimizer, schedulers), optimizer)


def _built(optimizer: Optimizer, tables: list[dict[str, Any]]) -> list[LRScheduler]:
    from distgrad.training.component import SchedulerConfig  # as above

    return [SchedulerConfig(**table).build(optimizer) for table in tables]


def _function(path: str) -> Callable[[int], float]:
    function: Callable[[int], float] = imported(path)
    return function
