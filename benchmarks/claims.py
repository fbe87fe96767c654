"""What is claimed to be fast: the models and sizes that are measured."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Claim:
    """A training job, in units of one rank.

    Attributes:
        title: What it is, for a reader.
        layers: Widths of the multilayer perceptron.
        micro_batch: Samples in a micro-batch.
        micro_batches: Micro-batches of a rank in an optimizer step.
        warmup: Steps before the measured ones.
        steps: Measured steps in a process.
    """

    title: str
    layers: tuple[int, ...]
    micro_batch: int
    micro_batches: int
    warmup: int
    steps: int


CLAIMS = {
    "digits": Claim(
        "MLP 64-256-10, the size of scikit-learn's digits", (64, 256, 10), 16, 4, 50, 1000
    ),
    "mlp": Claim("MLP 784-1024-1024-10", (784, 1024, 1024, 10), 64, 4, 10, 60),
}
