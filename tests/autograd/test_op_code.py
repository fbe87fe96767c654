"""The code that is written out for each op, beside what it stands for: loops over its rules."""

import traceback
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import distgrad as dg
from distgrad import ops
from distgrad.autograd.op_node import UNCHANGED
from distgrad.tensor import apply


@ops.op
def mixed(xp, a, b, c, /, scale=2.0, offset=0.0):
    return scale * a * b + c + offset


@mixed.rule("c")
def _(xp, g):
    return g


@mixed.rule("a")
def _(xp, g, b, scale):
    return g * b * scale


@mixed.rule("b")
def _(xp, g, a, y, c_shape, scale):
    return g * a * scale + 0 * y + len(c_shape)


def _values(shape: tuple[int, ...], number: int) -> np.ndarray:
    return np.random.default_rng(number).standard_normal(shape)


def _sent(op, inputs, attributes, output, gradient):
    """Return what the rules give, by the definition of what they need."""
    arrays = dict(zip(op.inputs, inputs, strict=True))
    known = {**op.defaults, **attributes, "y": output}
    known |= {name: getattr(x, "data", x) for name, x in arrays.items()}
    known |= {f"{name}_shape": np.shape(getattr(x, "data", x)) for name, x in arrays.items()}
    return [
        (arrays[name].node, rule.function(np, gradient, *(known[need] for need in rule.needs)))
        for name, rule in op.rules.items()
        if getattr(arrays[name], "node", None) is not None
    ]


class _Walk(SimpleNamespace):
    create_graph = False
    retain_graph = False
    needed = None
    tensor_type = dg.Tensor

    def __init__(self, **options):
        super().__init__(sent=[], **options)

    def send(self, node, gradient):
        self.sent.append((node, gradient))


@given(st.tuples(st.booleans(), st.booleans(), st.booleans()), st.booleans(), st.booleans())
def test_a_call_is_what_its_rules_say(wanted, plain, attributed) -> None:
    a, b, c = (
        dg.Tensor(_values(shape, place), requires_grad=asked)
        for place, (shape, asked) in enumerate(zip([(2, 3), (3,), ()], wanted, strict=True))
    )
    inputs = (a, 1.5 if plain and not wanted[1] else b, c)
    attributes = {"scale": 3.0} if attributed else {}
    y = apply(mixed, *inputs, **attributes)
    arrays = [getattr(x, "data", x) for x in inputs]
    np.testing.assert_array_equal(y.data, mixed.forward(np, *arrays, **attributes))
    assert y.requires_grad == any(wanted)
    if any(wanted):
        node, walk = y.grad_fn, _Walk()
        expected = _sent(mixed, inputs, attributes, y.data, y.data)
        assert node.edges == [x.node for x in (a, b, c) if x.requires_grad]
        node.pass_on(y.data, walk)
        assert [edge for edge, _ in walk.sent] == [edge for edge, _ in expected]
        for (_, found), (_, value) in zip(walk.sent, expected, strict=True):
            np.testing.assert_array_equal(found, value)


def test_only_what_a_wanted_rule_needs_is_kept_and_watched() -> None:
    a, b = dg.ones(2, requires_grad=True), dg.ones(2)
    y = apply(mixed, a, b, 1.0)
    assert mixed.saved_arrays == ("b", "a", "y")
    assert mixed.saved_constants == ("scale", "c_shape")
    assert y.grad_fn.saved == (b.data, None, None, 2.0, None)
    assert y.grad_fn.versions == (b.version, 0, UNCHANGED, 0, UNCHANGED, 0)
    y.zero_()  # which the rule of `a` does not need
    y = apply(mixed, dg.ones(2), dg.ones(2), dg.ones(2, requires_grad=True))
    assert y.grad_fn.saved == (None,) * 5


def test_what_holds_no_array_can_run_again() -> None:
    c = dg.ones(2, requires_grad=True)
    y = apply(mixed, dg.ones(2), dg.ones(2), c)
    y.sum().backward()
    y.sum().backward()
    assert c.grad.tolist() == [2, 2]
    y = apply(mixed, dg.ones(2, requires_grad=True), dg.ones(2), c)
    y.sum().backward()
    with pytest.raises(RuntimeError, match="backward through 'mixed' a second time"):
        y.sum().backward()


def test_a_checkpoint_finds_constants_again_too() -> None:
    x = dg.ones(3, requires_grad=True)
    places = dg.tensor([2, 0])
    y = dg.autograd.checkpoint(lambda x: x[places], x)
    assert callable(y.grad_fn.saved)
    y.sum().backward()
    assert x.grad.tolist() == [1, 0, 1]


def test_only_edges_that_lead_to_a_target_get_a_gradient() -> None:
    a, b = dg.ones(2, requires_grad=True), dg.ones(2, requires_grad=True)
    node, walk = (a * b).grad_fn, _Walk(needed={b.node})
    node.pass_on(np.ones(2, np.float32), walk)
    assert [edge for edge, _ in walk.sent] == [b.node]


def test_arguments_are_those_of_the_op() -> None:
    x = dg.ones(2)
    assert apply(mixed, x, x, x, 1.0, 5.0).tolist() == [7, 7]
    with pytest.raises(TypeError, match=r"mixed\(\) missing 1 required positional argument: 'c'"):
        apply(mixed, x, x)
    with pytest.raises(TypeError, match=r"mixed\(\) got an unexpected keyword argument 'axis'"):
        apply(mixed, x, x, x, axis=0)


def test_names_of_an_op_do_not_meet_those_of_the_code() -> None:
    @ops.op
    def node(xp, output, saved, /, np, xp_=1, walk=2, mode="m"):
        return output * saved * np

    @node.rule("output")
    def _(xp, g, saved, np, walk, mode):
        assert (walk, mode) == (2, "m")
        return g * saved * np

    x = dg.tensor([1.0, 2.0], requires_grad=True)
    apply(node, x, 3.0, np=2).sum().backward()
    assert x.grad.tolist() == [6, 6]


def test_a_traceback_shows_the_lines() -> None:
    @ops.op
    def broken(xp, x):
        raise ValueError("as it does")

    with pytest.raises(ValueError, match="as it does") as caught:
        apply(broken, dg.ones(1))
    lines = "".join(traceback.format_exception(caught.value))
    assert "op_code.py (broken, call)" in lines
    assert "_quiet.run(_forward, _xp, x_array)" in lines


def test_an_op_that_is_a_ufunc_calls_it_without_a_detour(monkeypatch) -> None:
    @ops.op
    def exp(xp, x):
        return xp.exp(x)

    @ops.op
    def log(xp, x):
        return xp.log(x) + 1

    seen = []
    quiet = SimpleNamespace(run=lambda function, *args: seen.append(function) or function(*args))
    for op in (exp, log):
        monkeypatch.setitem(op.call.__globals__, "_quiet", quiet)
        apply(op, dg.ones(1))
    assert seen == [np.exp, log.forward]


def test_an_op_of_any_number_of_arrays_is_no_kernel() -> None:
    def total(xp, *arrays):
        return sum(arrays)

    with pytest.raises(ValueError, match=r"total\(\) takes any number of arrays, which the kernel"):
        ops.op(total, kernel=True)
