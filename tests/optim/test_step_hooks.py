"""Hooks around an optimizer's step."""

import copy
import pickle

import pytest

import distgrad as dg
from distgrad import nn, optim


def parameter():
    return nn.Parameter(dg.ones(2))


class Plain(optim.Optimizer):
    """What a user writes: a step of one's own."""

    def step(self, closure=None):
        for parameter in self.param_groups[0]["params"]:
            with dg.no_grad():
                parameter.sub_(parameter.grad)


def test_hooks_around_a_step():
    p = parameter()
    optimizer, seen = Plain([p], {}), []
    p.grad = dg.ones(2)

    def before(hooked, args, kwargs):
        seen.append(("before", hooked is optimizer, args, kwargs, p.tolist()))

    def after(hooked, args, kwargs):
        seen.append(("after", hooked is optimizer, args, kwargs, p.data[0] < 1))

    handles = [
        optimizer.register_step_pre_hook(before),
        optimizer.register_step_post_hook(after),
    ]
    optimizer.step(closure=None)
    called = {"closure": None}
    assert seen == [("before", True, (), called, [1.0, 1.0]), ("after", True, (), called, True)]
    for handle in handles:
        handle.remove()
    optimizer.step()
    assert len(seen) == 2


def test_a_hook_may_change_what_a_step_is_called_with():
    optimizer = optim.SGD([parameter()])
    optimizer.register_step_pre_hook(lambda *_: ((lambda: 7.0,), {}))
    assert optimizer.step() == 7.0
    optimizer.register_step_pre_hook(lambda *_: 3)
    with pytest.raises(RuntimeError, match=r"returns None or a pair \(args, kwargs\) .* but got 3"):
        optimizer.step()


def test_a_step_that_calls_the_one_of_its_base_is_one_step():
    class Own(optim.SGD):
        def step(self, closure=None):
            return super().step(closure)

    optimizer, calls = Own([parameter()]), []
    optimizer.register_step_post_hook(lambda *_: calls.append(1))
    optimizer.step()
    optimizer.step()
    assert calls == [1, 1]


def test_copies_have_no_hooks():
    optimizer = optim.SGD([parameter()])
    optimizer.register_step_post_hook(lambda *_: pytest.fail("called"))
    copy.deepcopy(optimizer).step()
    pickle.loads(pickle.dumps(optimizer)).step()
