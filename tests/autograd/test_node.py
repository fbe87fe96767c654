"""What a recorded operation keeps, and what it refuses."""

import numpy as np
import pytest

import distgrad as dg
from distgrad import ops
from distgrad.tensor import apply


def test_rules_are_not_run_for_inputs_that_need_no_gradient() -> None:
    x = dg.ones(3, requires_grad=True)
    constant = dg.full(3, 2.0)
    y = x * constant
    assert y.grad_fn.inputs == (x.node, None)
    assert y.grad_fn.edges == [x.node]
    assert y.grad_fn.saved == (constant.data, None)  # the rule of `a` needs only `b`


def test_only_what_the_rules_name_is_saved() -> None:
    x, w = dg.ones(2, 3, requires_grad=True), dg.ones(2, 3, requires_grad=True)
    assert (x + w).grad_fn.saved == ()
    assert x.sum().grad_fn.saved == ((2, 3), None)
    y = x.tanh()
    assert len(y.grad_fn.saved) == 1
    assert y.grad_fn.saved[0] is y.data
    assert (x * w).grad_fn.saved == (w.data, x.data)


def test_linear_without_input_gradient_keeps_no_weight() -> None:
    x, weight = dg.ones(2, 3), dg.ones(4, 3, requires_grad=True)
    y = dg.nn.functional.linear(x, weight, dg.zeros(4, requires_grad=True))
    assert _saved_names(y) == ["x"]
    y = dg.nn.functional.linear(dg.ones(2, 3, requires_grad=True), weight.detach())
    assert _saved_names(y) == ["weight", "x_shape"]


def _saved_names(y: dg.Tensor) -> list[str]:
    """Return what is called what its node has kept."""
    op = y.grad_fn.op
    names = (*op.saved_arrays, *op.saved_constants)
    return [n for n, kept in zip(names, y.grad_fn.saved, strict=True) if kept is not None]


def test_an_operation_without_rules_is_not_recorded() -> None:
    x = dg.ones(3, requires_grad=True)
    for result in (x == 1, x.isfinite(), x.argmax(), x.sum() > 0):
        assert result.grad_fn is None
        assert not result.requires_grad


def test_node_reads_well() -> None:
    x = dg.ones(3, requires_grad=True)
    node = (x / 2).grad_fn
    assert node.name == "divide"
    assert repr(node) == "<divide>"


@pytest.mark.parametrize(
    ("compute", "change", "message"),
    [
        pytest.param(
            lambda x, w: w * x, lambda x, y: x.fill_(0), "'multiply' needs its 'b'", id="input"
        ),
        pytest.param(
            lambda x, w: (w * x).tanh(),
            lambda x, y: y.detach().zero_(),
            "'tanh' needs its 'y'",
            id="output",
        ),
        pytest.param(
            lambda x, w: w * x, lambda x, y: x[0].zero_(), "'multiply' needs its 'b'", id="view"
        ),
        pytest.param(
            lambda x, w: w * x[0],
            lambda x, y: x.add_(1),
            "'multiply' needs its 'b'",
            id="base of a view",
        ),
        pytest.param(
            lambda x, w: w * x.T.reshape(3, 2).T,
            lambda x, y: x.mul_(1),
            "'multiply' needs its 'b'",
            id="view of a view",
        ),
        pytest.param(
            lambda x, w: w * x,
            lambda x, y: x.bump_version(),
            "was saved at version 0 and is at version 1 now",
            id="announced",
        ),
        pytest.param(
            lambda x, w: w.exp() * x,
            lambda x, y: x.__setitem__(0, 5.0),
            "'multiply' needs its 'b' of shape",
            id="assignment",
        ),
    ],
)
def test_in_place_change_of_a_saved_value_is_refused(compute, change, message) -> None:
    x = dg.tensor([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]])
    w = dg.ones(2, 3, requires_grad=True)
    y = compute(x, w)
    change(x, y)
    with pytest.raises(RuntimeError, match=message):
        y.sum().backward()
    assert w.grad is None


def test_an_optimizer_step_between_forward_and_backward_is_refused() -> None:
    w = dg.ones(3, requires_grad=True)
    x = dg.ones(3, requires_grad=True)
    y = (w * x).sum()
    with dg.no_grad():
        w -= 0.1
    with pytest.raises(RuntimeError, match="saved at version 0 and is at version 1 now"):
        y.backward()


def test_a_change_of_what_no_rule_needs_is_allowed() -> None:
    x = dg.ones(3)
    w = dg.ones(3, requires_grad=True)
    y = w + x
    x.fill_(7.0)
    y.sum().backward()
    assert w.grad.tolist() == [1, 1, 1]


