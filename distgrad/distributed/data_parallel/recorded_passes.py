"""Forward and backward passes of a model on the CPU, recorded and replayed as one function."""

import logging
from collections.abc import Hashable
from types import FunctionType
from typing import Any

import numpy as np

from distgrad.autograd import is_grad_enabled
from distgrad.autograd.observing import observers
from distgrad.backend import Array
from distgrad.distributed.data_parallel.forms import form_of
from distgrad.distributed.data_parallel.losses import Losses, LossFunction, OneLoss
from distgrad.distributed.data_parallel.model_state import ModelState
from distgrad.distributed.data_parallel.passes import EagerPasses
from distgrad.distributed.data_parallel.replica import Replica
from distgrad.distributed.data_parallel.statistics import StatisticsLog
from distgrad.distributed.gradient_buffer import GradientBuffer, Gradients
from distgrad.distributed.record import checked_count
from distgrad.flat import BLOCK
from distgrad.nn import Module
from distgrad.tensor import Tensor
from distgrad.tracing import Program, Trace, same_bits

__all__ = ["RecordedPasses"]

_EAGER_FIRST = 1
"""Micro-batches of a form that run before one is recorded: it may never come again."""

_CHECKS = 2
"""Steps in which a replay is compared with an eager pass before it is trusted."""

_MOST_FORMS = 16
_MOST_CHANGES = 16
"""How often everything is recorded anew before it is left alone: recording takes its time."""

_NO_FORM = object()

_log = logging.getLogger(__name__)


class _Form:
    """What is known of the batches of a form."""

    def __init__(self) -> None:
        self.met = 0
        self.program: Program | None = None
        self.checks = _CHECKS
        self.checked_at = 0
        self.refused = False


