"""`ShardedOptimizer`: each rank steps its slice of the parameters, and keeps its state only."""

from collections.abc import Callable, Mapping
from itertools import chain
from typing import Any

from distgrad.backend import Array
from distgrad.distributed.data_parallel.model import DataParallel
from distgrad.distributed.data_parallel.shard import Shard
from distgrad.optim import Optimizer
from distgrad.optim.flat_optimizer import FlatOptimizer
from distgrad.optim.normed import NormedOptimizer
from distgrad.optim.optimizer import Closure, ParamGroup, Params
from distgrad.tensor import Tensor

__all__ = ["ShardedOptimizer"]


class ShardedOptimizer(Optimizer):
    """An optimizer whose work and state are divided among the ranks: ZeRO's first stage.

    Each rank updates one slice of the parameters, by its slice of the mean gradient, and gets the
    others' slices from them. The result has the bits of the plain optimizer, for every number of
    ranks. S. Rajbhandari et al., "ZeRO: memory optimizations toward training trillion parameter
    models", SC 2020.

    Groups, their options and learning-rate schedules work as with the plain optimizer. Slices begin
    at multiples of 64K elements: of a smaller model the first rank steps all.

    Args:
        model: The model, with ``reduction="sharded"``.
        optimizer_class: `SGD`, `AdamW` or another of distgrad's optimizers, or a function of
            (params, options) that returns one.
        params: Parameters of the model, or groups of them. Default: all.
        **defaults: The options of the optimizer.

    Attributes:
        param_groups: One dict per group: "params", whole, and the options, which may be changed.
        state: For each parameter what this rank remembers of its part: vectors.

    Raises:
        ValueError: If the model has another reduction, or does not have one of the parameters.
        TypeError: If ``model`` is no `DataParallel`, or the optimizer is none of distgrad's own.

    Example:
        >>> import distgrad as dg
        >>> comm = dg.distributed.connect()
        >>> model = dg.distributed.DataParallel(dg.nn.Linear(3, 1), comm, reduction="sharded")
        >>> optimizer = dg.distributed.ShardedOptimizer(model, dg.optim.AdamW, lr=0.1)
        >>> model.backward(model(dg.ones(2, 3)).sum(), 2)
        >>> if model.reduce().finite:
        ...     norm = model.clip_grad_norm_(1.0)
        ...     optimizer.step()
        >>> list(optimizer.state_dict()["state"][0])
        ['exp_avg', 'exp_avg_sq', 'step']
    """

    def __init__(
        self,
        model: DataParallel,
        optimizer_class: Callable[..., Optimizer],
        params: Params | None = None,
        **defaults: Any,
    ) -> None:
        self._shard = _shard_of(model)
        self._replica = model._replica
        plain = optimizer_class(model.parameters() if params is None else params, **defaults)
        if not isinstance(plain, FlatOptimizer):
            raise TypeError(
                f"{type(plain).__name__} cannot be sharded: a rank sees a slice of the parameters, "
                "so ShardedOptimizer takes distgrad's own optimizers, such as SGD and LAMB; use "
                'reduction="tree" for this one'
            )
        # It has checked the groups, and now gets groups of pieces in place of them.
        groups, plain.param_groups = plain.param_groups, []
        self._of_pieces = plain
        super().__init__(groups, plain.defaults)

    def add_param_group(self, param_group: ParamGroup) -> None:
        """Add a group of parameters, with its own options or the defaults.

        Raises:
            TypeError: As `Optimizer.add_param_group`.
            ValueError: As `Optimizer.add_param_group`, or if the model has no such parameter.
        """
        super().add_param_group(param_group)
        group = self.param_groups[-1]
        try:
            pieces = [self._shard.piece(parameter).tensor for parameter in group["params"]]
        except ValueError:
            self.param_groups.pop()
            raise
        self._of_pieces.add_param_group({**_options(group), "params": pieces})

    @property
    def capture(self) -> bool:
        """Whether steps on a GPU are recorded as a graph and replayed, as `AdamW`'s can be."""
        return self._of_pieces.capture

    @capture.setter
    def capture(self, wanted: bool) -> None:
        self._of_pieces.capture = wanted

    def step(self, closure: Closure | None = None) -> Any:
        """Update the parameters by their gradients, on all ranks; every rank calls it.

        Those without a gradient are left as they are.

        Args:
            closure: Computes the loss and its gradients anew before the update.

        Returns:
            What the closure returned, or None.

        Raises:
            RuntimeError: If a gradient was not reduced over the ranks.
            TrainingError: On every rank, if one of them does something else.
        """

        def prepare() -> Any:
            loss = closure() if closure is not None else None
            self._shard.follow()
            for group, of_pieces in zip(
                self.param_groups, self._of_pieces.param_groups, strict=True
            ):
                of_pieces.update(_options(group))
            if isinstance(self._of_pieces, NormedOptimizer):
                self._of_pieces.all_gather = self._replica.comm.all_gather_object
            self._replica.meet("step of ShardedOptimizer")
            return loss

        loss = self._of_pieces.step(prepare)
        self._show_state()
        self._shard.gather_values()
        for parameter in self._parameters():
            if parameter.grad is not None:
                parameter.bump_version()
        return loss

    def state_dict(self) -> dict[str, Any]:
        """Return the whole state and the options, as the plain optimizer does; every rank calls it.

        It depends neither on the number of ranks nor on the slices, and the plain optimizer can
        load it. Each rank gets copies of all arrays, if only for a moment.

        Raises:
            TrainingError: On every rank, if one of them does something else.
        """
        self._replica.meet("state_dict of ShardedOptimizer")
        whole = self._gathered()
        own = super().state_dict()
        for number, parameter in enumerate(self._parameters()):
            if number in own["state"]:
                own["state"][number] = {
                    name: Tensor(whole[name][parameter]) if isinstance(value, Tensor) else value
                    for name, value in own["state"][number].items()
                }
        return own

    def load_state_dict(self, state_dict: Mapping[str, Any]) -> None:
        """Take over this rank's part of a state, and the options, as copies.

        Args:
            state_dict: What `state_dict` of this optimizer or of the plain one returned, under any
                number of ranks; the same on all ranks.

        Raises:
            ValueError: If groups or arrays do not have the sizes of this optimizer's; nothing was
                changed.
        """
        super().load_state_dict(state_dict)
        self._of_pieces.load_state_dict(super().state_dict())
        self._show_state()

    def _loaded(self, values: Mapping[str, Any], parameter: Tensor) -> dict[str, Any]:
        piece = self._shard.piece(parameter)
        whole = self._of_pieces._loaded(values, parameter)
        return {
            name: Tensor(piece.cut(value.data)) if isinstance(value, Tensor) else value
            for name, value in whole.items()
        }

    def _gathered(self) -> dict[str, dict[Any, Array]]:
        """Return the whole arrays by their name and parameter."""
        held: dict[str, dict[Any, Array]] = {}
        for parameter, values in self.state.items():
            for name, value in values.items():
                if isinstance(value, Tensor):
                    held.setdefault(name, {})[parameter] = value.data
        return {name: self._shard.gathered(held[name]) for name in sorted(held)}

    def _show_state(self) -> None:
        """Let ``state`` show, under the parameters, what is remembered of their pieces."""
        state = self._of_pieces.state
        for parameter in self._parameters():
            piece = self._shard.piece(parameter).tensor
            if piece in state:
                self.state[parameter] = state[piece]

    def _parameters(self) -> chain[Tensor]:
        return chain.from_iterable(group["params"] for group in self.param_groups)


def _shard_of(model: DataParallel) -> Shard:
    if not isinstance(model, DataParallel):
        raise TypeError(
            f"ShardedOptimizer needs the DataParallel model, not a {type(model).__name__}: it is "
            "what moves parameters between ranks; the parameters to optimize come third"
        )
    shard = model._replica.shard
    if shard is None:
        raise ValueError(
            "ShardedOptimizer steps slices, and the model's reduction leaves every rank the whole "
            'gradient; build it as DataParallel(module, comm, reduction="sharded"), or give '
            "model.parameters() to the plain optimizer"
        )
    return shard


def _options(group: ParamGroup) -> ParamGroup:
    return {name: value for name, value in group.items() if name not in ("params", "param_names")}
