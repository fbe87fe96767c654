"""Averages of weights over training."""

import copy
from itertools import product

import numpy as np
import pytest

import distgrad as dg
from distgrad import nn, optim
from distgrad.optim import swa_utils
from distgrad.optim.swa_utils import (
    SWALR,
    AveragedModel,
    get_ema_avg_fn,
    get_ema_multi_avg_fn,
    get_swa_avg_fn,
    get_swa_multi_avg_fn,
    update_bn,
)


def model_of(dtype=np.float64):
    dg.manual_seed(0)
    layers = (
        nn.Linear(3, 4, dtype=dtype),
        nn.BatchNorm1d(4, dtype=dtype),
        nn.Linear(4, 2, dtype=dtype),
    )
    return nn.Sequential(*layers)


def set_weights(model, value):
    with dg.no_grad():
        for tensor in (*model.parameters(), *model.buffers()):
            tensor.fill_(value)


AVERAGES = {
    "default": {},
    "swa": {"avg_fn": get_swa_avg_fn()},
    "swa in place": {"multi_avg_fn": get_swa_multi_avg_fn()},
    "ema": {"avg_fn": get_ema_avg_fn(0.75)},
    "ema in place": {"multi_avg_fn": get_ema_multi_avg_fn(0.75)},
}


@pytest.mark.parametrize("use_buffers", [False, True])
@pytest.mark.parametrize("kind", AVERAGES)
def test_the_average_by_its_formula(kind, use_buffers):
    model = model_of()
    average = AveragedModel(model, **AVERAGES[kind], use_buffers=use_buffers)
    values = [8.0, 4.0, 12.0, 4.0]
    expected = values[0]
    for count, value in enumerate(values):
        set_weights(model, value)
        average.update_parameters(model)
        share = 0.25 if kind.startswith("ema") else 1 / (count + 1)
        expected = expected + share * (value - expected) if count else value
    for parameter in average.parameters():
        np.testing.assert_allclose(parameter.data, expected)
    assert average.n_averaged.item() == 4
    statistics = average.module[1]
    assert statistics.running_mean.tolist() == pytest.approx([expected if use_buffers else 4.0] * 4)
    if not use_buffers:
        assert statistics.num_batches_tracked.item() == 4


def test_before_the_first_update_it_is_the_model_and_after_it_a_copy():
    model = model_of()
    average = AveragedModel(model)
    x = dg.ones(2, 3, dtype=np.float64)
    np.testing.assert_array_equal(average.eval()(x).data, model.eval()(x).data)
    set_weights(model, 2.0)
    average.update_parameters(model)
    set_weights(model, 3.0)
    assert {v for p in average.parameters() for v in p.detach().numpy().reshape(-1)} == {2.0}


def trained(library, kind, use_buffers):
    """An average after some steps, in one of the libraries."""
    ours = model_of()
    if library is dg:
        model, utils = ours, swa_utils
    else:
        layers = library.nn.Linear(3, 4), library.nn.BatchNorm1d(4), library.nn.Linear(4, 2)
        model, utils = library.nn.Sequential(*layers).double(), library.optim.swa_utils
        state = {k: library.tensor(v.numpy()) for k, v in ours.state_dict().items()}
        model.load_state_dict(state)
    name, arguments = kind
    options = {
        "avg_fn" if "multi" not in name else "multi_avg_fn": getattr(utils, name)(*arguments)
    }
    average = utils.AveragedModel(model, **options, use_buffers=use_buffers)
    optimizer = library.optim.SGD(model.parameters(), lr=0.01)
    wrap = dg.Tensor if library is dg else library.tensor
    batches = [wrap(x) for x in np.random.default_rng(0).standard_normal((6, 8, 3))]
    for x in batches:
        optimizer.zero_grad()
        (model(x) ** 2).sum().backward()
        optimizer.step()
        average.update_parameters(model)
    return average, batches, utils


KINDS = [
    ("get_ema_avg_fn", (0.9,)),
    ("get_ema_multi_avg_fn", (0.9,)),
    ("get_swa_avg_fn", ()),
    ("get_swa_multi_avg_fn", ()),
]


def assert_alike(ours, theirs, tolerance=1e-12):
    first, second = ours.state_dict(), theirs.state_dict()
    assert list(first) == list(second)
    for name, value in first.items():
        expected = second[name].numpy()
        assert value.dtype == expected.dtype
        np.testing.assert_allclose(value.numpy(), expected, rtol=tolerance, atol=tolerance)


