"""How large what is measured is: for a GPU; a rehearsal without one makes it small."""

from dataclasses import dataclass, field

__all__ = ["SIZES", "Sizes"]


@dataclass
class Sizes:
    """Sizes and numbers.

    Attributes:
        copy: Elements of a copy.
        product: Rows and columns of the factors of a product.
        parameters: Elements of a large model.
        widths: Of the perceptron's layers.
        batch: Samples of its batch.
        gpt: Of the language model.
        sequences: Of its batch.
        micro_batches: Of a window that is carried to the GPU.
        most_times: How often a time is taken at most, and how many pieces of work make up one.
        most_steps: Of a run whose weights are compared.
        with_large: Whether kernels are compared on large arrays, too.
    """

    copy: int = 1 << 29
    product: int = 8192
    parameters: int = 124_000_000
    widths: tuple[int, ...] = (1024, 1024, 1024, 1024)
    batch: int = 256
    gpt: dict[str, int] = field(
        default_factory=lambda: {
            "context": 1024,
            "vocabulary": 50304,
            "width": 768,
            "heads": 12,
            "layers": 12,
        }
    )
    sequences: int = 16
    micro_batches: int = 8
    most_times: int = 1000
    most_steps: int = 50
    with_large: bool = True


SIZES = Sizes()
"""Those that are measured."""
