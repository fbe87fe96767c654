"""Micro-batches on the CPU that are recorded and replayed: same bits, and what is refused."""

import logging
import math
import pickle
from collections.abc import Callable, Iterator
from copy import deepcopy
from typing import Any

import numpy as np
import pytest

import distgrad as dg
from distgrad import nn, ops
from distgrad.autograd import Function, checkpoint
from distgrad.backend.kernels import use_kernels
from distgrad.backend.kernels.table import use
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


@pytest.fixture(params=["stand-in", "numba"])
def picky(request: pytest.FixtureRequest) -> Iterator[None]:
    """Kernels that decline some values, and leave them to their references."""
    if request.param == "numba":
        pytest.importorskip("numba")
        use_kernels("numba")
        yield
        use_kernels("numpy")
        return

    def classes(xp: Any, x: Any, target: Any, **others: Any) -> Any:
        if target.min() < 0 or target.max() >= x.shape[1]:
            return NotImplemented
        return ops.cross_entropy.forward.reference(xp, x, target, **others)

    def pooled(xp: Any, above: Any, x: Any, largest: Any, window: Any) -> Any:
        if np.isnan(largest).any():
            return NotImplemented
        return ops.max_pool2d_x.forward.reference(xp, above, x, largest, window)

    before = use(np, {"cross_entropy": classes, "max_pool2d_x": pooled})
    yield
    use(np, before)


@pytest.mark.usefixtures("picky")
@pytest.mark.parametrize("reduction", ["tree", "allreduce"])
def test_values_that_a_kernel_declines_run_eagerly(
    reduction: str, caplog: pytest.LogCaptureFixture
) -> None:
    class Spoilt(Window):
        def micro_batch(self, index: int) -> Any:
            batch = super().micro_batch(index)
            if self.step == 4 and index == 1:
                batch["x"].data[0] = np.nan
            return batch

    found = []
    for capture in (False, True):
        model = model_of(capture, reduction=reduction)

        def loss(batch: Any, model: DataParallel = model) -> Any:
            scores = model(batch["x"])
            images = dg.stack([scores] * 16, 1).reshape(-1, 16, 1, 3)
            pooled = F.max_pool2d(images, (1, 2), 1)
            return pooled.sum() + F.cross_entropy(scores, batch["c"], reduction="sum"), 3

        results = []
        for step in range(6):
            result = model.accumulate(loss, Spoilt(step))
            results += state(model, repr(result))
        found.append(results)
    assert found[0] == found[1]
    assert "finite=False" in "".join(map(str, found[1]))
    assert len(caplog.records) == 1
    assert "a replay failed" in caplog.text


@pytest.mark.usefixtures("picky")
@pytest.mark.parametrize("bad", [7, -3])
def test_a_target_that_a_kernel_declines_is_refused(bad: int) -> None:
    model = model_of(True)

    class Spoilt(Window):
        def micro_batch(self, index: int) -> Any:
            batch = super().micro_batch(index)
            if self.step == 4 and index == 2:
                batch["c"].data[0] = bad
            return batch

    def loss(batch: Any) -> Any:
        return F.cross_entropy(model(batch["x"]), batch["c"], reduction="sum"), len(batch["c"])

    for step in range(4):
        model.accumulate(loss, Spoilt(step))
    with pytest.raises(RankError, match=rf"at step 5, micro-batch 2: IndexError.*target {bad} at"):
        model.accumulate(loss, Spoilt(4))
    assert model.accumulate(loss, Spoilt(5)).finite


def test_a_count_of_floats_is_checked_in_each_replay() -> None:
    model = model_of(True)

    def loss(batch: Any) -> Any:
        return F.mse_loss(model(batch["x"]), batch["y"], reduction="sum"), batch["n"].sum()

    class Counted(Window):
        def micro_batch(self, index: int) -> Any:
            n = np.nan if (self.step, index) == (4, 2) else 1.0
            return {**super().micro_batch(index), "n": dg.tensor([n])}

    for step in range(4):
        model.accumulate(loss, Counted(step))
    with pytest.raises(RankError, match="a finite count of at least 0, got count"):
        model.accumulate(loss, Counted(4))


