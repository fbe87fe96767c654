"""`AveragedModel`: a copy of a model whose weights are an average over training."""

from copy import deepcopy
from typing import Any, TypeAlias

from distgrad.creation import zeros
from distgrad.nn import Module
from distgrad.optim.swa_utils.averages import Average, MultiAverage, get_swa_multi_avg_fn
from distgrad.tensor import Tensor

__all__ = ["AveragedModel"]

Pairs: TypeAlias = list[tuple[Tensor, Tensor]]
"""An average and the value that it follows, of several tensors."""


class AveragedModel(Module):
    """A copy of a model whose parameters follow those of the model, step by step.

    The first update copies, and every further one averages. Called, it computes as the model does.
    An equally weighted average is P. Izmailov et al., "Averaging weights leads to wider optima and
    better generalization", UAI 2018. Its ``state_dict`` has the average, under names that begin
    with "module.", and "n_averaged"; the averaging function is given again when it is made.

    Every rank averages the same parameters, so that the averages are the same on all of them.

    Args:
        model: The model; of a `DataParallel` its ``module``.
        avg_fn: Returns the new average of a tensor, such as `get_ema_avg_fn` gives. Default: the
            mean of all values.
        multi_avg_fn: Averages lists of tensors of one data type, in place, such as
            `get_ema_multi_avg_fn` gives.
        use_buffers: Average the buffers too, such as running statistics. By default they are
            copied at each update; `update_bn` computes running statistics anew.

    Attributes:
        module: The copy.
        n_averaged: How many updates there were, a Tensor.

    Raises:
        ValueError: If both functions are given.

    Example:
        >>> import distgrad as dg
        >>> from distgrad.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn
        >>> model = dg.nn.Linear(1, 1, bias=False)
        >>> average = AveragedModel(model, multi_avg_fn=get_ema_multi_avg_fn(0.75))
        >>> for value in [8.0, 4.0, 4.0]:
        ...     with dg.no_grad():
        ...         _ = model.weight.fill_(value)
        ...     average.update_parameters(model)
        ...     print(average.module.weight.item())
        8.0
        7.0
        6.25
    """

    n_averaged: Tensor

    def __init__(
        self,
        model: Module,
        avg_fn: Average | None = None,
        multi_avg_fn: MultiAverage | None = None,
        use_buffers: bool = False,
    ) -> None:
        if avg_fn is not None and multi_avg_fn is not None:
            raise ValueError("give avg_fn or multi_avg_fn, not both: they do the same")
        super().__init__()
        self.module = deepcopy(model)
        self.register_buffer("n_averaged", zeros((), dtype="int64"))
        self.avg_fn = avg_fn
        self.multi_avg_fn = multi_avg_fn
        self.use_buffers = use_buffers

    def forward(self, *args: Any, **kwargs: Any) -> Any:
        """Return what the averaged model computes."""
        return self.module(*args, **kwargs)

    def update_parameters(self, model: Module) -> None:
        """Let the average follow the model; call it after the optimizer's step.

        Raises:
            ValueError: If the model has other parameters or buffers than it had.
        """
        parameters, buffers = _pairs(self.module, model)
        averaged = parameters + buffers if self.use_buffers else parameters
        if int(self.n_averaged):
            self._average(averaged)
        else:
            _copy(averaged)
        if not self.use_buffers:
            _copy(buffers)
        self.n_averaged.add_(1)

    def _average(self, pairs: Pairs) -> None:
        if self.avg_fn is not None:
            for average, value in pairs:
                average.copy_(self.avg_fn(average, value, self.n_averaged))
            return
        of_dtype: dict[Any, Pairs] = {}
        for pair in pairs:
            of_dtype.setdefault(pair[0].dtype, []).append(pair)
        follow = self.multi_avg_fn or get_swa_multi_avg_fn()
        for alike in of_dtype.values():
            averages, values = zip(*alike, strict=True)
            follow(averages, values, self.n_averaged)


def _pairs(averaged: Module, model: Module) -> tuple[Pairs, Pairs]:
    """Return (average, value) of all parameters, and of all buffers, outside any graph."""
    own, others = _tensors(averaged), _tensors(model)
    shapes = [[[tensor.shape for tensor in part] for part in parts] for parts in (own, others)]
    if shapes[0] != shapes[1]:
        raise ValueError(
            f"the average is of {len(own[0])} parameters and {len(own[1])} buffers, and the model "
            f"has {len(others[0])} and {len(others[1])}, or others in shape; give it the model "
            "that it was made of"
        )
    parameters, buffers = (
        list(zip(*parts, strict=True)) for parts in zip(own, others, strict=True)
    )
    return parameters, buffers


def _tensors(module: Module) -> tuple[list[Tensor], list[Tensor]]:
    """Return the parameters and the buffers."""
    return [p.detach() for p in module.parameters()], [b.detach() for b in module.buffers()]


def _copy(pairs: Pairs) -> None:
    for average, value in pairs:
        average.copy_(value)
