"""Micro-batches as graphs: when they are recorded and replayed, and when they run eagerly."""

import logging
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest
from helpers.strict_device import StrictDevice, strict_device

import distgrad as dg
from distgrad.backend import to_host
from distgrad.distributed import DataParallel, SingleProcess
from distgrad.nn import functional as F
from distgrad.tensor import Tensor


class Rerun:
    """Graphs of the double: a replay does the work again, and writes where it wrote before."""

    def __init__(self, device: StrictDevice) -> None:
        self._device = device
        self.recorded = self.replays = 0

    def record(self, work: Callable[[], Any]) -> tuple[Any, Callable[[int, int], None]]:
        before, device = self._device.reads, self._device
        result = work()
        if device.reads != before:
            raise RuntimeError("operation not permitted when stream is capturing")
        self.recorded += 1

        def replay(step: int, micro_batch: int) -> None:
            self.replays += 1
            for again, kept in zip(work(), result, strict=True):
                if isinstance(kept, Tensor):
                    kept.data[...] = again.data

        return result, replay


@pytest.fixture
def graphs(monkeypatch: pytest.MonkeyPatch) -> Iterator[Rerun]:
    with strict_device() as device:
        made = Rerun(device)
        monkeypatch.setattr(device, "graphs", lambda index: made, raising=False)
        yield made


def model_of(**options: Any) -> DataParallel:
    dg.manual_seed(0)
    layers = dg.nn.Linear(4, 8), dg.nn.Dropout(0.3), dg.nn.Tanh(), dg.nn.Linear(8, 3)
    return DataParallel(dg.nn.Sequential(*layers).to("cuda:0"), SingleProcess(), **options)


class Window:
    """Micro-batches on the device, of given sizes."""

    def __init__(self, step: int, sizes: tuple[int, ...], seed: int = 5) -> None:
        self.step, self._sizes, self.seed = step, sizes, seed

    def __len__(self) -> int:
        return len(self._sizes)

    def micro_batch(self, index: int) -> dict[str, Tensor]:
        generator = np.random.default_rng((self.step, index))
        x, y = (generator.normal(size=(self._sizes[index], n)) for n in (4, 3))
        return {
            k: dg.tensor(v.astype(np.float32)).to("cuda:0") for k, v in {"x": x, "y": y}.items()
        }


def loss_function(model: DataParallel) -> Any:
    def loss(batch: Any) -> Any:
        count = (batch["y"] != 0).sum() / 3  # known to the device alone
        return F.mse_loss(model(batch["x"]), batch["y"], reduction="sum"), count

    return loss


def gradients(model: DataParallel) -> list[list[float]]:
    return [to_host(p.grad.data).ravel().tolist() for p in model.parameters()]


def trained(model: DataParallel, loss: Any, steps: int = 4) -> list[Any]:
    optimizer = dg.optim.SGD(model.parameters(), lr=0.01)
    found: list[Any] = []
    for step in range(steps):
        result = model.accumulate(loss, Window(step, (8, 8, 6)))
        optimizer.step()
        found += [result.loss, gradients(model)]
    return found


def test_a_captured_run_has_the_bits_of_an_eager_one(graphs: Rerun) -> None:
    eager = model_of()
    expected = trained(eager, loss_function(eager))
    captured = model_of(capture=True)
    assert trained(captured, loss_function(captured)) == expected
    # 8 micro-batches of 8 samples: 2 eager; 4 of 6 samples: 2 eager.
    assert (graphs.recorded, graphs.replays) == (2, 6 + 2)


def test_what_waits_for_a_value_runs_eagerly_and_says_so_once(
    graphs: Rerun, caplog: pytest.LogCaptureFixture
) -> None:
    eager, captured = model_of(), model_of(capture=True)

    def waiting(model: DataParallel) -> Any:
        loss = loss_function(model)
        return lambda batch: (loss(batch)[0], float(to_host(batch["x"].data).size) / 4)

    expected = trained(eager, waiting(eager))
    with caplog.at_level(logging.WARNING):
        assert trained(captured, waiting(captured)) == expected
    assert graphs.replays == 0
    assert [record.message.partition("(")[0] for record in caplog.records] == [
        "capture: these micro-batches cannot be recorded and run as without capture "
    ] * 2  # one for each shape


@pytest.mark.parametrize("change", ["mode", "frozen", "loss", "seed"])
def test_what_a_graph_does_not_know_is_recorded_anew(graphs: Rerun, change: str) -> None:
    eager, captured = model_of(), model_of(capture=True)
    found = []
    for model in (eager, captured):
        loss = loss_function(model)
        seed = 5
        for step in range(3):
            model.accumulate(loss, Window(step, (8, 8), seed))
        if change == "mode":
            model.module.eval()
        elif change == "frozen":
            next(model.parameters()).requires_grad_(False)
        elif change == "seed":
            seed = 6
        else:
            loss = loss_function(model)
        for step in range(3):
            model.accumulate(loss, Window(step, (8, 8), seed))
        found.append(
            [None if p.grad is None else to_host(p.grad.data).tolist() for p in model.parameters()]
        )
    assert found[0] == found[1]
    assert (graphs.recorded, graphs.replays) == (2, 4 + 4)


def test_running_statistics_are_followed_eagerly(graphs: Rerun) -> None:
    model = DataParallel(
        dg.nn.Sequential(dg.nn.Linear(4, 3), dg.nn.BatchNorm1d(3)).to("cuda:0"),
        SingleProcess(),
        capture=True,
    )
    trained(model, loss_function(model))
    assert graphs.recorded == 0


def test_running_statistics_of_another_model_that_the_loss_runs_are_followed(
    graphs: Rerun,
) -> None:
    comm = SingleProcess()
    critic = DataParallel(dg.nn.Sequential(dg.nn.BatchNorm1d(3)).to("cuda:0"), comm)
    for parameter in critic.parameters():
        parameter.requires_grad_(False)
    model = DataParallel(dg.nn.Linear(4, 3).to("cuda:0"), comm, capture=True)

    def loss(batch: Any) -> Any:
        return critic(model(batch["x"])).sum(), 8

    for step in range(4):
        model.accumulate(loss, Window(step, (8,)))
    assert graphs.recorded == 0


def test_another_loss_scale_drops_the_graphs(graphs: Rerun) -> None:
    model = model_of(capture=True, precision="fp16")
    loss = loss_function(model)
    assert model.loss_scale is not None
    model.loss_scale.value = 16.0  # nothing overflows
    for step in range(3):
        model.accumulate(loss, Window(step, (8, 8)))
    captured: Any = model._accumulation._passes
    before = captured._captures._recorded
    assert len(before) == 1
    model.loss_scale.value /= 2
    for step in range(3):
        model.accumulate(loss, Window(step, (8, 8)))
    after = captured._captures._recorded
    assert after is not before
    assert len(after) == 1


def test_several_losses_run_eagerly(graphs: Rerun) -> None:
    model = model_of(capture=True)
    for step in range(4):
        model.accumulate(
            lambda batch: {"one": model(batch["x"]).sum()},
            Window(step, (8,)),
            counts=lambda batch: {"one": 8},
        )
    assert graphs.recorded == 0


def test_a_batch_with_a_part_on_the_cpu_runs_eagerly(graphs: Rerun) -> None:
    model = model_of(capture=True)
    window = Window(0, (8,) * 4)
    inner = loss_function(model)
    whole = window.micro_batch
    window.micro_batch = lambda index: {**whole(index), "name": np.zeros(1)}  # type: ignore
    model.accumulate(inner, window)
    assert graphs.recorded == 0
