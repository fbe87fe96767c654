"""The weights of a model: one hash that tells whether two are the same, and their file."""

from itertools import chain
from pathlib import Path

from distgrad import nn
from distgrad.backend import arrays_sha256
from distgrad.errors import UsageError
from distgrad.nn.weights import weights_bytes

__all__ = ["load_weights", "weights_bytes", "weights_sha256"]


def weights_sha256(module: nn.Module) -> str:
    """Return the SHA-256 of all parameters and buffers of a model, in hexadecimal.

    For each of them, sorted by name, the hash takes a line with its name, data type and shape, and
    then its values as little-endian bytes in C order: it does not depend on the machine's byte
    order or on how the arrays lie in memory.

    Example:
        >>> import distgrad as dg
        >>> layer = dg.nn.Linear(2, 1)
        >>> for parameter in layer.parameters():
        ...     _ = parameter.data.fill(0)
        >>> weights_sha256(layer)[:16]
        '85157e35ce9376d8'
    """
    named = chain(module.named_parameters(), module.named_buffers())
    return arrays_sha256(sorted((name, tensor.data) for name, tensor in named))


def load_weights(module: nn.Module, path: Path) -> None:
    """Copy the weights that a file in the safetensors format has into a model.

    Raises:
        UsageError: If the file cannot be read, or if its weights do not fit the model.
    """
    try:
        nn.load_weights(module, path)
    except (OSError, ValueError) as error:
        raise UsageError(f"{path}: cannot be read ({error})") from error
    except RuntimeError as error:
        raise UsageError(f"{path}: {error}") from error
