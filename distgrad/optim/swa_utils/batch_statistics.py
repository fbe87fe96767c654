"""`update_bn`: running statistics of a model whose weights were set and not trained."""

from collections.abc import Iterable
from typing import Any

from distgrad.autograd import no_grad
from distgrad.nn import BatchNorm1d, BatchNorm2d, BatchNorm3d, Module

__all__ = ["update_bn"]


@no_grad()
def update_bn(loader: Iterable[Any], model: Module) -> None:
    """Compute the running statistics of all batch normalisations anew, in one pass over data.

    Each becomes the mean over the batches. Where ranks share a model, every rank is given the same
    batches, so that the statistics are the same on all of them.

    Args:
        loader: Yields batches; of a tuple or a list the first item is the input.
        model: The model, such as an `AveragedModel`.

    Example:
        >>> import distgrad as dg
        >>> model = dg.nn.BatchNorm1d(1)
        >>> update_bn([dg.tensor([[1.0], [3.0]]), dg.tensor([[5.0], [7.0]])], model)
        >>> model.running_mean.tolist()
        [4.0]
    """
    layers = [m for m in model.modules() if isinstance(m, BatchNorm1d | BatchNorm2d | BatchNorm3d)]
    if not layers:
        return
    was_training = model.training
    momenta = [layer.momentum for layer in layers]
    for layer in layers:
        layer.reset_running_stats()
        layer.momentum = None  # the mean over all batches
    model.train()
    try:
        for batch in loader:
            model(batch[0] if isinstance(batch, list | tuple) else batch)
    finally:
        for layer, momentum in zip(layers, momenta, strict=True):
            layer.momentum = momentum
        model.train(was_training)
