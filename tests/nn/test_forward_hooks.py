"""Forward hooks of modules, and what is true of all hooks."""

import copy
import gc
import pickle
import weakref

import pytest
from helpers.scenes import Scenes, listed, play, play_in_pytorch, scale_by

import distgrad as dg
from distgrad import nn

scenes = Scenes()


@scenes.expect(["pre 3", "pre 1", "pre 2", "forward", "after 3", "after 1", "after 2"])
def hooks_are_called_in_order(m):
    log = []
    module = scale_by(m, 2)
    forward = module.forward
    module.forward = lambda x: log.append("forward") or forward(x)
    for name in ("1", "2", "3"):
        module.register_forward_pre_hook(
            lambda module, args, name=name: log.append(f"pre {name}"), prepend=name == "3"
        )
        module.register_forward_hook(
            lambda module, args, y, name=name: log.append(f"after {name}"), prepend=name == "3"
        )
    module(m.ones(1))
    return log


@scenes.expect([[[2.0]], [[3.0]], [26.0], [26.0]])
def hooks_change_arguments_and_output(m):
    log = []
    module = scale_by(m, 10)
    module.register_forward_pre_hook(lambda module, args: args[0] + 1)
    module.register_forward_pre_hook(lambda module, args: log.append(listed(args)))
    module.register_forward_pre_hook(lambda module, args: (args[0] + 1,))
    module.register_forward_hook(lambda module, args, y: log.append(listed(args)))
    module.register_forward_hook(lambda module, args, y: y - 4)
    module.register_forward_hook(lambda module, args, y: log.append(listed(y)))
    log.append(listed(module(m.ones(1))))
    return log


@scenes.expect([[[[1.0]], 5, [7.0]], [17.0]])
def hooks_with_keyword_arguments(m):
    log = []
    module = scale_by(m, 2)
    module.register_forward_pre_hook(lambda module, args, kwargs: None, with_kwargs=True)
    module.register_forward_pre_hook(
        lambda module, args, kwargs: (args, {"plus": kwargs["plus"] + 2}), with_kwargs=True
    )
    module.register_forward_hook(
        lambda module, args, kwargs, y: log.append([listed(args), kwargs["plus"], listed(y)]),
        with_kwargs=True,
    )
    module.register_forward_hook(lambda module, args, kwargs, y: y + 10, with_kwargs=True)
    log.append(listed(module(m.ones(1), plus=3)))
    return log


@scenes.expect(["first", None, "last", None, "ZeroDivisionError"])
def hooks_that_are_always_called(m):
    log = []

    class Failing(m.nn.Module):
        def forward(self, x):
            return 1 / 0

    module = Failing()
    for name, always in (("first", True), ("second", False), ("last", True)):
        module.register_forward_hook(
            lambda module, args, y, name=name: log.extend([name, y]), always_call=always
        )
    try:
        module(m.ones(1))
    except ZeroDivisionError as error:
        log.append(type(error).__name__)
    return log


@scenes.expect(["always", "failing", "later", "ValueError"])
def hooks_that_are_always_called_are_called_once(m):
    log = []
    module = scale_by(m, 1)

    def failing(module, args, y):
        log.append("failing")
        raise ValueError

    module.register_forward_hook(lambda *_: log.append("always"), always_call=True)
    module.register_forward_hook(failing)
    module.register_forward_hook(lambda *_: log.append("later"), always_call=True)
    try:
        module(m.ones(1))
    except ValueError as error:
        log.append(type(error).__name__)
    return log


@scenes.expect(["a", "b", "b"])
def a_hook_removes_itself(m):
    log = []
    module = scale_by(m, 1)
    first = module.register_forward_hook(lambda *_: (log.append("a"), first.remove())[1])
    module.register_forward_hook(lambda *_: log.append("b"))
    module(m.ones(1))
    module(m.ones(1))
    first.remove()
    return log


@scenes.expect(["in the block", "after"])
def a_handle_is_a_context_manager(m):
    log = []
    module = scale_by(m, 1)
    with module.register_forward_pre_hook(lambda *_: log.append("in the block")):
        module(m.ones(1))
    module(m.ones(1))
    log.append("after")
    return log


@pytest.mark.parametrize(("scene", "log"), scenes)
def test_scenes(scene, log):
    assert play(scene) == log


@pytest.mark.parametrize(("scene", "log"), scenes)
def test_scenes_are_pytorchs(scene, log):
    assert play_in_pytorch(scene) == log


def test_a_pre_hook_with_keyword_arguments_returns_both():
    module = nn.ReLU()
    module.register_forward_pre_hook(lambda module, args, kwargs: args, with_kwargs=True)
    with pytest.raises(RuntimeError, match=r"None or a tuple \(args, kwargs\), got \(tensor"):
        module(dg.ones(1))


def test_an_exception_of_a_hook_that_is_always_called_is_noted():
    module = nn.Linear(2, 1)

    def failing(*_):
        raise ValueError("of the hook")

    module.register_forward_hook(failing, always_call=True)
    with pytest.raises(ValueError, match="linear") as caught:
        module(dg.ones(1, 3))
    (note,) = caught.value.__notes__
    assert note == "a forward hook with always_call=True also raised ValueError('of the hook')"


class Counting:
    """A hook that can be pickled, and counts its calls."""

    calls = 0

    def __call__(self, module, args, output):
        self.calls += 1


@pytest.mark.parametrize("twin", [copy.deepcopy, lambda x: pickle.loads(pickle.dumps(x))])
def test_a_copied_handle_removes_the_copied_hook(twin):
    module = nn.ReLU()
    hook = Counting()
    handle = module.register_forward_hook(hook)
    other_module, other_handle, other_hook = twin((module, handle, hook))
    other_module(dg.ones(1))
    assert (hook.calls, other_hook.calls) == (0, 1)
    other_handle.remove()
    other_module(dg.ones(1))
    module(dg.ones(1))
    assert (hook.calls, other_hook.calls) == (1, 1)
    handle.remove()
    module(dg.ones(1))
    assert hook.calls == 1


def test_a_hook_added_to_a_copy_takes_no_others_place():
    module = nn.ReLU()
    module.register_forward_hook(Counting())
    other = pickle.loads(pickle.dumps(module))
    other.register_forward_hook(Counting())
    assert len(other._forward_hooks) == 2


def test_hooks_of_one_module_are_not_anothers():
    first, second = nn.ReLU(), nn.ReLU()
    first.register_forward_hook(lambda *_: dg.zeros(1))
    assert second(dg.ones(1)).tolist() == [1.0]


def test_a_handle_keeps_nothing_alive():
    class Thing:
        def __call__(self, *args):
            return None

    module, thing = nn.ReLU(), Thing()
    handle, alive = module.register_forward_hook(thing), weakref.ref(thing)
    del module, thing
    gc.collect()
    assert alive() is None
    handle.remove()
    copy.copy(handle).remove()
