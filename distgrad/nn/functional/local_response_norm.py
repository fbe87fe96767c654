"""Normalisation of each element by its neighbours in other channels."""

from distgrad.backend.dtypes import is_floating
from distgrad.nn.functional.pad import pad
from distgrad.tensor import Tensor

__all__ = ["local_response_norm"]


def local_response_norm(
    input: Tensor, size: int, alpha: float = 1e-4, beta: float = 0.75, k: float = 1.0
) -> Tensor:
    """Return ``input / (k + alpha * m) ** beta``, m being the mean square over channels near by.

    Args:
        input: (N, C, ...)
        size: Over how many channels the mean is taken; those beyond the ends count as 0.
        alpha: Factor of the mean. Default: 1e-4.
        beta: The exponent. Default: 0.75.
        k: What is added. Default: 1.

    Raises:
        ValueError: If the input has fewer than 3 axes, or ``size`` is not positive.

    Example:
        >>> import distgrad as dg
        >>> local_response_norm(dg.tensor([[[1.0], [2.0]]]), size=1, alpha=1.0, beta=1.0, k=0.0)
        tensor([[[1.0000],
                 [0.5000]]])

    Reference:
        A. Krizhevsky, I. Sutskever, G. E. Hinton, "ImageNet classification with deep convolutional
        neural networks", NIPS 2012.
    """
    if input.ndim < 3:
        raise ValueError(
            f"local_response_norm: the input must have shape (N, C, ...), got {input.shape}"
        )
    if size < 1:
        raise ValueError(f"local_response_norm: size must be positive, got {size}")
    if not input.numel():
        return input
    beside = [0, 0] * (input.ndim - 2)
    squares = pad(input * input, [*beside, size // 2, (size - 1) // 2])
    near = squares.unfold(1, size, 1).sum(-1)
    mean = near / size if is_floating(input.dtype) else near // size  # as PyTorch's pooling
    return input / (mean * alpha + k).pow(beta)
