"""Forward and backward passes of a model on the CPU, recorded and replayed as one function."""

import logging
from collections.abc import Hashable
from typing import Any

import numpy as np

from distgrad.autograd import is_grad_enabled
from distgrad.autograd.observing import observers
from distgrad.autograd.random_scope import draws_made, set_draws_made
from distgrad.backend import Array
from distgrad.distributed.data_parallel.forms import form_of
from distgrad.distributed.data_parallel.loss_state import LossState
from distgrad.distributed.data_parallel.losses import Losses, LossFunction, OneLoss
from distgrad.distributed.data_parallel.model_state import ModelState
from distgrad.distributed.data_parallel.passes import EagerPasses
from distgrad.distributed.data_parallel.replica import Replica
from distgrad.distributed.data_parallel.statistics import StatisticsLog
from distgrad.distributed.gradient_buffer import GradientBuffer, Gradients, HeldGradients
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
        self.draws = 0
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
        self._loss_state: LossState | None = None
        self._state: ModelState | None = None
        self._changes = self._steps = 0
        self._is_changed = False
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
        self._words = seed, step
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
        state, of_loss = self._state, self._loss_state
        if not (state and of_loss and of_loss.holds(loss) and state.holds(others)):
            self._is_changed = state is not None
            self._forms.clear()
            self._last = _NO_FORM, _Form()
            self._loss_state = LossState(loss)
            self._state = ModelState(self._module, self._replica.parameters, others)
            if self._state.has_hooks():
                self._state = None
                return self._told("hooks look at what passes")
        return True

    def _may_record(self) -> bool:
        if self._is_changed:
            if self._changes >= _MOST_CHANGES + self._steps // 100:
                return self._told(
                    "the loss, the loss scale or the model's attributes change too often"
                )
            self._changes += 1
            self._is_changed = False
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
        found = _form_of(batch, arrays)
        key = found and (draws_made(), found)
        form = self._last[1] if key == self._last[0] else self._form(key)
        program, words = form.program, (*self._words, micro_batch)
        if program is None:
            return self._run_unknown(form, batch, arrays, micro_batch)
        if form.checks and form.checked_at != words[1]:
            return self._run_both_ways(form, program, batch, arrays, words)
        buffer = self._replica.reduction.open(in_place=self._is_small)
        try:
            value, count = _replayed(program, buffer, arrays, words)
        except Exception as error:
            return self._run_instead(form, batch, buffer, error)
        set_draws_made(form.draws)
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
        if form.refused or form.met <= _EAGER_FIRST or not self._may_record():
            return self._eager.run(batch, micro_batch)
        replica = self._replica
        assert self._state is not None  # `start` has seen to it
        live = [tensor.data for tensor in self._state.tensors]
        if _has_one_twice(arrays, live):
            self._told("two places of a batch, or one of it and one of the model, hold one array")
            return self._eager.run(batch, micro_batch)
        trace = Trace(arrays, live)
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
        form.draws = draws_made()
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
    ) -> tuple[float, float, Gradients]:
        """Run eagerly, and compare a replay with that."""
        buffer = self._replica.reduction.open()
        is_empty = not buffer.written.any()
        value, count, _ = self._eager.run_into(lambda: buffer, batch)
        if is_empty:
            form.checks -= 1
            form.checked_at = words[1]
            if not self._is_the_same(program, arrays, words, (value, count), buffer):
                form.program, form.refused = None, True
        return value, count, buffer

    def _run_instead(
        self, form: _Form, batch: Any, buffer: Gradients, error: Exception
    ) -> tuple[float, float, Gradients]:
        """Run eagerly what a replay did not come to the end of, and all like it from now on."""
        # If it is the loss that fails, this raises the same, and shows where.
        done = self._eager.run_into(lambda: buffer, batch)
        form.program, form.refused = None, True
        self._told(f"a replay failed ({type(error).__name__}: {error})")
        return done

    def _is_the_same(
        self,
        program: Program,
        arrays: list[Array],
        words: tuple[int, int, int],
        expected: tuple[float, float],
        buffer: Gradients,
    ) -> bool:
        kinds: tuple[type[GradientBuffer] | type[HeldGradients], ...]
        kinds = GradientBuffer, HeldGradients  # a program has a function for each
        for kind in kinds:
            again = kind(self._replica.layout)
            try:
                found = _replayed(program, again, arrays, words)
            except Exception as error:
                return self._told(f"a replay failed ({type(error).__name__}: {error})")
            pairs = zip(again.views, buffer.views, again.written, buffer.written, strict=True)
            if repr(found) != repr(expected) or not all(
                here == there and (not here or same_bits(mine, theirs))
                for mine, theirs, here, there in pairs
            ):
                return self._told(
                    "a replay gives other bits than the loss: it depends on what is no Tensor of "
                    "the batch or the model, as numbers that change or draws of NumPy's"
                )
        return True


def _form_of(batch: Any, arrays: list[Array]) -> Hashable | None:
    """Return the form of a batch of NumPy's arrays, and collect those."""

    def form_of_tensor(tensor: Tensor) -> Hashable | None:
        array = tensor.data
        if type(array) is not np.ndarray:
            return None
        arrays.append(array)
        return array.shape, array.dtype, array.strides

    return form_of(batch, form_of_tensor)


def _replayed(
    program: Program, buffer: Gradients, arrays: list[Array], words: tuple[int, int, int]
) -> tuple[float, float]:
    """Replay; a replay that fails leaves the buffer as it was."""
    written: list[tuple[int, Array]] = []
    into_views = isinstance(buffer, GradientBuffer) and buffer.is_empty
    if into_views:
        value, count = program.into_views(buffer.views, arrays, words)
    else:
        value, count = program.to_writer(lambda *part: written.append(part), arrays, words)
    if type(value) is not float:
        raise TypeError("a replay gives no number")
    count = checked_count(count)
    if isinstance(buffer, GradientBuffer) and into_views:
        buffer.mark(program.written)
    for index, gradient in written:
        buffer.write(index, gradient)
    return value, count


def _has_one_twice(arrays: list[Array], live: list[Array]) -> bool:
    """Tell whether a place of the batch could not be told from another by its array."""
    known = {id(array) for array in live}
    return len(known.union(map(id, arrays))) < len(known) + len(arrays)