def test_a_change_of_a_copy_is_allowed() -> None:
    x = dg.tensor([[1.0, 2.0], [3.0, 4.0]])
    w = dg.ones(2, requires_grad=True)
    for copy in (x.clone(), x[dg.tensor([0, 1])], x.T.reshape(4), x.to(dg.float64)):
        y = w * x[0]
        copy.zero_()
        y.sum().backward()
    assert w.grad.tolist() == [4, 8]


def test_what_an_index_or_a_target_says_is_kept() -> None:
    x = dg.tensor([1.0, 2.0, 3.0], requires_grad=True)
    index, listed, array = dg.tensor([0, 0]), [0, 1], np.array([2])
    y = x[index].sum() + x[listed].sum() + x[array].sum()
    index.fill_(2)
    listed[0] = 2
    array[0] = 0
    y.backward()
    assert x.grad.tolist() == [3, 1, 1]

    scores = dg.zeros(1, 2, requires_grad=True)
    target = dg.tensor([0])
    loss = dg.nn.functional.cross_entropy(scores, target)
    target.fill_(1)
    loss.backward()
    assert scores.grad.tolist() == [[-0.5, 0.5]]


def test_second_order_refuses_stale_values_too() -> None:
    x = dg.ones(2)
    w = dg.ones(2, requires_grad=True)
    y = (w * w * x).sum()
    x.zero_()
    with pytest.raises(RuntimeError, match="changed in place"):
        dg.autograd.grad(y, w, create_graph=True)


def test_a_recorded_pass_refuses_what_is_changed_behind_it() -> None:
    w = dg.ones(2, requires_grad=True)
    (slope,) = dg.autograd.grad((w**4).sum(), w, create_graph=True)
    with dg.no_grad():
        w.mul_(2)
    with pytest.raises(RuntimeError, match=r"'power' needs its 'x' .* changed in place"):
        slope.sum().backward()


def test_the_result_of_a_division_may_be_changed() -> None:
    a, b = dg.tensor([3.0], requires_grad=True), dg.tensor([2.0], requires_grad=True)
    y = a / b
    y.mul_(8)
    y.backward()
    assert (a.grad.item(), b.grad.item()) == (4, -6)


def test_a_rule_cannot_name_what_the_op_lacks() -> None:
    @ops.op
    def doubled(xp, x):
        return 2 * x

    with pytest.raises(ValueError, match=r"<op doubled\(x\)> has no input 'z'"):
        doubled.rule("z")
    with pytest.raises(ValueError, match="names 'mask', which the op does not have"):

        @doubled.rule("x")
        def _(xp, g, mask):
            return g * mask


def test_an_op_of_ones_own() -> None:
    @ops.op
    def cube(xp, x, /, scale=1.0):
        return scale * x * x * x

    @cube.rule("x")
    def _(xp, g, x, scale):
        return g * (3 * scale) * x * x

    x = dg.tensor([1.0, 2.0], dtype=dg.float64, requires_grad=True)
    assert apply(cube, x, scale=2.0).tolist() == apply(cube, x, 2.0).tolist() == [2, 16]
    assert dg.autograd.gradcheck(lambda x: apply(cube, x, scale=2.0), x)
    assert dg.autograd.gradgradcheck(lambda x: apply(cube, x), x)


def test_an_operation_in_the_middle_of_another_one() -> None:
    """As a signal handler may run it."""

    @ops.op
    def interrupted(xp, x):
        seen.append((dg.ones(2) / 0).tolist())
        return xp.multiply(x, 2)

    @ops.op
    def failing(xp, x):
        raise RuntimeError("of its own")

    seen: list[list[float]] = []
    assert apply(interrupted, dg.ones(1)).tolist() == [2]
    assert seen == [[np.inf, np.inf]]
    with pytest.raises(RuntimeError, match="of its own"):
        apply(failing, dg.ones(1))


def test_what_another_thread_frees_in_the_middle_of_a_pass() -> None:
    x = dg.ones(2, requires_grad=True)
    y = x * x
    node, saved = y.grad_fn, y.grad_fn.saved

    def read_while_it_is_freed():
        node.free()
        return saved

    node.saved = read_while_it_is_freed
    y.sum().backward()
    assert x.grad.tolist() == [2, 2]
    with pytest.raises(RuntimeError, match="backward through 'multiply' a second time"):
        y.sum().backward()


def test_a_sum_of_products_that_saves_nothing_runs_again() -> None:
    x, w = dg.ones(2, 3, requires_grad=True), dg.ones(3)
    y = dg.einsum("ij->i", x).sum()
    y.backward()
    y.backward()
    assert x.grad.tolist() == [[2, 2, 2], [2, 2, 2]]
    y = dg.einsum("ij,j->i", x, w).sum()
    y.backward()
    with pytest.raises(RuntimeError, match="backward through 'einsum' a second time"):
        y.backward()
