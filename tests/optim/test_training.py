"""Modules, losses and optimizers together, as a training loop uses them."""

import numpy as np
import pytest

import distgrad as dg
from distgrad import nn, optim
from distgrad.nn import functional as F


def mlp(dtype=np.float64):
    dg.manual_seed(0)
    return nn.Sequential(nn.Linear(3, 8, dtype=dtype), nn.Tanh(), nn.Linear(8, 1, dtype=dtype))


def problem(n=32):
    x = np.random.default_rng(0).standard_normal((n, 3))
    return dg.Tensor(x), dg.Tensor(np.sin(x.sum(1, keepdims=True)))


def test_a_mean_of_micro_batches_steps_as_their_union():
    x, y = problem()
    whole, pieces = mlp(), mlp()
    for model, cut in ((whole, [32]), (pieces, [5, 16, 11])):
        optimizer = optim.SGD(model.parameters(), lr=0.1, momentum=0.9)
        for _ in range(3):
            optimizer.zero_grad()
            begin = 0
            for size in cut:
                part = slice(begin, begin + size)
                (F.mse_loss(model(x[part]), y[part], reduction="sum") / 32).backward()
                begin += size
            optimizer.step()
    for p, q in zip(whole.parameters(), pieces.parameters(), strict=True):
        np.testing.assert_allclose(p.data, q.data, rtol=1e-12, atol=1e-15)


@pytest.mark.parametrize(
    "make",
    [
        lambda p: optim.SGD(p, lr=0.1, momentum=0.9, nesterov=True, weight_decay=1e-4),
        lambda p: optim.Adagrad(p, lr=0.1),
        lambda p: optim.Adam(p, lr=0.02),
        lambda p: optim.AdamW(p, lr=0.02),
    ],
)
def test_training_brings_the_loss_down(make):
    model, (x, y) = mlp(np.float32), problem()
    x, y = x.to(np.float32), y.to(np.float32)
    loss_of, optimizer = nn.MSELoss(), make(model.parameters())
    schedule = optim.lr_scheduler.CosineAnnealingLR(optimizer, T_max=300)
    first = loss_of(model(x), y).item()
    for _ in range(300):
        optimizer.zero_grad()
        loss = loss_of(model(x), y)
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), 5.0)
        optimizer.step()
        schedule.step()
    assert loss.item() < 0.05 * first


def test_a_loop_is_torchs_loop():
    torch = pytest.importorskip("torch")
    ours = mlp()
    theirs = torch.nn.Sequential(torch.nn.Linear(3, 8), torch.nn.Tanh(), torch.nn.Linear(8, 1))
    theirs.double().load_state_dict(
        {name: torch.tensor(value.data) for name, value in ours.state_dict().items()}
    )
    x, y = problem()
    for library, model, data in [
        (dg, ours, (x, y)),
        (torch, theirs, (torch.tensor(x.data), torch.tensor(y.data))),
    ]:
        optimizer = library.optim.AdamW(model.parameters(), lr=0.01)
        schedule = library.optim.lr_scheduler.LinearLR(optimizer, total_iters=10)
        for _ in range(30):
            optimizer.zero_grad()
            library.nn.MSELoss()(model(data[0]), data[1]).backward()
            library.nn.utils.clip_grad_norm_(model.parameters(), 0.5)
            optimizer.step()
            schedule.step()
    for p, q in zip(ours.parameters(), theirs.parameters(), strict=True):
        np.testing.assert_allclose(p.data, q.detach().numpy(), rtol=1e-9, atol=1e-12)
