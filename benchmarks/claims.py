"""What is claimed to be fast: the models and sizes that are measured."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from workers.workload import Workload

EVERY_MODEL = (
    "distgrad",
    "distgrad-captured",
    "distgrad-sharded-captured",
    "distgrad-numba",
    "distgrad-numba-captured",
    "distgrad-numba-sharded-captured",
    "torch",
    "torch-tuned-malloc",
    "torch-compile-tuned-malloc",
    "accelerate-tuned-malloc",
    "jax-tuned-malloc",
    "chainermn-tuned-malloc",
)
IMAGES = (
    "distgrad",
    "distgrad-captured",
    "distgrad-numba",
    "distgrad-numba-captured",
    "torch",
    "torch-channels-last",
    "torch-channels-last-tuned-malloc",
    "torch-compile-channels-last-tuned-malloc",
    "accelerate-channels-last-tuned-malloc",
    "jax-unrolled-tuned-malloc",
    "chainermn-tuned-malloc",
)
PERCEPTRONS = (*EVERY_MODEL, "raw-mpi-tuned-malloc")


@dataclass(frozen=True)
class Claim:
    """A training job, in units of one rank.

    Attributes:
        title: What it is, for a reader.
        model: A module of `workers.models`.
        sizes: The model's, handed to that module's functions.
        micro_batch: Samples in a micro-batch.
        micro_batches: Micro-batches of a rank in an optimizer step.
        warmup: Steps before the measured ones.
        steps: Measured steps in a process.
        sides: What is compared unless the command line says otherwise; see `sides.SIDES`.
    """

    title: str
    model: str
    sizes: Mapping[str, Any]
    micro_batch: int
    micro_batches: int
    warmup: int
    steps: int
    sides: tuple[str, ...] = EVERY_MODEL

    def workload(self, ranks: int, launched: float, report: str) -> Workload:
        """Return what a worker is given; see `Workload` for the arguments."""
        return Workload(
            model=self.model,
            sizes=self.sizes,
            micro_batch=self.micro_batch,
            micro_batches=self.micro_batches,
            warmup=self.warmup,
            steps=self.steps,
            ranks=ranks,
            launched=launched,
            report=report,
        )


CLAIMS = {
    "mlp": Claim(
        title="MLP 784-1024-1024-10",
        model="mlp",
        sizes={"layers": (784, 1024, 1024, 10)},
        micro_batch=64,
        micro_batches=4,
        warmup=5,
        steps=40,
        sides=PERCEPTRONS,
    ),
    "cnn": Claim(
        title="CNN of 3x3 convolutions to 32 and 64 channels on 28x28 pixels",
        model="cnn",
        sizes={"image": (1, 28, 28), "channels": (32, 64), "hidden": 128, "classes": 10},
        micro_batch=64,
        micro_batches=4,
        warmup=3,
        steps=20,
        sides=IMAGES,
    ),
    "gpt": Claim(
        title="GPT of 4 layers, width 128, 4 heads, 64 tokens of context",
        model="gpt",
        # As many characters as configs/char_gpt.toml finds in the documentation of Python 3.11.
        sizes={"layers": 4, "width": 128, "heads": 4, "context": 64, "vocabulary": 103},
        micro_batch=16,
        micro_batches=4,
        warmup=3,
        steps=16,
    ),
    "tiny": Claim(
        title="MLP 8-16-16-1, mean squared error",
        model="regression",
        sizes={"layers": (8, 16, 16, 1)},
        micro_batch=8,
        micro_batches=4,
        warmup=50,
        steps=600,
        sides=PERCEPTRONS,
    ),
    "digits": Claim(
        title="MLP 64-256-10, the size of scikit-learn's digits",
        model="mlp",
        sizes={"layers": (64, 256, 10)},
        micro_batch=16,
        micro_batches=4,
        warmup=50,
        steps=1000,
        sides=PERCEPTRONS,
    ),
    "wide": Claim(
        title="MLP 784-2200-2000-10, whose gradients are 25 MB",
        model="mlp",
        sizes={"layers": (784, 2200, 2000, 10)},
        micro_batch=64,
        micro_batches=4,
        warmup=5,
        steps=25,
        sides=PERCEPTRONS,
    ),
}
