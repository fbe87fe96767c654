"""Micro-batches on the CPU that are recorded and replayed: same bits, and what is refused."""

import logging
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest

import distgrad as dg
from distgrad import nn
from distgrad.autograd import Function, checkpoint
from distgrad.distributed import DataParallel, SingleProcess
from distgrad.distributed.data_parallel.recorded_passes import RecordedPasses
from distgrad.errors import RankError
from distgrad.nn import functional as F


class Window:
    """Micro-batches of given sizes."""

    def __init__(self, step: int, sizes: tuple[int, ...] = (8, 8, 8, 5), seed: int = 5) -> None:
        self.step, self._sizes, self.seed = step, sizes, seed

    def __len__(self) -> int:
        return len(self._sizes)

    def micro_batch(self, index: int) -> Any:
        rng = np.random.default_rng((self.step, index))
        x, y = (rng.normal(size=(self._sizes[index], n)).astype(np.float32) for n in (4, 3))
        return {"x": dg.tensor(x), "y": dg.tensor(y), "c": dg.tensor(rng.integers(0, 3, len(x)))}


def model_of(capture: bool, *more: Any, **options: Any) -> DataParallel:
    dg.manual_seed(0)
    layers = nn.Linear(4, 8), nn.Dropout(0.3), nn.Tanh(), *more, nn.Linear(8, 3)
    return DataParallel(nn.Sequential(*layers), SingleProcess(), capture=capture, **options)


def squared(model: DataParallel) -> Any:
    def loss(batch: Any) -> Any:
        count = (batch["y"] > 0).sum()
        return F.mse_loss(model(batch["x"]), batch["y"], reduction="sum"), count

    return loss


def state(model: DataParallel, result: Any) -> list[Any]:
    gradients = [None if p.grad is None else p.grad.data.tobytes() for p in model.parameters()]
    return [result, gradients, [p.data.tobytes() for p in model.parameters()]]


def trained(model: DataParallel, loss: Any, steps: Any = range(6)) -> Iterator[list[Any]]:
    optimizer = dg.optim.SGD(model.parameters(), lr=0.01)
    for step in steps:
        result = model.accumulate(loss, Window(step))
        optimizer.step()
        yield state(model, result)


