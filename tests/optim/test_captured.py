"""Updates as graphs: when they are recorded and replayed, with the bits of updates without."""

import copy
import logging
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest
from helpers import emulator
from helpers.device_with_kernels import KernelGraphs, device_with_kernels
from helpers.strict_device import strict_device

import distgrad as dg
from distgrad.backend import to_host
from distgrad.optim.flat_optimizer import FlatOptimizer

pytestmark = pytest.mark.skipif(
    not emulator.available(), reason="no g++ here to compile CUDA C for the host"
)

SGD: dict[str, Any] = {"lr": 0.1, "momentum": 0.9, "dampening": 0.1, "weight_decay": 0.01}
KINDS: dict[str, Callable[[Any], FlatOptimizer]] = {
    "sgd": lambda p: dg.optim.SGD(p, lr=0.1),
    "momentum": lambda p: dg.optim.SGD(p, **SGD),
    "nesterov": lambda p: dg.optim.SGD(p, lr=0.1, momentum=0.9, nesterov=True, maximize=True),
    "adam": lambda p: dg.optim.Adam(p, lr=0.1, weight_decay=0.1),
    "adamw": lambda p: dg.optim.AdamW(p, lr=0.1, amsgrad=True),
}


@pytest.fixture
def graphs() -> Iterator[KernelGraphs]:
    with device_with_kernels() as made:
        yield made


def parameters(dtype: str = "float32") -> list[dg.nn.Parameter]:
    generator = np.random.default_rng(0)
    made = []
    for shape in ((3, 5), (7,), (2, 8)):
        values = dg.tensor(generator.normal(size=shape).astype(dtype))
        made.append(dg.nn.Parameter(values.to("cuda:0")))
    return made


def give_gradients(params: list[dg.nn.Parameter], step: int) -> None:
    generator = np.random.default_rng(step)
    for parameter in params:
        if parameter.grad is None:
            parameter.grad = dg.zeros_like(parameter)
        values = generator.normal(size=parameter.shape).astype(parameter.dtype)
        parameter.grad.copy_(dg.tensor(values))


def run(
    optimizer: FlatOptimizer,
    steps: range = range(6),
    between: Callable[[int], None] = lambda step: None,
) -> list[Any]:
    params = [p for group in optimizer.param_groups for p in group["params"]]
    for step in steps:
        between(step)
        give_gradients(params, step)
        optimizer.step()
    return [to_host(p.data).tolist() for p in params]


def versions(optimizer: FlatOptimizer) -> list[int]:
    return [p.version.number for group in optimizer.param_groups for p in group["params"]]


def pair(make: Callable[[Any], FlatOptimizer], dtype: str = "float32") -> list[FlatOptimizer]:
    """An optimizer without graphs, and one with."""
    found = [make(parameters(dtype)) for _ in range(2)]
    found[1].capture = True
    return found


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("kind", KINDS)
def test_captured_updates_have_the_bits_of_others(
    graphs: KernelGraphs, kind: str, dtype: str
) -> None:
    eager, captured = pair(KINDS[kind], dtype)
    decays = [
        dg.optim.lr_scheduler.ExponentialLR(optimizer, 0.7) for optimizer in (eager, captured)
    ]
    expected = run(eager, between=lambda step: step and decays[0].step())
    assert graphs.recorded == 0
    assert run(captured, between=lambda step: step and decays[1].step()) == expected
    # With another dampening for the first step, SGD joins its rows anew for the second: the same
    # memory, and so one form.
    assert (graphs.recorded, graphs.replays) == (1, 4)
    if "adam" in kind:
        assert [s["step"] for s in captured.state.values()] == [6] * 3
    assert versions(captured) == versions(eager)


