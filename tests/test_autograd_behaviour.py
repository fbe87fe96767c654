"""What a user of PyTorch expects of automatic differentiation, each with inputs and values."""

from typing import Any

import numpy as np
import pytest

import distgrad as dg
from distgrad import nn
from distgrad.distributed import SingleProcess
from distgrad.training import Trainer, parse_config


def values(tensor: dg.Tensor) -> list[float]:
    return tensor.tolist()


@pytest.fixture
def x() -> dg.Tensor:
    return dg.arange(4.0, requires_grad=True)


def test_01_a_leaf_asks_for_a_gradient(x: dg.Tensor) -> None:
    assert x.is_leaf
    assert x.requires_grad
    assert x.grad is None
    assert x.grad_fn is None
    assert values(x) == [0, 1, 2, 3]


def test_02_scalar_backward(x: dg.Tensor) -> None:
    y = 2 * dg.dot(x, x)
    assert y.item() == 28.0
    assert not y.is_leaf
    assert y.grad_fn is not None
    assert y.grad_fn.name == "multiply"
    assert repr(y) == "tensor(28., grad_fn=<multiply>)"
    y.backward()
    assert x.grad is not None
    assert values(x.grad) == [0, 4, 8, 12]
    assert bool((x.grad == 4 * x).all())


@pytest.mark.parametrize("clear", ["zero_", "None"])
def test_03_gradients_accumulate_until_cleared(x: dg.Tensor, clear: str) -> None:
    (2 * dg.dot(x, x)).backward()
    x.sum().backward()
    assert values(x.grad) == [1, 5, 9, 13]
    if clear == "zero_":
        x.grad.zero_()
    else:
        x.grad = None
    x.sum().backward()
    assert values(x.grad) == [1, 1, 1, 1]


def test_04_outputs_that_are_not_scalars(x: dg.Tensor) -> None:
    y = x * x
    y.sum().backward()
    assert values(x.grad) == [0, 2, 4, 6]
    x.grad = None
    y = x * x
    y.backward(dg.ones(4))
    assert values(x.grad) == [0, 2, 4, 6]
    with pytest.raises(RuntimeError, match=r"shape \(4,\) needs gradient= of that shape"):
        (x * x).backward()


def test_05_cutting_the_graph(x: dg.Tensor) -> None:
    y = x * x
    u = y.detach()
    assert not u.requires_grad
    z = u * x
    z.sum().backward()
    assert values(x.grad) == values(u) == [0, 1, 4, 9]
    x.grad.zero_()
    y.sum().backward()
    assert values(x.grad) == values(2 * x)


def test_06_control_flow_makes_the_graph() -> None:
    a = dg.tensor(2.0, requires_grad=True)
    b = a * 2
    while b.norm() < 1000:
        b = b * 2
    d = b if b.sum() > 0 else 100 * b
    assert d.item() == 1024.0
    d.backward()
    assert a.grad.item() == 512.0 == (d / a).item()


def test_07_backward_frees_the_graph(x: dg.Tensor) -> None:
    loss = (x * x).sum()
    loss.backward()
    with pytest.raises(RuntimeError, match=r"'multiply' a second time.*retain_graph=True"):
        loss.backward()
    x.grad = None
    loss = (x * x).sum()
    loss.backward(retain_graph=True)
    loss.backward()
    assert values(x.grad) == values(2 * (2 * x))


def test_08_only_leaves_keep_gradients(x: dg.Tensor) -> None:
    plain = dg.ones(4)
    y = x * x
    kept = y * plain
    kept.retain_grad()
    (kept * 3).sum().backward()
    assert y.grad is None
    assert values(kept.grad) == [3, 3, 3, 3]
    assert plain.grad is None
    assert values(x.grad) == [0, 6, 12, 18]


def test_09_requires_grad_in_place() -> None:
    a = dg.tensor(2.0)
    before = a * 3
    assert a.requires_grad_(True) is a
    after = a * a
    assert not before.requires_grad
    after.backward()
    assert a.grad.item() == 4.0


def test_10_functional_gradients(x: dg.Tensor) -> None:
    w = dg.tensor([1.0, -1.0, 2.0, 0.5], requires_grad=True)
    unused = dg.ones(2, requires_grad=True)
    y = (x * w).sum()
    by_x, by_w = dg.autograd.grad(y, [x, w], retain_graph=True)
    assert values(by_x) == values(w)
    assert values(by_w) == values(x)
    assert x.grad is None
    assert w.grad is None
    with pytest.raises(RuntimeError, match=r"input 1 of grad\(\) was not used.*allow_unused=True"):
        dg.autograd.grad(y, [x, unused], retain_graph=True)
    by_x, nothing = dg.autograd.grad(y, [x, unused], allow_unused=True)
    assert values(by_x) == values(w)
    assert nothing is None


def test_11_higher_order_of_a_power() -> None:
    x = dg.tensor(3.0, dtype=dg.float64, requires_grad=True)
    derivative = x**4
    for expected in (108.0, 108.0, 72.0, 24.0):
        (derivative,) = dg.autograd.grad(derivative, x, create_graph=True)
        assert derivative.item() == pytest.approx(expected, rel=1e-14)


def test_11_higher_order_of_the_gradient_norm_of_a_network() -> None:
    generator = np.random.default_rng(0)
    inputs = dg.tensor(generator.standard_normal((5, 3)))
    weights = [
        dg.tensor(generator.standard_normal(shape), requires_grad=True)
        for shape in [(3, 4), (4,), (4, 2)]
    ]

    def gradient_norm(w1: dg.Tensor, b1: dg.Tensor, w2: dg.Tensor) -> dg.Tensor:
        loss = (((inputs @ w1 + b1).tanh() @ w2) ** 2).mean()
        gradients = dg.autograd.grad(loss, [w1, b1, w2], create_graph=True)
        return dg.sqrt(sum((g * g).sum() for g in gradients))

    assert dg.autograd.gradcheck(gradient_norm, weights)
    assert dg.autograd.gradgradcheck(gradient_norm, weights)


