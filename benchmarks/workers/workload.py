"""What every library is given alike: the sizes, the samples, their order, the initial weights."""

import json
import math
import sys
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from importlib import import_module
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

SEED = 0
WINDOWS_PER_EPOCH = 8

LEARNING_RATE = 1e-3
BETAS = (0.9, 0.999)
EPS = 1e-8
WEIGHT_DECAY = 1e-2
"""Of AdamW; all but the first are the defaults of torch and distgrad."""

# The key by which distgrad's GlobalBatches draws the order of an epoch: (seed, stream ORDER).
_ORDER_STREAM = 1


@dataclass(frozen=True)
class Workload:
    """One measured run: a model with its loss and AdamW.

    Attributes:
        model: A module of `workers.models`.
        sizes: The model's, by name.
        micro_batch: Samples in a micro-batch.
        micro_batches: Micro-batches of each rank in an optimizer step.
        warmup: Steps before the measured ones; the first of them ends the start-up.
        steps: Measured steps.
        ranks: Processes.
        launched: `time.monotonic` when the run was started.
        report: Folder where each rank leaves its measurements.
    """

    model: str
    sizes: Mapping[str, Any]
    micro_batch: int
    micro_batches: int
    warmup: int
    steps: int
    ranks: int
    launched: float
    report: str

    def to_argument(self) -> str:
        """Return the one command-line argument from which a worker reads it back."""
        return json.dumps(asdict(self))

    @classmethod
    def from_argument(cls) -> Self:
        """Read this process's own command line."""
        return cls(**json.loads(sys.argv[1]))

    @property
    def global_batch(self) -> int:
        """Samples in an optimizer step."""
        return self.micro_batch * self.micro_batches * self.ranks

    @property
    def samples(self) -> int:
        """Samples in an epoch."""
        return self.global_batch * WINDOWS_PER_EPOCH

    @property
    def loss(self) -> str:
        """What the model is trained with: "cross_entropy" or "mean_squared_error"."""
        loss: str = self._module().LOSS
        return loss

    def arrays(self) -> tuple[NDArray[Any], NDArray[Any]]:
        """Return the inputs and targets of all samples."""
        arrays: tuple[NDArray[Any], NDArray[Any]] = self._module().samples(
            np.random.default_rng(SEED), self.samples, **self.sizes
        )
        return arrays

    def order(self, epoch: int) -> NDArray[np.int64]:
        """Return the order of the samples in an epoch, the same that distgrad draws.

        Written out here, so that the peers need not import distgrad; a difference would show in
        the losses, which are compared.
        """
        counter = np.array([0, epoch, 0, 0], np.uint64)
        key = np.array([SEED, _ORDER_STREAM], np.uint64)
        return np.random.Generator(np.random.Philox(key=key, counter=counter)).permutation(
            self.samples
        )

    def indices(self, rank: int) -> Iterator[NDArray[np.int64]]:
        """Yield the samples of a rank, step by step without end.

        Each array is (micro_batches, micro_batch): a row is a micro-batch.
        """
        share = self.micro_batch * self.micro_batches
        epoch = 0
        while True:
            order = self.order(epoch)
            for start in range(rank * share, self.samples, self.global_batch):
                yield order[start : start + share].reshape(self.micro_batches, self.micro_batch)
            epoch += 1

    def build(self, library: str, as_tensor: Any) -> Any:
        """Return the model in "distgrad" or "torch", with the initial values of all libraries.

        Args:
            library: Whose model.
            as_tensor: Makes one of the library's tensors of an array.
        """
        model = getattr(self._module(), f"in_{library}")(**self.sizes)
        shapes = {name: tuple(p.shape) for name, p in model.named_parameters()}
        values = initial_values(shapes)
        model.load_state_dict({name: as_tensor(value) for name, value in values.items()})
        return model

    def function(self, library: str) -> Any:
        """Return the model in "jax" or "chainer": a function of `values` and of inputs."""
        return getattr(self._module(), f"in_{library}")(**self.sizes)

    def values(self) -> dict[str, NDArray[np.float32]]:
        """Return the same initial values by name."""
        return initial_values(self._module().shapes(**self.sizes))

    def _module(self) -> Any:
        return import_module(f"workers.models.{self.model}")


def initial_values(shapes: Mapping[str, tuple[int, ...]]) -> dict[str, NDArray[np.float32]]:
    """Draw values for parameters of these names and shapes.

    Matrices and biases are uniform as in both libraries, the scales of normalisations near 1.
    No bias is 0: a library that left one out would show in the losses.
    """
    rng = np.random.default_rng(SEED + 1)
    values = {}
    for name, shape in sorted(shapes.items()):
        bound = 1 / math.sqrt(math.prod(shape[1:])) if len(shape) > 1 else 0.1
        drawn = rng.uniform(-bound, bound, shape).astype(np.float32)
        values[name] = drawn + 1 if name.endswith("norm.weight") else drawn
    return values
