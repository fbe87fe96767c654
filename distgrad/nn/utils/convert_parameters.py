"""Parameters as one vector, and back."""

from collections.abc import Iterable

from distgrad.functional import cat
from distgrad.tensor import Tensor

__all__ = ["parameters_to_vector", "vector_to_parameters"]


def parameters_to_vector(parameters: Iterable[Tensor]) -> Tensor:
    """Return the elements of all parameters, one after another in C order, as a new vector.

    Gradients flow through it, to the parameters.

    Raises:
        ValueError: If there are no parameters.

    Example:
        >>> import distgrad as dg
        >>> dg.nn.utils.parameters_to_vector([dg.zeros(2, 1), dg.ones(2)]).tolist()
        [0.0, 0.0, 1.0, 1.0]
    """
    rows = [parameter.reshape(-1) for parameter in parameters]
    if not rows:
        raise ValueError("parameters_to_vector() needs at least one parameter")
    return cat(rows)


def vector_to_parameters(vec: Tensor, parameters: Iterable[Tensor]) -> None:
    """Copy the elements of a vector into the parameters, in place and in their order.

    Args:
        vec: A vector of as many elements as the parameters have together.
        parameters: The parameters.

    Raises:
        TypeError: If ``vec`` is not a Tensor.
        ValueError: If the vector has another shape; nothing was copied.
    """
    parameters = list(parameters)
    if not isinstance(vec, Tensor):
        raise TypeError(f"expected a Tensor, but got: {type(vec).__name__}")
    total = sum(parameter.numel() for parameter in parameters)
    if vec.shape != (total,):
        raise ValueError(
            f"the parameters have {total} elements together, so the vector must have shape "
            f"({total},), got {vec.shape}"
        )
    start = 0
    for parameter in parameters:
        end = start + parameter.numel()
        parameter.data[...] = vec.data[start:end].reshape(parameter.shape)
        parameter.bump_version()
        start = end