def test_12_several_losses_on_shared_leaves() -> None:
    def losses() -> tuple[dg.Tensor, dg.Tensor, dg.Tensor]:
        x = dg.tensor([1.0, -2.0, 3.0], requires_grad=True)
        hidden = (x * 2).tanh()
        return x, hidden.sum(), (hidden * x).sum()

    x, first, second = losses()
    first.backward(retain_graph=True)
    second.backward()
    together, first, second = losses()
    (first + second).backward()
    np.testing.assert_allclose(x.grad.data, together.grad.data, rtol=1e-6)


def test_13_the_derivative_is_a_limit() -> None:
    def f(x: dg.Tensor) -> dg.Tensor:
        return 3 * x**2 - 4 * x

    x = dg.tensor(1.0, dtype=dg.float64, requires_grad=True)
    errors = [abs(((f(x + h) - f(x)) / h).item() - 2) for h in (10.0**-k for k in range(1, 6))]
    assert errors == sorted(errors, reverse=True)
    assert errors[-1] < 1e-4
    for k in range(1, 6):
        h = 10.0**-k
        assert ((f(x + h) - f(x - h)) / (2 * h)).item() == pytest.approx(2, abs=1e-9)
    f(x).backward()
    assert x.grad.item() == 2.0
    assert dg.autograd.gradcheck(f, x)


def test_14_accumulated_micro_batches_equal_their_union() -> None:
    generator = np.random.default_rng(1)
    x, y = generator.standard_normal((12, 3)), generator.standard_normal((12, 1))

    def stepped(batches: list[slice]) -> list[np.ndarray]:
        w = dg.tensor(np.ones((3, 1)), requires_grad=True)
        b = dg.tensor(np.zeros(1), requires_grad=True)
        for batch in batches:
            error = dg.tensor(x[batch]) @ w + b - dg.tensor(y[batch])
            ((error * error).sum() / len(x)).backward()
        with dg.no_grad():
            for parameter in (w, b):
                parameter -= 0.1 * parameter.grad
                parameter.grad.zero_()
        assert not w.grad.data.any()
        return [w.data, b.data]

    whole = stepped([slice(0, 12)])
    pieces = stepped([slice(0, 5), slice(5, 10), slice(10, 12)])
    for a, b in zip(whole, pieces, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-13)
        assert np.abs(a).max() > 0


OPTIMIZERS = {
    "sgd with momentum": lambda p: dg.optim.SGD(p, lr=0.05, momentum=0.9),
    "adam": lambda p: dg.optim.Adam(p, lr=1e-2),
}


def sine_network() -> nn.Sequential:
    return nn.Sequential(nn.Linear(1, 64), nn.Tanh(), nn.Linear(64, 1))


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_15_a_training_loop_learns_the_sine(optimizer: str) -> None:
    dg.manual_seed(0)
    net, mse = sine_network(), nn.MSELoss()
    train, test = dg.data.sine(1024, 256)
    loader = dg.data.DataLoader(train, batch_size=32, shuffle=True)
    opt = OPTIMIZERS[optimizer](net.parameters())
    schedule = dg.optim.lr_scheduler.CosineAnnealingLR(opt, T_max=150)
    for _ in range(150):
        for x, y in loader:
            opt.zero_grad()
            mse(net(x), y).backward()
            opt.step()
        schedule.step()
    x, y = test.tensors
    learned = mse(net(x), y).item()
    assert learned < 1e-3

    other = sine_network()
    other.load_state_dict(net.state_dict())
    assert mse(other(x), y).item() == learned


def test_15_a_training_loop_learns_classes() -> None:
    dg.manual_seed(0)
    x = dg.randn(300, 2)
    y = ((x[:, 0] * x[:, 1]) > 0).to(dg.int64)  # two quadrants against two: not linear
    net, loss = nn.Sequential(nn.Linear(2, 32), nn.ReLU(), nn.Linear(32, 2)), nn.CrossEntropyLoss()
    opt = dg.optim.Adagrad(net.parameters(), lr=0.1)
    for _ in range(20):
        for inputs, targets in dg.data.DataLoader(dg.data.TensorDataset(x, y), batch_size=32):
            opt.zero_grad()
            loss(net(inputs), targets).backward()
            opt.step()
    assert (net(x).argmax(1) == y).to(dg.float32).mean().item() > 0.95


@pytest.mark.parametrize(
    ("training", "steps"),
    [
        ({"max_steps": 7}, 7),
        ({"max_epochs": 3}, 12),
        ({"target_loss": 1e9}, 4),
        ({"patience": 1, "max_epochs": 500}, None),
    ],
)
def test_16_training_ends_by_a_condition(training: dict[str, Any], steps: int | None) -> None:
    config = parse_config(
        {
            "run": {"name": "sine"},
            "model": {"name": "mlp", "sizes": [1, 8, 1], "activation": "tanh"},
            "data": {
                "global_batch_size": 32,
                "micro_batch_size": 16,
                "source": {"name": "sine", "samples": 100},
            },
            "optimizer": {"name": "sgd", "lr": 0.1},
            "scheduler": {"name": "step", "step_size": 100},
            "training": {"loss": "mse", **training},
        }
    )
    reports = list(Trainer(config, SingleProcess()).steps())
    if steps is None:  # patience: an epoch came whose loss was not below the least before
        assert 4 < len(reports) < 2000
        assert len(reports) % 4 == 0
    else:
        assert len(reports) == steps
