"""Optimizers whose learning rates are scheduled, in both libraries."""

import distgrad as dg
from distgrad import nn, optim


def optimizer_of(*rates):
    groups = [{"params": [nn.Parameter(dg.zeros(1))], "lr": rate} for rate in rates]
    return optim.SGD(groups, lr=9.0)


def rates_of(scheduler, epochs):
    rates = []
    for _ in range(epochs):
        rates.append(scheduler.get_last_lr())
        scheduler.optimizer.step()
        scheduler.step()
    return rates


def torch_optimizer(torch, *rates):
    groups = [{"params": [torch.nn.Parameter(torch.zeros(1))], "lr": rate} for rate in rates]
    return torch.optim.SGD(groups, lr=9.0)
