"""Do all ranks do the same run? Asked once, before the first step."""

from collections.abc import Iterator, Mapping
from typing import Any

from distgrad.data import Split
from distgrad.distributed import Communicator
from distgrad.distributed.agreement import check_same_items, differences
from distgrad.training.code import code_hashes
from distgrad.training.config import Config
from distgrad.training.differences import flat_items
from distgrad.training.environment import bit_relevant
from distgrad.training.samples import identity

__all__ = ["check_configuration", "check_data", "compare_environments"]

_SOFTWARE = ("distgrad", "Python", "NumPy", "kernels")


def check_configuration(comm: Communicator, config: Config) -> None:
    """Refuse ranks that were given different configurations or run different code.

    Raises:
        UsageError: On every rank, naming the first difference and where it is.
    """
    document = config.model_dump(mode="json")
    check_same_items(
        comm, "the configuration", dict(flat_items(document)), "give every host the same file"
    )
    hashes = code_hashes(_names(document))
    check_same_items(comm, "the code", hashes, "give every host the same version of it")


def check_data(comm: Communicator, split: Split) -> None:
    """Refuse ranks that found different samples to train or to test on.

    Raises:
        UsageError: On every rank, naming the first difference and where it is.
    """
    parts = {part: identity(dataset) for part, dataset in split._asdict().items()}
    check_same_items(comm, "the data", dict(flat_items(parts)), "give every host the same files")


def compare_environments(comm: Communicator, environment: Mapping[str, Any]) -> list[str]:
    """Refuse different versions of the software; return a line for what else bits depend on.

    Raises:
        UsageError: On every rank, naming the first version that differs and where it does.
    """
    relevant = bit_relevant(environment)
    software = {name: relevant.pop(name) for name in _SOFTWARE}
    check_same_items(comm, "the software", software, "install the same versions on every host")
    return [
        f"the ranks compute differently: {difference}: the result depends on which rank does what, "
        "and the replicas may drift apart, which ends the run; use machines of one kind"
        for difference in differences(comm, relevant)
    ]


def _names(value: Any) -> Iterator[str]:
    """Yield the names of components, wherever they stand in a configuration."""
    if isinstance(value, Mapping):
        for key, inner in value.items():
            if key in ("name", "lr_lambda") and isinstance(inner, str):
                yield inner
            else:
                yield from _names(inner)
    elif isinstance(value, list | tuple):
        for inner in value:
            yield from _names(inner)