@pytest.mark.parametrize(
    ("change", "graphs_made"),
    [("rate", 1), ("decay", 1), ("group", 2), ("frozen", 2), ("loaded", 2), ("ascending", 2)],
)
def test_another_form_is_recorded_anew(graphs: KernelGraphs, change: str, graphs_made: int) -> None:
    optimizers = pair(KINDS["momentum"])
    found = []
    for optimizer in optimizers:
        run(optimizer, range(4))
        group = optimizer.param_groups[0]
        if change == "rate":
            group["lr"] = 0.01
        elif change == "decay":
            group["weight_decay"] = 0.0
        elif change == "group":
            more = parameters()[0]
            optimizer.add_param_group({"params": [more], "lr": 0.5})
        elif change == "frozen":
            optimizer.param_groups[0]["params"].pop()
        elif change == "loaded":
            optimizer.load_state_dict(copy.deepcopy(optimizer.state_dict()))
        else:
            group["maximize"] = True
        found.append(run(optimizer, range(4, 9)))
    assert found[1] == found[0]
    assert graphs.recorded == graphs_made


def test_a_parameter_that_is_not_contiguous_is_updated_in_its_place(graphs: KernelGraphs) -> None:
    found = []
    for capture in (False, True):
        params = parameters()
        turned = dg.nn.Parameter(dg.tensor(np.ones((4, 3), np.float32).T).to("cuda:0"))
        turned.data = turned.data.T.copy().T
        assert not turned.data.flags.c_contiguous
        optimizer = dg.optim.AdamW([params[0], turned, params[1]], lr=0.1)
        optimizer.capture = capture
        found.append(run(optimizer))
    assert found[1] == found[0]
    assert graphs.replays == 4


def test_without_a_kernel_there_is_nothing_to_record(graphs: KernelGraphs) -> None:
    for make in (dg.optim.LAMB, dg.optim.Adagrad, dg.optim.RMSprop):
        eager, captured = pair(make)
        assert run(captured) == run(eager)
    assert graphs.recorded == 0


def test_what_cannot_be_recorded_is_told_once(
    graphs: KernelGraphs, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def refuse(work: Any) -> Any:
        raise RuntimeError("no memory")

    eager, captured = pair(KINDS["adam"])
    expected = run(eager)
    monkeypatch.setattr(graphs, "record", refuse)
    with caplog.at_level(logging.WARNING):
        assert run(captured) == expected
    assert [record.message for record in caplog.records] == [
        "capture: the optimizer's update cannot be recorded and runs as without capture "
        "(RuntimeError: no memory)"
    ]


def test_an_error_in_the_middle_leaves_what_it_leaves_without_graphs(graphs: KernelGraphs) -> None:
    found = []
    for capture in (False, True):
        params = parameters()
        optimizer = dg.optim.SGD([{"params": params[:1]}, {"params": params[1:]}], lr=0.1)
        optimizer.capture = capture
        run(optimizer, range(4))
        give_gradients(params, 9)
        params[1].grad = dg.ones(2).to("cuda:0")
        with pytest.raises(ValueError, match="the gradient of parameter 0 has shape"):
            optimizer.step()
        found.append([to_host(p.data).tolist() for p in params])
    assert found[1] == found[0]


def test_a_copy_records_its_own(graphs: KernelGraphs) -> None:
    (_, captured) = pair(KINDS["adam"])
    run(captured)
    twin = copy.deepcopy(captured)
    assert twin.capture
    assert run(twin, range(6, 10)) == run(captured, range(6, 10))
    assert graphs.recorded == 2


def test_where_there_are_no_graphs_updates_are_made_without() -> None:
    with strict_device():
        eager, captured = pair(KINDS["adam"])
        assert run(captured) == run(eager)
    on_cpu = dg.optim.Adam([dg.nn.Parameter(dg.ones(2))])
    on_cpu.capture = True
    (parameter,) = on_cpu.param_groups[0]["params"]
    parameter.grad = dg.ones(2)
    on_cpu.step()
    assert parameter.tolist() == pytest.approx([0.999, 0.999])
