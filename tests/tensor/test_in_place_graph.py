"""Changes in place of tensors in a graph: every gradient is that of the same without them."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import distgrad as dg
from distgrad.tensor.in_place_forms import InPlaceForms

ARGUMENTS = {
    **dict.fromkeys(
        ["add", "sub", "mul", "div", "subtract", "multiply", "divide", "atan2", "arctan2"],
        (lambda other: (other,)),
    ),
    **dict.fromkeys(["hypot", "copysign", "xlogy", "remainder", "fmod"], lambda other: (other,)),
    **dict.fromkeys(["lerp"], lambda other: (other, 0.3)),
    **dict.fromkeys(["addcmul", "addcdiv"], lambda other: (other, other + 1)),
    **dict.fromkeys(["clamp", "clip"], lambda other: (0.3, 0.9)),
    **dict.fromkeys(["clamp_min"], lambda other: (0.5,)),
    **dict.fromkeys(["clamp_max"], lambda other: (0.5,)),
    **dict.fromkeys(["pow"], lambda other: (3,)),
    **dict.fromkeys(["cumsum", "cumprod"], lambda other: (0,)),
    **dict.fromkeys(["tril", "triu"], lambda other: ()),
    "masked_fill": lambda other: (other > 0.5, 2.0),
    "index_fill": lambda other: (0, dg.tensor([1]), 2.0),
    "index_add": lambda other: (0, dg.tensor([1, 0]), other[:2]),
    "index_copy": lambda other: (0, dg.tensor([1, 0]), other[:2]),
}
PLAIN = [
    "abs",
    "acos",
    "asin",
    "atan",
    "ceil",
    "cos",
    "cosh",
    "erf",
    "erfc",
    "exp",
    "exp2",
    "expm1",
    "floor",
    "frac",
    "log",
    "log10",
    "log1p",
    "log2",
    "neg",
    "reciprocal",
    "relu",
    "round",
    "rsqrt",
    "sigmoid",
    "sign",
    "sin",
    "sinh",
    "sqrt",
    "square",
    "tan",
    "tanh",
    "trunc",
    "nan_to_num",
]


def gradients(compute, *arrays: np.ndarray) -> list[np.ndarray]:
    leaves = [dg.tensor(a, requires_grad=True) for a in arrays]
    result = compute(*leaves)
    weights = np.linspace(0.5, 1.5, result.numel()).reshape(result.shape)
    (result * weights).sum().backward()
    return [result.detach().numpy(), *[leaf.grad.numpy() for leaf in leaves]]


def same(one: list[np.ndarray], other: list[np.ndarray]) -> None:
    for a, b in zip(one, other, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-14, atol=0)


X = np.random.default_rng(0).uniform(0.2, 0.95, (3, 4))
Y = np.random.default_rng(1).uniform(0.2, 0.95, (3, 4))


@pytest.mark.parametrize("name", [*PLAIN, *ARGUMENTS])
def test_a_form_in_place_has_the_gradients_of_its_operation(name) -> None:
    arguments = ARGUMENTS.get(name, lambda other: ())

    def in_place(x, y):
        z, y = x * 1.0, y * 1.0
        assert getattr(z, f"{name}_")(*arguments(y)) is z
        return z * z + 0 * y

    def anew(x, y):
        z, y = x * 1.0, y * 1.0
        z = getattr(z, name)(*arguments(y))
        return z * z + 0 * y

    same(gradients(in_place, X, Y), gradients(anew, X, Y))


def test_every_form_has_its_operation() -> None:
    forms = [name for name in vars(InPlaceForms) if name.endswith("_") and name[0] != "_"]
    assert len(forms) > 70
    for name in forms:
        assert callable(getattr(dg.Tensor, name[:-1])), name
        assert name[:-1] in getattr(dg.Tensor, name).__doc__


def test_the_forms_of_torch() -> None:
    torch = pytest.importorskip("torch")
    theirs = {name for name in dir(torch.Tensor) if name.endswith("_") and name[0] != "_"}
    of_ours = {name for name in theirs if hasattr(dg.Tensor, name[:-1])}
    other_shapes = {"squeeze_", "unsqueeze_", "swapaxes_", "swapdims_", "t_", "transpose_"}
    assert {name for name in of_ours if not hasattr(dg.Tensor, name)} <= other_shapes


def test_a_tensor_times_itself() -> None:
    same(
        gradients(lambda x: (y := x * 1.0).mul_(y) * 1.0, X),
        gradients(lambda x: x * x, X),
    )


def test_assignment_to_elements() -> None:
    def in_place(x, y):
        z = x * 2.0
        z[1] = y[0] * 3
        z[:, 2] = y[1, 1]
        z[dg.tensor([0, 2]), np.array([0, 1])] = y[2, :2]
        z[0, 3] = 5.0
        return z * x

    def anew(x, y):
        rows = [x[0] * 2, y[0] * 3, x[2] * 2]
        z = dg.stack([dg.cat([row[:2], y[1:2, 1], row[3:]]) for row in rows])
        at = np.zeros((3, 4), bool)
        at[0, 3] = True
        z = z.masked_fill(at, 5.0)
        z = z.index_put((dg.tensor([0, 2]), dg.tensor([0, 1])), y[2, :2])
        return z * x

    same(gradients(in_place, X, Y), gradients(anew, X, Y))


def test_assigned_values_broadcast_and_are_converted() -> None:
    x = dg.zeros(2, 3)
    value = dg.tensor([[1.0, 2.0, 3.0]], dtype=dg.float64, requires_grad=True)
    x[0] = value  # an axis of length 1 more
    x[:, 1] = value[0, 0]
    assert x.tolist() == [[1, 1, 3], [0, 1, 0]]
    x.sum().backward()
    assert value.grad.tolist() == [[3, 0, 1]]
    assert value.grad.dtype == dg.float64


VIEWS = [
    pytest.param(lambda x: x[1], id="row"),
    pytest.param(lambda x: x[:, ::2], id="columns"),
    pytest.param(lambda x: x[::-1, 1:], id="backwards"),
    pytest.param(lambda x: x.T, id="transposed"),
    pytest.param(lambda x: x.T[1:].reshape(3, 1, 3), id="of a view"),
    pytest.param(lambda x: x.reshape(-1)[3:9], id="line"),
    pytest.param(lambda x: x[:3, :3].diagonal(), id="diagonal"),
    pytest.param(lambda x: x[2, 3], id="element"),
    pytest.param(lambda x: x.unsqueeze(1).squeeze(), id="squeezed"),
]


@pytest.mark.parametrize("view", VIEWS)
@pytest.mark.parametrize("order", ["C", "F"])
def test_a_view_changed_in_place(view, order) -> None:
    def in_place(x, y):
        z = (x * 2.0) if order == "C" else (x.T * 2.0).T
        earlier = z[0]
        changed = view(z)
        changed.mul_(view(y)).add_(1.0)
        return (z * z).sum() * changed.sum() + earlier.exp().sum()

    def anew(x, y):
        place = view(dg.arange(12).reshape(3, 4)).numpy().reshape(-1)
        z, y = (x * 2.0).reshape(-1), y.reshape(-1)
        changed = z[place] * y[place] + 1.0
        z = z.index_put((dg.tensor(place),), changed).reshape(3, 4)
        return (z * z).sum() * changed.sum() + z[0].exp().sum()

    same(gradients(in_place, X, Y), gradients(anew, X, Y))


def test_the_base_changes_under_its_views() -> None:
    def in_place(x):
        z = x * 2.0
        row, column = z[0], z.T[1]
        z.exp_()
        return row.sum() * column.sum()

    def anew(x):
        z = (x * 2.0).exp()
        return z[0].sum() * z.T[1].sum()

    same(gradients(in_place, X), gradients(anew, X))


def test_a_plain_tensor_is_filled_from_a_graph() -> None:
    def in_place(x):
        out = dg.zeros(4, 3, dtype=dg.float64)
        for i in range(4):
            out[i] = x[:, i] ** 2
        return out

    same(gradients(in_place, X), gradients(lambda x: x.T**2, X))


def test_second_order_through_changes_in_place() -> None:
    def changed(x):
        z = x * 1.0
        z[0].mul_(z[1] * 2)
        z.T[0].exp_()
        z[2, 1:] = z[1, 1:] - z[2, 0]
        return z.tanh()

    x = dg.tensor(X, requires_grad=True)
    assert dg.autograd.gradcheck(changed, x)
    assert dg.autograd.gradgradcheck(changed, x)


def test_fill_zero_and_copy_cut_what_was_before() -> None:
    x, value = dg.ones(3, requires_grad=True), dg.tensor(2.0, requires_grad=True)
    for change in (lambda z: z.zero_(), lambda z: z.fill_(3), lambda z: z.copy_(dg.zeros(3))):
        z = change(x * 2)
        assert z.requires_grad
        (gradient,) = dg.autograd.grad((z + x).sum(), x)
        assert gradient.tolist() == [1, 1, 1]
    z = (x * 2).fill_(value)
    assert dg.autograd.grad(z.sum(), value)[0].item() == 3
    z = dg.zeros(2, 3).copy_(x * 5)
    assert dg.autograd.grad(z.sum(), x)[0].tolist() == [10, 10, 10]


def test_views_made_without_recording() -> None:
    x = dg.ones(3, requires_grad=True)
    y = x * 2
    with dg.no_grad():
        view = y[0]
    with pytest.raises(RuntimeError, match=r"mul_\(\): this view was made under no_grad\(\)"):
        view.mul_(2)
    with dg.no_grad():
        view.mul_(2)
    assert y.tolist() == [4, 2, 2]


def test_detach_in_place() -> None:
    x = dg.ones(3, requires_grad=True)
    y = x * 2
    assert y.detach_() is y
    assert not y.requires_grad
    with pytest.raises(RuntimeError, match=r"detach_\(\): a view cannot leave the graph alone"):
        (x * 2)[0].detach_()


def test_what_a_rule_needs_is_not_overwritten() -> None:
    x = dg.tensor([1.0, 2.0], requires_grad=True)
    y = x * 1
    z = y.exp()
    y.add_(1)  # exp needs its result only
    z.sum().backward()
    y = x * 1
    z = y * y
    y.add_(1)
    message = (
        r"'multiply' needs its 'b' of shape \(2,\) .* saved at version 0 and is at version 1 now"
    )
    with pytest.raises(RuntimeError, match=message):
        z.sum().backward()


def test_many_views_are_not_remembered_for_ever() -> None:
    x = dg.zeros(3)
    for _ in range(1000):
        x[0].detach()
    assert len(x.version._views) < 10
    x[0].add_(1)
    assert x.tolist() == [1, 0, 0]


CHANGES = [
    lambda z, y, i: z[i].mul_(y[i]),
    lambda z, y, i: z.T[i].sin_(),
    lambda z, y, i: z.__setitem__((slice(None), i), y[i, :3]),
    lambda z, y, i: z.reshape(-1)[i : i + 4].add_(y[0]),
    lambda z, y, i: z.exp_(),
    lambda z, y, i: z[:2, i:].copy_(z[1:, i:] - y[0, 0]),
]


@settings(max_examples=30)
@given(st.lists(st.tuples(st.integers(0, len(CHANGES) - 1), st.integers(0, 2)), max_size=6))
def test_any_sequence_of_changes_has_the_right_gradient(changes) -> None:
    def run(x, y):
        z = x * 0.5
        views = [z[0], z.T[1:]]
        for kind, place in changes:
            CHANGES[kind](z, y, place)
        return (z + views[0]).sum() * views[1].sum()

    leaves = [dg.tensor(a * 0.3, requires_grad=True) for a in (X, Y)]
    assert dg.autograd.gradcheck(run, leaves, atol=1e-5, rtol=1e-4)
