"""What every library is given alike: the sizes, the samples, their order, the initial weights."""

import json
import math
import sys
from dataclasses import asdict, dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

SEED = 0
LEARNING_RATE = 1e-3
WINDOWS_PER_EPOCH = 8

# The key by which distgrad's GlobalBatches draws the order of an epoch: (seed, stream ORDER).
_ORDER_STREAM = 1


@dataclass(frozen=True)
class Workload:
    """One measured run: a multilayer perceptron with ReLU, cross-entropy and AdamW.

    Attributes:
        layers: Widths, from the inputs to the classes.
        micro_batch: Samples in a micro-batch.
        micro_batches: Micro-batches of each rank in an optimizer step.
        warmup: Steps before the measured ones; the first of them ends the start-up.
        steps: Measured steps.
        ranks: Processes.
        launched: `time.monotonic` when the run was started.
        report: Folder where each rank leaves its measurements.
    """

    layers: tuple[int, ...]
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
        fields = json.loads(sys.argv[1])
        return cls(**{**fields, "layers": tuple(fields["layers"])})

    @property
    def global_batch(self) -> int:
        """Samples in an optimizer step."""
        return self.micro_batch * self.micro_batches * self.ranks

    @property
    def samples(self) -> int:
        """Samples in an epoch."""
        return self.global_batch * WINDOWS_PER_EPOCH

    def arrays(self) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
        """Return inputs (samples, layers[0]) and classes (samples,)."""
        rng = np.random.default_rng(SEED)
        inputs = rng.standard_normal((self.samples, self.layers[0]), np.float32)
        return inputs, rng.integers(0, self.layers[-1], self.samples)

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

    def initial_state(self) -> dict[str, NDArray[np.float32]]:
        """Return weights and biases by the names that both libraries' ``Sequential`` gives them."""
        rng = np.random.default_rng(SEED + 1)
        state = {}
        for index, (inputs, outputs) in enumerate(
            zip(self.layers[:-1], self.layers[1:], strict=True)
        ):
            bound = 1 / math.sqrt(inputs)
            for name, shape in (("weight", (outputs, inputs)), ("bias", (outputs,))):
                values = rng.uniform(-bound, bound, shape).astype(np.float32)
                state[f"{2 * index}.{name}"] = values
        return state