# torch's in-place mean does not take integers, such as the number of batches.
@pytest.mark.parametrize(
    ("kind", "use_buffers"), [*product(KINDS, [False]), *product(KINDS[:3], [True])]
)
def test_averages_and_states_are_torchs(kind, use_buffers):
    torch = pytest.importorskip("torch")
    (ours, batches, _), (theirs, batches_of_torch, utils) = (
        trained(library, kind, use_buffers) for library in (dg, torch)
    )
    # torch's in-place mean weighs by a float32 number.
    tolerance = 1e-8 if kind == KINDS[3] else 1e-12
    assert_alike(ours, theirs, tolerance)
    update_bn(batches, ours)
    utils.update_bn(batches_of_torch, theirs)
    assert_alike(ours, theirs, tolerance)


def test_a_saved_average_goes_on():
    models = [8.0, 4.0, 12.0]
    average = AveragedModel(model_of(), multi_avg_fn=get_ema_multi_avg_fn(0.5))
    later = AveragedModel(model_of(), multi_avg_fn=get_ema_multi_avg_fn(0.5))
    for value in models:
        model = model_of()
        set_weights(model, value)
        average.update_parameters(model)
        if value == models[1]:
            later.load_state_dict(copy.deepcopy(average.state_dict()))
    later.update_parameters(model)
    for p, q in zip(average.parameters(), later.parameters(), strict=True):
        np.testing.assert_array_equal(p.data, q.data)
    assert later.n_averaged.item() == 3


def test_running_statistics_anew():
    layer = nn.BatchNorm1d(1, momentum=0.5)
    model = nn.Sequential(layer).eval()
    batches = [(dg.tensor([[1.0], [3.0]]), "label"), [dg.tensor([[5.0], [9.0]])]]
    for _ in range(2):
        update_bn(batches, model)
        assert layer.running_mean.tolist() == [4.5]
        assert layer.running_var.tolist() == [5.0]
    assert layer.momentum == 0.5
    assert not model.training
    assert not layer.training
    with pytest.raises(ValueError, match="channels"):
        update_bn([dg.ones(2, 3)], model)
    assert layer.momentum == 0.5
    assert not model.training
    update_bn([dg.ones(2, 3)], nn.Linear(2, 2))  # has none; is not even called


@pytest.mark.parametrize(
    "options",
    [
        {"swa_lr": 0.05},
        {"swa_lr": [0.05, 0.2], "anneal_epochs": 3, "anneal_strategy": "linear"},
        {"swa_lr": 0.05, "anneal_epochs": 0},
    ],
)
def test_the_rates_are_torchs(options):
    torch = pytest.importorskip("torch")
    made = []
    for library, zeros in ((dg, dg.zeros), (torch, torch.zeros)):
        groups = [{"params": [library.nn.Parameter(zeros(1))], "lr": lr} for lr in (0.5, 2.0)]
        optimizer = library.optim.SGD(groups)
        made.append(library.optim.swa_utils.SWALR(optimizer, **options))
    ours, theirs = made
    for _ in range(15):
        assert ours.get_last_lr() == pytest.approx(theirs.get_last_lr(), rel=1e-12)
        for scheduler in made:
            scheduler.optimizer.step()
            scheduler.step()
    states = [scheduler.state_dict() for scheduler in made]
    assert states[0].keys() == states[1].keys() - {"_is_initial", "_get_lr_called_within_step"}
    theirs.load_state_dict(states[0])


def test_the_rate_goes_along_half_a_cosine_and_stays():
    optimizer = optim.SGD([nn.Parameter(dg.zeros(1))], lr=1.0)
    scheduler = SWALR(optimizer, 0.5, anneal_epochs=4)
    rates = []
    for _ in range(6):
        rates += scheduler.get_last_lr()
        scheduler.step()
    expected = [0.5 + 0.25 * (1 + np.cos(np.pi * min(epoch, 4) / 4)) for epoch in range(6)]
    assert rates == pytest.approx(expected)


def test_errors():
    model = model_of()
    with pytest.raises(ValueError, match="give avg_fn or multi_avg_fn, not both"):
        AveragedModel(model, get_swa_avg_fn(), get_swa_multi_avg_fn())
    average = AveragedModel(model)
    with pytest.raises(ValueError, match=r"is of 6 parameters and 3 buffers, .* has 2 and 0, or"):
        average.update_parameters(nn.Linear(1, 1))
    for make in (get_ema_avg_fn, get_ema_multi_avg_fn):
        with pytest.raises(ValueError, match=r"decay must be from 0 to 1, got 1\.5"):
            make(1.5)
    optimizer = optim.SGD(model.parameters(), lr=1.0)
    for options, message in [
        ({"anneal_strategy": "log"}, "anneal_strategy must be 'cos' or 'linear', got 'log'"),
        ({"anneal_epochs": -1}, "anneal_epochs must be an integer from 0 on, got -1"),
        ({"swa_lr": [0.1, 0.2]}, "swa_lr has 2 values, but the optimizer has 1 parameter groups"),
    ]:
        with pytest.raises(ValueError, match=message):
            SWALR(optimizer, **{"swa_lr": 0.1, **options})