class RecordedPasses:
    """Runs micro-batches, replayed where that can be.

    The second micro-batch of a form is recorded while it runs, and replayed from then on. In two
    steps one is run both ways, and the bits compared. What cannot be recorded, and what a replay
    makes different bits of, runs eagerly for good; the reason is logged once.

    Args:
        replica: The parameters; they lie on the CPU.
        module: The model.
        statistics: The running statistics of all models that a loss may run.
    """

    def __init__(self, replica: Replica, module: Module, statistics: StatisticsLog) -> None:
        self._replica = replica
        self._module = module
        self._statistics = statistics
        self._eager = EagerPasses(replica)
        self._losses: Losses = OneLoss()
        self._function: Any = None
        self._state: ModelState | None = None
        self._changes = self._steps = 0
        self._reasons: set[str] = set()
        self._forms: dict[Hashable, _Form] = {}
        self._last: tuple[Hashable, _Form] = _NO_FORM, _Form()
        self._is_usable = False
        self._words = 0, 0
        # Of many gradients a buffer more is memory more, and no time less.
        self._is_small = replica.layout.size <= BLOCK

    def start(self, loss: LossFunction, losses: Losses, seed: int, step: int) -> None:
        """See `Passes.start`."""
        self._eager.start(loss, losses, seed, step)
        self._losses, self._words = losses, (seed, step)
        self._is_usable = self._can_replay(loss, losses)

    def _can_replay(self, loss: LossFunction, losses: Losses) -> bool:
        if not isinstance(losses, OneLoss):
            return self._told("several losses are divided by counts that are new in each step")
        if self._statistics.follows():
            return self._told("running statistics, as those of BatchNorm, follow each micro-batch")
        if not is_grad_enabled() or observers.get():
            return False
        self._steps += 1
        scale = self._replica.loss_scale
        others = scale and scale.value
        state = self._state
        if state is None or not _alike(loss, self._function) or not state.holds(others):
            self._changes += state is not None
            if self._changes > _MOST_CHANGES + self._steps // 100:
                return self._told(
                    "the loss, the loss scale or the model's attributes change too often"
                )
            self._forms.clear()
            self._last = _NO_FORM, _Form()
            self._function = loss
            self._state = ModelState(self._module, self._replica.parameters, others)
            if self._state.has_hooks():
                self._state = None
                return self._told("hooks look at what passes")
        return True

    def _told(self, reason: str) -> bool:
        """Say once why micro-batches run as without capture; return False."""
        if reason not in self._reasons:
            self._reasons.add(reason)
            _log.warning(
                "capture: micro-batches run as without capture, since they cannot be recorded: %s",
                reason,
            )
        return False

    def run(self, batch: Any, micro_batch: int) -> tuple[float, float, Gradients]:
        """See `Passes.run`."""
        if not self._is_usable:
            return self._eager.run(batch, micro_batch)
        arrays: list[Array] = []
        key = form_of(batch, arrays)
        form = self._last[1] if key == self._last[0] else self._form(key)
        program, words = form.program, (*self._words, micro_batch)
        if program is None:
            return self._run_unknown(form, batch, arrays, micro_batch)
        if form.checks and form.checked_at != words[1]:
            buffer = self._replica.reduction.open()
            return self._run_both_ways(form, program, batch, arrays, words, buffer)
        buffer = self._replica.reduction.open(in_place=self._is_small)
        try:
            value, count = _replayed(program, buffer, arrays, words)
        except Exception:
            self._eager.loss(batch)  # raises the same, and shows where
            raise
        return value, count, buffer

    def _form(self, key: Hashable) -> _Form:
        form = self._forms.get(key)
        if form is None:
            form = _Form()
            if key is None:
                form.refused = True
                self._told("a batch holds more than Tensors, texts and numbers")
            elif len(self._forms) == _MOST_FORMS:
                form.refused = True
                self._told(f"batches have more than {_MOST_FORMS} forms")
            else:
                self._forms[key] = form
        self._last = key, form
        return form

    def _run_unknown(
        self, form: _Form, batch: Any, arrays: list[Array], micro_batch: int
    ) -> tuple[float, float, Gradients]:
        form.met += 1
        if form.refused or form.met <= _EAGER_FIRST:
            return self._eager.run(batch, micro_batch)
        replica = self._replica
        assert self._state is not None  # `start` has seen to it
        trace = Trace(arrays, [tensor.data for tensor in self._state.tensors])
        with trace.recording():
            share, told = OneLoss().parts(self._eager.loss(batch))
            scaled = replica.scaled(share)
        count = checked_count(told)
        buffer = replica.reduction.open()
        if scaled.node is None or scaled.numel() != 1:
            trace.refuse("the loss is no scalar that requires a gradient")
            replica.differentiate(share, buffer)  # which says so
        with trace.recording():
            trace.backward(scaled, replica.writer(buffer))
        counted = told.data if isinstance(told, Tensor) else told
        if not trace.refusal:
            form.program = Program(
                trace,
                replica.parameters,
                replica.layout.dtype,
                share.data,
                counted if isinstance(counted, np.ndarray) else count,
            )
        if trace.refusal:
            form.program, form.refused = None, True
            self._told(trace.refusal)
        return share.item(), count, buffer

    def _run_both_ways(
        self,
        form: _Form,
        program: Program,
        batch: Any,
        arrays: list[Array],
        words: tuple[int, int, int],
        buffer: Gradients,
    ) -> tuple[float, float, Gradients]:
        """Run eagerly, and compare a replay with that."""
        share, count = self._losses.to_differentiate(self._eager.loss(batch))
        is_empty = not buffer.written.any()
        self._replica.differentiate(share, buffer)
        assert share is not None  # of one loss
        value = share.item()
        if is_empty:
            form.checks -= 1
            form.checked_at = words[1]
            if not self._is_the_same(program, arrays, words, (value, count), buffer):
                form.program, form.refused = None, True
        return value, count, buffer

    def _is_the_same(
        self,
        program: Program,
        arrays: list[Array],
        words: tuple[int, int, int],
        expected: tuple[float, float],
        buffer: Gradients,
    ) -> bool:
        again = GradientBuffer(self._replica.layout)
        try:
            found = _replayed(program, again, arrays, words)
        except Exception as error:
            return self._told(f"a replay failed ({type(error).__name__}: {error})")
        pairs = zip(again.views, buffer.views, again.written, buffer.written, strict=True)
        if repr(found) == repr(expected) and all(
            here == there and (not here or same_bits(mine, theirs))
            for mine, theirs, here, there in pairs
        ):
            return True
        return self._told(
            "a replay gives other bits than the loss: it depends on what is no Tensor of the batch "
            "or the model, as numbers that change or draws of NumPy's"
        )


def _replayed(
    program: Program, buffer: Gradients, arrays: list[Array], words: tuple[int, int, int]
) -> tuple[float, float]:
    if type(buffer) is GradientBuffer and buffer.is_empty:
        value, count = program.into_views(buffer.views, arrays, words)
        buffer.mark(program.written)
    else:
        value, count = program.to_writer(buffer.write, arrays, words)
    if type(value) is not float:  # of a kernel that does not serve such values
        raise TypeError("a replay gives no number")
    return value, count if type(count) is float else checked_count(count)


def _alike(a: Any, b: Any) -> bool:
    """Tell whether two functions do the same, as two of one definition in the same state do."""
    if a == b:
        return True
    if type(a) is not FunctionType or type(b) is not FunctionType or a.__code__ is not b.__code__:
        return False
    cells = [[cell.cell_contents for cell in f.__closure__ or ()] for f in (a, b)]
    same = all(x is y for x, y in zip(*cells, strict=True))
    return same and a.__defaults__ is b.__defaults__ and a.__kwdefaults__ is b.__kwdefaults__