@pytest.fixture
def replays(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """A list that grows by one with each replay that is trusted."""
    from distgrad.distributed.data_parallel import recorded_passes

    found: list[int] = []
    inner = recorded_passes._replayed

    def counted(program: Any, buffer: Any, arrays: Any, words: Any) -> Any:
        found.append(words[2])
        return inner(program, buffer, arrays, words)

    monkeypatch.setattr(recorded_passes, "_replayed", counted)
    return found


@pytest.mark.parametrize("reduction", ["tree", "sharded", "allreduce"])
@pytest.mark.parametrize("make", [squared])
def test_a_replayed_run_has_the_bits_of_an_eager_one(
    make: Any, reduction: str, replays: list[int], caplog: pytest.LogCaptureFixture
) -> None:
    eager, captured = (model_of(capture, reduction=reduction) for capture in (False, True))
    if reduction == "sharded":
        found = [
            [model.accumulate(make(model), Window(step)) for step in range(6)]
            for model in (eager, captured)
        ]
        assert found[0] == found[1]
    else:
        assert list(trained(captured, make(captured))) == list(trained(eager, make(eager)))
    assert not caplog.records
    assert len(replays) > 12  # of 24 micro-batches, of which 6 are short


def test_changes_between_steps_are_followed(replays: list[int]) -> None:
    """Of the learning rate, the weights, what is frozen, and the mode."""
    found = []
    for capture in (False, True):
        model = model_of(capture)
        loss = squared(model)
        first = next(model.parameters())
        states = list(trained(model, loss))
        saved = {name: tensor.clone() for name, tensor in model.state_dict().items()}
        states += trained(model, loss, range(6, 9))
        model.module.load_state_dict(saved)
        states += trained(model, loss, range(9, 12))
        first.requires_grad_(False)
        states += trained(model, loss, range(12, 16))
        first.requires_grad_(True)
        model.eval()
        states += trained(model, loss, range(16, 20))
        model.train()
        model.module[1].p = 0.7
        states += trained(model, loss, range(20, 24))
        model.module[2] = nn.ReLU()
        states += trained(model, loss, range(24, 28))
        found.append(states)
    assert found[0] == found[1]
    assert len(replays) > 28 * 4 / 3


def test_a_loss_that_is_made_anew_for_each_step_is_the_same(replays: list[int]) -> None:
    found = []
    for capture in (False, True):
        model = model_of(capture)
        found.append([model.accumulate(squared(model), Window(step)) for step in range(5)])
    assert found[0] == found[1]
    assert len(replays) > 5


def test_a_loss_that_is_another_in_each_step_runs_eagerly(
    replays: list[int], caplog: pytest.LogCaptureFixture
) -> None:
    found = []
    for capture in (False, True):
        model = model_of(capture)

        def made(factor: float, model: DataParallel = model) -> Any:
            return lambda batch: ((model(batch["x"]) * factor).sum(), 3)

        found.append([model.accumulate(made(step / 2), Window(step)) for step in range(40)])
    assert found[0] == found[1]
    assert "change too often" in caplog.text
    assert len(caplog.records) == 1


def test_other_seeds_draw_others(replays: list[int]) -> None:
    found = []
    for capture in (False, True):
        model = model_of(capture)
        loss = squared(model)
        found.append(
            [model.accumulate(loss, Window(s, seed=s % 3)).loss for s in (0, 1, 2, 3, 4, 5)]
        )
    assert found[0] == found[1]
    assert replays


@pytest.mark.parametrize("count", [3, 2.5, np.int64(4), np.float32(1.5), True])
def test_counts_may_be_any_numbers(
    count: Any, replays: list[int], caplog: pytest.LogCaptureFixture
) -> None:
    found = []
    for capture in (False, True):
        model = model_of(capture)

        def loss(batch: Any, model: DataParallel = model) -> Any:
            return model(batch["x"]).sum(), count

        found.append(list(trained(model, loss)))
    assert found[0] == found[1]
    assert replays
    assert not caplog.records


def test_a_count_that_does_not_count_says_so() -> None:
    model = model_of(True)
    for step in range(3):
        with pytest.raises(RankError, match="a finite count of at least 0, got count -1"):
            model.accumulate(lambda batch: (model(batch["x"]).sum(), -1), Window(step))


def test_an_observer_sees_the_gradients(replays: list[int]) -> None:
    found = []
    for capture in (False, True):
        model, seen = model_of(capture), []

        def look(m: int, loss: float, count: float, gradients: Any, seen: list[Any] = seen) -> None:
            seen.append((m, loss, count, {n: g.tobytes() for n, g in gradients.items()}))

        for step in range(4):
            model.accumulate(squared(model), Window(step), observer=look)
        found.append(seen)
    assert found[0] == found[1]
    assert replays


def test_an_error_in_a_replay_is_that_of_the_loss() -> None:
    model = model_of(True)
    bad: list[int] = []

    class Spoilt(Window):
        def micro_batch(self, index: int) -> Any:
            batch = super().micro_batch(index)
            if bad and index == 2:
                batch["c"].data[0] = 7
            return batch

    def loss(batch: Any) -> Any:
        return F.cross_entropy(model(batch["x"]), batch["c"], reduction="sum"), len(batch["c"])

    for step in range(4):
        model.accumulate(loss, Spoilt(step))
    bad.append(1)
    with pytest.raises(RankError, match=r"at step 5, micro-batch 2: IndexError.*target 7 at index"):
        model.accumulate(loss, Spoilt(4))
    bad.clear()
    assert model.accumulate(loss, Spoilt(4)).finite


class Twice(Function):
    """A gradient of one's own."""

    @staticmethod
    def forward(_: Any, x: Any) -> Any:
        return x * 2

    @staticmethod
    def backward(_: Any, gradient: Any) -> Any:
        return gradient * 2


def in_place(model: DataParallel, batch: Any) -> Any:
    y = model(batch["x"])
    y += 1
    return y.sum()


def by_value(model: DataParallel, batch: Any) -> Any:
    y = model(batch["x"]).sum()
    return y * 2 if y > 0 else y


def by_array(model: DataParallel, batch: Any) -> Any:
    weights = np.tanh(batch["y"].data)
    return (model(batch["x"]) * dg.Tensor(weights)).sum()


def drawn(model: DataParallel, batch: Any) -> Any:
    return (model(batch["x"]) + dg.rand(3)).sum()


def hooked(model: DataParallel, batch: Any) -> Any:
    y = model(batch["x"])
    y.register_hook(lambda gradient: gradient * 2)
    return y.sum()


NUMBERS = {"of NumPy": np.random.default_rng(0)}
OUTSIDE = np.ones(3, np.float32)
REFUSED: dict[str, tuple[Callable[..., Any], str]] = {
    "item": (lambda m, b: m(b["x"]).sum() * b["y"].sum().item(), "a value is read, as item() does"),
    "bool": (by_value, "a value is read, as item() does"),
    "data": (by_array, "by_array() reads the array of a Tensor, its .data"),
    "in place": (in_place, "changes a Tensor in place"),
    "outside": (
        lambda m, b: (m(b["x"]) * dg.Tensor(OUTSIDE)).sum(),
        "an array of shape (3,) comes from outside: it belongs neither to the batch nor to the "
        "model, and no operation has made it",
    ),
    "rand": (drawn, "random numbers are drawn, and not by dropout"),
    "hook": (hooked, "a hook, or retain_grad(), looks at a gradient"),
    "function": (lambda m, b: Twice.apply(m(b["x"])).sum(), "a Function of one's own"),
    "checkpoint": (lambda m, b: checkpoint(m.module, b["x"]).sum(), "a checkpoint"),
    "mask": (
        lambda m, b: m(b["x"])[b["y"] > 0].sum(),
        "how many elements getitem names depends on truth values",
    ),
    "numbers": (
        lambda m, b: m(b["x"]).sum() * NUMBERS["of NumPy"].random(),
        "a replay gives other bits than the loss",
    ),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_cannot_be_repeated_runs_eagerly_and_says_so_once(
    name: str, caplog: pytest.LogCaptureFixture
) -> None:
    function, reason = REFUSED[name]
    found = []
    for capture in (False, True):
        NUMBERS["of NumPy"] = np.random.default_rng(0)
        model = model_of(capture)

        def loss(batch: Any, model: DataParallel = model) -> Any:
            return function(model, batch), 3

        with caplog.at_level(logging.WARNING):
            found.append(list(trained(model, loss)))
    assert found[0] == found[1]
    assert len(caplog.records) == 1
    message = caplog.records[0].message
    assert message.startswith("capture: micro-batches run as without capture, since they cannot")
    assert reason in message


def test_hooks_of_modules_and_parameters_are_called(caplog: pytest.LogCaptureFixture) -> None:
    model, called = model_of(True), []
    loss = squared(model)
    for step in range(4):
        model.accumulate(loss, Window(step))
    handle = model.module[2].register_forward_hook(lambda *_: called.append("module"))
    model.accumulate(loss, Window(4))
    assert called == ["module"] * 4
    handle.remove()
    next(model.parameters()).register_hook(lambda _: called.append("parameter"))
    model.accumulate(loss, Window(5))
    assert called == ["module"] * 4 + ["parameter"] * 4
    assert "hooks look at what passes" in caplog.text


def test_running_statistics_are_followed(caplog: pytest.LogCaptureFixture) -> None:
    found = []
    for capture in (False, True):
        model = model_of(capture, nn.BatchNorm1d(8))
        found.append(list(trained(model, squared(model))))
        found[-1].append([buffer.tolist() for buffer in model.module.buffers()])
    assert found[0] == found[1]
    assert "running statistics" in caplog.text


def test_several_losses_run_eagerly(caplog: pytest.LogCaptureFixture) -> None:
    model = model_of(True)
    for step in range(3):
        model.accumulate(
            lambda batch: {"one": model(batch["x"]).sum()},
            Window(step),
            counts=lambda batch: {"one": len(batch["x"])},
        )
    assert "several losses are divided by counts that are new in each step" in caplog.text


def test_a_batch_of_more_than_tensors_runs_eagerly(caplog: pytest.LogCaptureFixture) -> None:
    class Odd(Window):
        def micro_batch(self, index: int) -> Any:
            return {**super().micro_batch(index), "name": np.zeros(1)}

    model = model_of(True)
    loss = squared(model)
    for step in range(3):
        model.accumulate(loss, Odd(step))
    assert "a batch holds more than Tensors, texts and numbers" in caplog.text


def test_a_number_in_the_batch_is_a_part_of_its_form(caplog: pytest.LogCaptureFixture) -> None:
    class Numbered(Window):
        def micro_batch(self, index: int) -> Any:
            return {**super().micro_batch(index), "n": self.step * 8 + index}

    found = []
    for capture in (False, True):
        model = model_of(capture)

        def loss(batch: Any, model: DataParallel = model) -> Any:
            return model(batch["x"]).sum() * batch["n"], 3

        found.append([model.accumulate(loss, Numbered(step)) for step in range(6)])
    assert found[0] == found[1]
    assert "batches have more than 16 forms" in caplog.text


def test_a_loss_that_depends_on_no_parameter_says_so() -> None:
    model = model_of(True)
    for step in range(3):
        with pytest.raises(RankError, match="does not require a gradient"):
            model.accumulate(lambda batch: (batch["x"].sum(), 1), Window(step))


def test_half_precision_has_the_bits_of_an_eager_run(replays: list[int]) -> None:
    found = []
    for capture in (False, True):
        model = model_of(capture, precision="fp16")
        assert model.loss_scale is not None
        states = list(trained(model, squared(model)))
        model.loss_scale.value /= 2
        states += trained(model, squared(model), range(6, 10))
        found.append(states)
    assert found[0] == found[1]
    assert replays


def test_kernels_chosen_anew_are_recorded_anew() -> None:
    model = model_of(True)
    loss = squared(model)
    for step in range(4):
        model.accumulate(loss, Window(step))
    passes: Any = model._accumulation._passes
    assert isinstance(passes, RecordedPasses)
    before = passes._state
    model.accumulate(loss, Window(4))
    assert passes._state is before
    before._kernels = "others"
    model.accumulate(loss, Window(5))
    assert passes._state is not before
