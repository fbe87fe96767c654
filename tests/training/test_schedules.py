import math

import pytest

import distgrad as dg
from distgrad import nn, optim
from distgrad.training.schedules import warmup_cosine


def rates_of(count, **arguments):
    optimizer = optim.SGD([nn.Parameter(dg.zeros(1))], lr=0.5)
    scheduler = warmup_cosine(optimizer, **arguments)
    rates = []
    for _ in range(count):
        rates.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        scheduler.step()
    return rates


@pytest.mark.parametrize("warmup", [1, 2, 5])
def test_it_rises_on_a_line_and_falls_along_half_a_cosine(warmup):
    rates = rates_of(20, warmup_steps=warmup, steps=20, eta_min=0.1)
    rise = [0.5 * (step + 1) / warmup for step in range(warmup - 1)]
    fall = 20 - warmup + 1
    cosine = [0.1 + 0.4 * (1 + math.cos(math.pi * step / fall)) / 2 for step in range(fall)]
    assert rates == pytest.approx(rise + cosine)
    assert rates[warmup - 1] == pytest.approx(0.5)


def test_behind_the_last_step_the_rate_would_be_the_smallest():
    assert rates_of(21, warmup_steps=4, steps=20, eta_min=0.1)[20] == pytest.approx(0.1)


def test_a_run_that_is_shorter_than_the_warm_up_rises():
    rates = rates_of(3, warmup_steps=10, steps=3)
    assert rates == pytest.approx([0.05, 0.1, 0.15])


def test_without_the_number_of_steps():
    with pytest.raises(ValueError, match="needs steps: the step at whose end"):
        rates_of(1, warmup_steps=2)
