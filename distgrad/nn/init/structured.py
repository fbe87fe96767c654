"""Matrices and kernels of a certain form: identities, orthogonal and sparse matrices."""

import math
from typing import Any

import numpy as np

from distgrad.autograd import next_generator
from distgrad.nn.init.distributions import filled
from distgrad.tensor import Tensor

__all__ = ["dirac_", "eye_", "orthogonal_", "sparse_"]


def eye_(tensor: Tensor) -> Tensor:
    """Fill a matrix with the identity, in place, and return it.

    A `Linear` layer with it hands on as many of its inputs as it has room for.

    Raises:
        ValueError: If the tensor has not 2 axes.

    Example:
        >>> import distgrad as dg
        >>> dg.nn.init.eye_(dg.zeros(2, 3)).tolist()
        [[1.0, 0.0, 0.0], [0.0, 1.0, 0.0]]
    """
    if tensor.ndim != 2:
        raise ValueError(f"eye_() fills a tensor of 2 axes, got shape {tensor.shape}")
    rows, columns = tensor.shape
    return filled(tensor, np.eye(rows, columns))


def dirac_(tensor: Tensor, groups: int = 1) -> Tensor:
    """Fill the weight of a convolution with 1 in the middle of the kernels of equal channels.

    In each group as many channels are handed on unchanged as possible.

    Args:
        tensor: What is filled, in place, of shape ``[out, in / groups, *kernel]`` with a kernel
            of 1 to 3 axes.
        groups: Of the convolution; divides the output channels.

    Returns:
        The tensor itself.

    Raises:
        ValueError: If the shape or ``groups`` does not fit.

    Example:
        >>> import distgrad as dg
        >>> dg.nn.init.dirac_(dg.zeros(2, 1, 3), groups=2).tolist()
        [[[0.0, 1.0, 0.0]], [[0.0, 1.0, 0.0]]]
    """
    if tensor.ndim not in (3, 4, 5):
        raise ValueError(f"dirac_() fills a tensor of 3, 4 or 5 axes, got shape {tensor.shape}")
    outputs, inputs, *kernel = tensor.shape
    if groups < 1 or outputs % groups:
        raise ValueError(f"groups must divide the {outputs} output channels, got {groups}")
    values = np.zeros(tensor.shape)
    in_each = outputs // groups
    channels = np.arange(min(in_each, inputs))
    middle = [length // 2 for length in kernel]
    for first in range(0, outputs, in_each or 1):
        place: tuple[Any, ...] = (first + channels, channels, *middle)
        values[place] = 1
    return filled(tensor, values)


def orthogonal_(
    tensor: Tensor, gain: float = 1.0, generator: np.random.Generator | None = None
) -> Tensor:
    """Fill a weight with ``gain`` times a matrix whose rows, or columns, are orthonormal.

    Those of which there are fewer are; axes behind the first count as one. Among all such matrices
    it is uniformly distributed: Q of the QR decomposition of a normal matrix, with the signs that
    make the diagonal of R positive (F. Mezzadri, "How to generate random matrices from the
    classical compact groups", Notices of the AMS 54, 2007). A. Saxe, J. McClelland, S. Ganguli,
    "Exact solutions to the nonlinear dynamics of learning in deep linear neural networks",
    ICLR 2014.

    The draws are the same everywhere. The last bits of the decomposition are LAPACK's: like those
    of a matrix product they may change with the BLAS build, the type of the processor and the
    number of BLAS threads, and are the same in every run where these are. `DataParallel` takes the
    values of rank 0.

    Args:
        tensor: What is filled, in place, of at least 2 axes.
        gain: What the matrix is multiplied with.
        generator: Where the draws come from. Default: the next generator of the random scope.

    Returns:
        The tensor itself.

    Raises:
        ValueError: For fewer than 2 axes.

    Example:
        >>> import distgrad as dg
        >>> w = dg.nn.init.orthogonal_(dg.zeros(3, 5))
        >>> bool(abs(w @ w.T - dg.eye(3)).max() < 1e-6)
        True
    """
    if tensor.ndim < 2:
        raise ValueError(
            f"orthogonal_() fills a tensor of at least 2 axes, got shape {tensor.shape}"
        )
    generator = next_generator() if generator is None else generator
    if not tensor.numel():
        return tensor
    rows = tensor.shape[0]
    drawn = generator.normal(size=(rows, tensor.numel() // rows))
    wide = rows < drawn.shape[1]
    q, r = np.linalg.qr(drawn.T if wide else drawn)
    q = q * np.copysign(1.0, np.diagonal(r))
    return filled(tensor, gain * (q.T if wide else q).reshape(tensor.shape))


def sparse_(
    tensor: Tensor,
    sparsity: float,
    std: float = 0.01,
    generator: np.random.Generator | None = None,
) -> Tensor:
    """Fill a matrix normally, and set a fraction of each column to 0, at random places.

    J. Martens, "Deep learning via Hessian-free optimization", ICML 2010.

    Args:
        tensor: What is filled, in place.
        sparsity: The fraction of zeros, rounded up to whole elements.
        std: Standard deviation of the others.
        generator: Where the draws come from. Default: the next generator of the random scope.

    Returns:
        The tensor itself.

    Raises:
        ValueError: If the tensor has not 2 axes, or the fraction is not from 0 to 1.

    Example:
        >>> import distgrad as dg
        >>> (dg.nn.init.sparse_(dg.zeros(10, 2), sparsity=0.7) == 0).sum(0).tolist()
        [7, 7]
    """
    if tensor.ndim != 2:
        raise ValueError(f"sparse_() fills a tensor of 2 axes, got shape {tensor.shape}")
    if not 0 <= sparsity <= 1:
        raise ValueError(f"sparsity is a fraction from 0 to 1, got {sparsity}")
    generator = next_generator() if generator is None else generator
    values = generator.normal(0.0, std, tensor.shape)
    zeros = math.ceil(sparsity * tensor.shape[0])
    order = np.argsort(generator.random(tensor.shape), axis=0, kind="stable")
    np.put_along_axis(values, order[:zeros], 0.0, axis=0)
    return filled(tensor, values)