def test_gradients_that_are_held_are_those_of_an_eager_run(replays: list[int]) -> None:
    """Those of large models are not copied where a replay hands them over."""
    found = []
    for capture in (False, True):
        rng = np.random.default_rng(0)
        module = nn.Module()
        for name in ("u", "v"):
            values = rng.normal(size=(190, 190)).astype(np.float32) / 20
            setattr(module, name, nn.Parameter(dg.Tensor(values)))
        model = DataParallel(module, SingleProcess(), capture=capture)

        def loss(batch: Any, module: Any = module) -> Any:
            x = batch["x"] @ dg.ones(4, 190)
            return (x @ (module.u + module.v.tanh())).square().sum(), 3

        results = []
        for step in range(4):
            result = model.accumulate(loss, Window(step, (8, 8)))
            results += state(model, result)
        found.append(results)
    assert found[0] == found[1]
    assert replays


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


def test_the_sign_of_a_zero_is_a_part_of_the_form(replays: list[int]) -> None:
    class Signed(Window):
        def micro_batch(self, index: int) -> Any:
            return {**super().micro_batch(index), "n": -0.0 if index % 2 else 0.0}

    found = []
    for capture in (False, True):
        model = model_of(capture)

        def loss(batch: Any, model: DataParallel = model) -> Any:
            return model(batch["x"]).sum() * math.copysign(2.0, batch["n"]), 3

        found.append([model.accumulate(loss, Signed(step)) for step in range(6)])
    assert found[0] == found[1]
    assert replays


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


BETA = 1.0


class Owner:
    def __init__(self, model: DataParallel) -> None:
        self.model, self.beta = model, 1.0

    def loss(self, batch: Any) -> Any:
        return self.model(batch["x"]).sum() * self.beta, 1

    __call__ = loss


def of_cell(model: DataParallel) -> Any:
    beta = 1.0

    def loss(batch: Any) -> Any:
        return model(batch["x"]).sum() * beta, 1

    def change() -> None:
        nonlocal beta
        beta = 2.0

    return loss, change


def of_global(model: DataParallel) -> Any:
    def change() -> None:
        globals()["BETA"] = 2.0

    return lambda batch: (model(batch["x"]).sum() * BETA, 1), change


def of_method(model: DataParallel) -> Any:
    owner = Owner(model)
    return owner.loss, lambda: setattr(owner, "beta", 2.0)


def of_callable(model: DataParallel) -> Any:
    owner = Owner(model)
    return owner, lambda: setattr(owner, "beta", 2.0)


def of_list(model: DataParallel) -> Any:
    model.module.betas = [1.0]

    def loss(batch: Any) -> Any:
        return model(batch["x"]).sum() * model.module.betas[0], 1

    return loss, lambda: model.module.betas.__setitem__(0, 2.0)


