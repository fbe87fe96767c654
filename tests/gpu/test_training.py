"""Training on a GPU: close to the CPU, and the same bits again."""

import pytest

import distgrad as dg
from distgrad.backend import arrays_sha256, to_host
from distgrad.nn import functional as F


def trained(device: str, steps: int = 20) -> dg.nn.Module:
    dg.manual_seed(3)
    model = dg.nn.Sequential(
        dg.nn.Linear(20, 64), dg.nn.LayerNorm(64), dg.nn.GELU(), dg.nn.Dropout(0.2)
    )
    model.append(dg.nn.Linear(64, 5))
    model.to(device)
    optimizer = dg.optim.AdamW(model.parameters(), lr=1e-3)
    x, y = dg.randn(32, 20), dg.arange(32) % 5
    x, y = x.to(device), y.to(device)
    for _ in range(steps):
        F.cross_entropy(model(x), y).backward()
        optimizer.step()
        optimizer.zero_grad()
    return model


def test_a_run_is_close_to_that_of_the_cpu() -> None:
    for ours, theirs in zip(
        trained("cuda:0").parameters(), trained("cpu").parameters(), strict=True
    ):
        assert to_host(ours.data) == pytest.approx(theirs.data, abs=1e-4)


def test_a_run_has_the_same_bits_again() -> None:
    hashes = {
        arrays_sha256((name, to_host(p.data)) for name, p in trained("cuda:0").named_parameters())
        for _ in range(2)
    }
    assert len(hashes) == 1


def test_dropout_draws_the_bits_of_the_cpu() -> None:
    drawn = []
    for device in ("cpu", "cuda:0"):
        dg.manual_seed(5)
        drawn.append(to_host(F.dropout(dg.ones(1001).to(device), 0.3).data).tolist())
    assert drawn[0] == drawn[1]
