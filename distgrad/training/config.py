"""The configuration of a run: one frozen, validated model for each section of its TOML file."""

import math
from collections.abc import Sequence
from types import NoneType
from typing import Annotated, Any, Literal, Self, get_args

from pydantic import Field, NonNegativeInt, PositiveInt, field_validator, model_validator

from distgrad.errors import UsageError
from distgrad.training.component import (
    ComponentConfig,
    ModelConfig,
    OptimizerConfig,
    SchedulerConfig,
    SourceConfig,
    TransformConfig,
)
from distgrad.training.section import PositiveNumber, Section, broken
from distgrad.training.training_section import TrainingConfig

__all__ = [
    "CheckpointConfig",
    "Config",
    "DataConfig",
    "DistributedConfig",
    "RunConfig",
    "SampleConfig",
    "TrainingConfig",
    "known_keys",
]


class RunConfig(Section):
    """[run]: what the run is called and where it computes."""

    name: str
    """The run's folder below ``runs/``; by default the configuration file's name, less .toml."""

    device: Literal["cpu", "cuda"] = "cpu"
    """Where the arrays are: "cpu", or "cuda": the ranks of a machine take its GPUs in turn."""

    kernels: Literal["auto", "numpy", "numba"] = "auto"
    """What computes on the CPU: NumPy alone, or with the kernels that numba compiles; "auto": what
    the environment variable ``DISTGRAD_KERNELS`` says, or else numba's where it is installed."""

    @field_validator("name")
    @classmethod
    def _check_name(cls, name: str) -> str:
        if not name or name.startswith(".") or "/" in name or not name.isprintable():
            raise ValueError("must name one folder: not empty, no / and no dot at its beginning")
        return name


class DataConfig(Section):
    """[data]: where samples come from and how many make a step."""

    global_batch_size: PositiveInt
    """Samples in a step, over all ranks."""

    micro_batch_size: PositiveInt
    """Samples that a rank takes at a time; the result depends on it, and not on the ranks."""

    num_workers: NonNegativeInt | None = None
    """Threads that read micro-batches before they are asked for; the samples are the same. Left
    out: 1 where the samples are distgrad's own and reading them takes long."""

    source: SourceConfig

    augment: tuple[TransformConfig, ...] = ()
    """Changes of the inputs in training, one after the other; drawn anew for each micro-batch."""

    @property
    def micro_batches(self) -> int:
        """Micro-batches in a step of a full global batch."""
        return math.ceil(self.global_batch_size / self.micro_batch_size)

    @model_validator(mode="after")
    def _check_sizes(self) -> Self:
        if self.micro_batch_size > self.global_batch_size:
            raise broken(
                f"data.micro_batch_size = {self.micro_batch_size} is larger than "
                f"data.global_batch_size = {self.global_batch_size}; use at most "
                f"{self.global_batch_size}"
            )
        return self


class CheckpointConfig(Section):
    """[checkpoint]: what `--resume` goes on from; there is always one of the last step."""

    every_steps: PositiveInt = 1000
    """Write one after every so many steps."""

    keep_last: PositiveInt = 3
    """How many of the newest stay."""

    keep_best: bool = True
    """Where the run is evaluated before its end, also write one whenever the test loss, or what
    ``training.monitor`` names, was the best so far, and keep the last of these."""


class SampleConfig(Section):
    """[sample]: text that the trained model writes at the end, one character after the other."""

    prompt: Annotated[str, Field(min_length=1)]
    """What the text begins with; only characters that the data has."""

    length: PositiveInt = 200
    """Characters to write behind the prompt."""

    temperature: PositiveNumber = 1.0
    """What scores are divided by: below 1 the likely becomes likelier."""


class DistributedConfig(Section):
    """[distributed]: how ranks work together."""

    reduction: Literal["tree", "sharded", "allreduce"] = "tree"
    """"tree": the same bits for every number of ranks; "sharded": the same bits too, with the
    optimizer's state and work divided among the ranks; "allreduce": MPI's own sum."""

    transport: Literal["auto", "shared", "mpi", "nccl", "cuda-aware", "ipc", "staged"] = "auto"
    """What carries gradients between ranks: on the CPU "shared" memory or "mpi", on GPUs one of the
    others. "auto": the first of them that all ranks can use; "mpi" and "staged" always are ones."""


class Config(Section):
    """A run, as its configuration file describes it."""

    run: RunConfig
    model: ModelConfig
    data: DataConfig
    optimizer: OptimizerConfig
    scheduler: SchedulerConfig | None = None
    training: TrainingConfig
    distributed: DistributedConfig = DistributedConfig()
    checkpoint: CheckpointConfig = CheckpointConfig()
    sample: SampleConfig | None = None

    @property
    def follows_evaluations(self) -> bool:
        """Whether the weights may depend on evaluations: by a schedule or by callbacks."""
        by_schedule = self.scheduler and self.scheduler.arguments.get("metric") is not None
        return bool(by_schedule or self.training.callbacks)

    def check_ranks(self, ranks: int) -> None:
        """Refuse more ranks than a full global batch has micro-batches: some would never work.

        Raises:
            UsageError: With the numbers and the ways out.
        """
        data = self.data
        if ranks <= data.micro_batches:
            return
        # The largest size that is small enough, where there is one: ceil(global / size) >= ranks.
        size = math.ceil(data.global_batch_size / (ranks - 1)) - 1
        smaller = f"use data.micro_batch_size <= {size}" if size else "use a larger global batch"
        raise UsageError(
            f"{ranks} ranks need at least {ranks} micro-batches in a full global batch; "
            f"data.global_batch_size {data.global_batch_size} / data.micro_batch_size "
            f"{data.micro_batch_size} gives {data.micro_batches}; {smaller} or at most "
            f"{data.micro_batches} {'rank' if data.micro_batches == 1 else 'ranks'}"
        )


def known_keys(path: Sequence[str | int], document: Any) -> list[str]:
    """Return the keys that the table at ``path`` of the configuration ``document`` may have."""
    model: Any = Config
    for part in path:
        if isinstance(part, int):  # an entry of a list, whose type was found with its name
            document = document[part]
            continue
        annotation = model.model_fields[part].annotation
        # In an optional section the model stands beside None, in a list beside an ellipsis.
        model = next((a for a in get_args(annotation) if a is not NoneType), annotation)
        document = document[part]
    is_component = issubclass(model, ComponentConfig)
    keys: list[str] = model.known_keys(document["name"]) if is_component else [*model.model_fields]
    return keys