@pytest.mark.parametrize("make", [of_cell, of_global, of_method, of_callable, of_list])
def test_what_a_loss_depends_on_is_recorded_anew(
    make: Any, replays: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    found = []
    for capture in (False, True):
        monkeypatch.setitem(globals(), "BETA", 1.0)
        model = model_of(capture)
        loss, change = make(model)
        found.append(list(trained(model, loss)))
        before = len(replays)
        change()
        found[-1] += trained(model, loss, range(6, 12))
    assert found[0] == found[1]
    assert len(replays) > before > 0


def with_missing(model: DataParallel) -> Any:
    def loss(batch: Any) -> Any:
        return (model(batch["x"]).sum(), 1) if len(batch) else missing

    if model is None:
        missing = 0
    return loss


def test_a_variable_without_a_value_leaves_it_to_the_loss() -> None:
    models = [model_of(capture) for capture in (False, True)]
    eager, captured = (list(trained(model, with_missing(model))) for model in models)
    assert captured == eager


def test_a_loss_that_stays_after_many_changes_is_replayed(
    replays: list[int], caplog: pytest.LogCaptureFixture
) -> None:
    model = model_of(True)
    for step in range(20):
        model.accumulate(lambda b, f=step / 2: (model(b["x"]).sum() * f, 1), Window(step))
    assert "change too often" in caplog.text
    loss = squared(model)
    for step in range(20, 110):
        model.accumulate(loss, Window(step, (8, 8)))
    assert len(replays) > 2


@pytest.mark.parametrize("with_model", [False, True])
def test_a_batch_that_holds_one_array_twice_is_not_recorded(
    with_model: bool, caplog: pytest.LogCaptureFixture
) -> None:
    class Shared(Window):
        def micro_batch(self, index: int) -> Any:
            x = super().micro_batch(index)["x"]
            if self.step > 3:
                return {"x": x, "y": x + 1}
            return {"x": x, "y": model.module.kept if with_model else x}

    found = []
    for capture in (False, True):
        model = model_of(capture)
        model.module.register_buffer("kept", dg.ones(8, 4))

        def loss(batch: Any, model: DataParallel = model) -> Any:
            return model(batch["x"] * batch["y"]).sum(), 1

        windows = [Shared(step, (8, 8, 8)) for step in range(9)]
        found.append([model.accumulate(loss, window) for window in windows])
    assert found[0] == found[1]
    assert "hold one array" in caplog.text


@pytest.mark.parametrize("draws", [lambda step, index: 1, lambda step, index: (step + index) % 3])
def test_draws_before_the_loss_count(draws: Any, replays: list[int]) -> None:
    class Drawing(Window):
        def micro_batch(self, index: int) -> Any:
            for _ in range(draws(self.step, index)):
                dg.rand(1)
            return super().micro_batch(index)

    found = []
    for capture in (False, True):
        model, seen = model_of(capture), []

        def look(*_: Any, seen: list[Any] = seen) -> None:
            seen.append(dg.rand(1).item())

        results = [
            model.accumulate(squared(model), Drawing(step), observer=look) for step in range(8)
        ]
        found.append((results, seen))
    assert found[0] == found[1]
    assert replays


LEAKS: dict[str, tuple[Callable[..., Any], str]] = {
    "nonzero": (lambda x: len((x > 0).nonzero()), "how many elements nonzero finds"),
    "unique": (lambda x: len(x.unique()), "how many elements unique finds"),
    "where": (lambda x: len(dg.where(x)[0]), "how many elements where finds"),
    "dlpack": (lambda x: float(np.from_dlpack(x)[0, 0]), "another library is given a Tensor"),
    "pickle": (lambda x: len(pickle.dumps(x)), "a Tensor is copied or pickled"),
    "deepcopy": (lambda x: len(deepcopy(x)), "a Tensor is copied or pickled"),
}


@pytest.mark.parametrize("name", LEAKS)
def test_values_that_leave_are_told(name: str, caplog: pytest.LogCaptureFixture) -> None:
    leak, reason = LEAKS[name]
    model = model_of(True)
    for step in range(2):
        model.accumulate(
            lambda batch: (model(batch["x"]).sum() * leak(batch["x"]), 1), Window(step)
        )
    assert [reason in record.message for record in caplog.records] == [True]


@pytest.mark.parametrize("name", ["distgrad_experiments.losses", "distgrad.training.losses"])
def test_whose_code_reads_an_array_is_told_by_its_module(
    name: str, caplog: pytest.LogCaptureFixture
) -> None:
    inside: dict[str, Any] = {"__name__": name}
    exec("def read(x): return x.data", inside)
    model = model_of(True)

    def loss(batch: Any) -> Any:
        inside["read"](batch["x"])
        return model(batch["x"]).sum(), 1

    model.accumulate(loss, Window(0))
    assert "read() reads the array of a Tensor" in caplog.text
