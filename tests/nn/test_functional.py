"""The functions of neural networks: values, gradients, randomness, and what they refuse."""

import numpy as np
import pytest
import scipy.special

import distgrad as dg
from distgrad.autograd import gradcheck, gradgradcheck, random_scope
from distgrad.nn import functional as F


def random(*shape: int, seed: int = 0, requires_grad: bool = True) -> dg.Tensor:
    generator = np.random.default_rng(seed)
    return dg.Tensor(generator.standard_normal(shape), requires_grad=requires_grad)


SCORES = [((3,), ()), ((4, 3), (4,)), ((2, 3, 4), (2, 4)), ((2, 3, 2, 2), (2, 2, 2))]


def targets(shape, ignored: bool) -> dg.Tensor:
    target = np.random.default_rng(1).integers(0, 3, shape)
    if ignored and shape:
        target[..., 0] = -100
    return dg.tensor(target)


# cross_entropy


@pytest.mark.parametrize("ignored", [False, True])
@pytest.mark.parametrize("reduction", ["mean", "sum", "none"])
@pytest.mark.parametrize(("shape", "target_shape"), SCORES)
def test_cross_entropy(shape, target_shape, reduction, ignored) -> None:
    x, target = random(*shape), targets(target_shape, ignored)
    loss = F.cross_entropy(x, target, reduction=reduction)
    axis = 0 if len(shape) == 1 else 1
    log_p = np.moveaxis(scipy.special.log_softmax(x.data, axis=axis), axis, -1)
    kept = target.data != -100
    terms = np.where(
        kept,
        -np.take_along_axis(log_p, np.where(kept, target.data, 0)[..., None], -1)[..., 0],
        0,
    )
    if ignored and kept.sum() == 0:
        return
    expected = {"none": terms, "sum": terms.sum(), "mean": terms.sum() / kept.sum()}[reduction]
    np.testing.assert_allclose(loss.data, expected, rtol=1e-12)
    assert gradcheck(lambda x: F.cross_entropy(x, target, reduction=reduction), x)
    assert gradgradcheck(lambda x: F.cross_entropy(x, target, reduction=reduction), x)


@pytest.mark.parametrize("ignored", [False, True])
@pytest.mark.parametrize("reduction", ["mean", "sum", "none"])
@pytest.mark.parametrize(("shape", "target_shape"), SCORES)
def test_cross_entropy_is_pytorchs(shape, target_shape, reduction, ignored) -> None:
    torch = pytest.importorskip("torch")
    x, target = random(*shape), targets(target_shape, ignored)
    ours = F.cross_entropy(x, target, reduction=reduction)
    ours.sum().backward()
    other = torch.tensor(x.data, requires_grad=True)
    theirs = torch.nn.functional.cross_entropy(
        other, torch.from_numpy(target.data), reduction=reduction
    )
    theirs.sum().backward()
    np.testing.assert_allclose(ours.data, theirs.detach().numpy(), rtol=1e-12)
    np.testing.assert_allclose(x.grad.data, other.grad.numpy(), rtol=1e-10, atol=1e-15)


def test_cross_entropy_with_every_target_ignored() -> None:
    x = random(2, 3)
    target = dg.tensor([-100, -100])
    assert np.isnan(F.cross_entropy(x, target).item())
    total = F.cross_entropy(x, target, reduction="sum")
    assert total.item() == 0
    total.backward()
    assert not x.grad.data.any()


def test_cross_entropy_of_nothing() -> None:
    x, nothing = random(0, 3), dg.zeros(0, dtype=dg.int64)
    assert F.cross_entropy(x, nothing, reduction="sum").item() == 0
    assert F.cross_entropy(x, nothing, reduction="none").shape == (0,)
    assert np.isnan(F.cross_entropy(x, nothing).item())


def test_cross_entropy_with_another_ignore_index() -> None:
    x = random(3, 4)
    one = F.cross_entropy(x, dg.tensor([0, 2, 2]), ignore_index=2)
    assert one.item() == pytest.approx(F.cross_entropy(x[:1], dg.tensor([0])).item(), rel=1e-14)


def test_an_ignored_place_may_have_an_infinite_score() -> None:
    x = dg.tensor([[-np.inf, 0.0], [0.0, 0.0]], dtype=dg.float64, requires_grad=True)
    loss = F.cross_entropy(x, dg.tensor([-100, 1]), reduction="sum")
    assert loss.item() == pytest.approx(np.log(2))
    loss.backward()
    np.testing.assert_allclose(x.grad.data, [[0, 0], [0.5, -0.5]])


def test_cross_entropy_of_extreme_scores() -> None:
    x = dg.tensor([[1e4, 0.0, -1e4]], requires_grad=True)
    loss = F.cross_entropy(x, dg.tensor([2]))
    assert loss.item() == 2e4
    loss.backward()
    assert x.grad.tolist() == [[1, 0, -1]]


def test_targets_may_be_arrays_and_of_any_integer_type() -> None:
    x = random(2, 3)
    expected = F.cross_entropy(x, dg.tensor([0, 2])).item()
    for dtype in (np.int32, np.uint8, np.int64):
        assert F.cross_entropy(x, np.array([0, 2], dtype)).item() == expected


@pytest.mark.parametrize(
    ("scores", "target", "error", "message"),
    [
        ((2, 3), [0, 3], IndexError, r"target 3 at index \(1,\) is out of range for 3 classes"),
        ((2, 3), [-1, 0], IndexError, r"target -1 at index \(0,\).*use 0 to 2, or ignore_index"),
        ((1, 2, 2), [[0, 7]], IndexError, r"target 7 at index \(0, 1\)"),
        ((3,), 5, IndexError, r"target 5 at index \(\) is out of range"),
        ((2, 3), [0], ValueError, r"shape \(2, 3\) need targets of shape \(2,\), got \(1,\)"),
        ((2, 3), [[0, 1, 2], [0, 1, 2]], ValueError, r"targets of shape \(2,\), got \(2, 3\)"),
        ((2, 3), [0.0, 1.0], ValueError, r"shape \(2, 3\) of the scores, got \(2,\); classes must"),
        ((2, 3), [True, False], TypeError, "targets must be integers, not bool"),
    ],
)
def test_cross_entropy_refuses(scores, target, error, message) -> None:
    with pytest.raises(error, match=message):
        F.cross_entropy(dg.zeros(scores), dg.tensor(target))


# mse_loss


@pytest.mark.parametrize("reduction", ["mean", "sum", "none"])
def test_mse_loss(reduction) -> None:
    x, y = random(3, 2), random(3, 2, seed=1)
    squares = (x.data - y.data) ** 2
    expected = {"mean": squares.mean(), "sum": squares.sum(), "none": squares}[reduction]
    np.testing.assert_allclose(F.mse_loss(x, y, reduction=reduction).data, expected)
    assert gradcheck(lambda x, y: F.mse_loss(x, y, reduction=reduction), (x, y))


def test_mse_loss_warns_of_other_shapes() -> None:
    message = r"mse_loss: .* one shape, got \(3, 1\) and \(3,\), which broadcast; reshape\(\)"
    with pytest.warns(UserWarning, match=message):
        assert F.mse_loss(dg.zeros(3, 1), dg.ones(3), reduction="sum").item() == 9


def test_mse_loss_of_nothing_is_nan() -> None:
    x = random(0)
    F.mse_loss(x, random(0)).backward()
    assert x.grad.shape == (0,)
    assert np.isnan(F.mse_loss(x, random(0)).item())


@pytest.mark.parametrize("loss", [F.mse_loss, F.cross_entropy])
def test_unknown_reduction(loss) -> None:
    with pytest.raises(ValueError, match=r"reduction must be one of .*'none'.* got 'max'"):
        loss(dg.zeros(2, 2), dg.zeros(2, 2), reduction="max")


@pytest.mark.parametrize(
    "call",
    [
        lambda x: F.cross_entropy(x, dg.tensor([0])),
        lambda x: F.mse_loss(x, x),
        lambda x: F.log_softmax(x, 0),
        F.dropout,
    ],
)
def test_integers_are_refused(call) -> None:
    with pytest.raises(TypeError, match="of floating-point type, not int64"):
        call(dg.tensor([[1, 2]]))


# log_softmax


def test_log_softmax_of_extreme_values() -> None:
    for big in (88.0, 1e4, 1e38):
        x = dg.tensor([big, 0.0, -big], requires_grad=True)
        y = F.log_softmax(x, 0)
        assert y.tolist()[0] == pytest.approx(0, abs=1e-30)
        y[0].backward()
        np.testing.assert_allclose(x.grad.data, [0, 0, 0], atol=1e-30)
    assert F.log_softmax(dg.tensor([0.0, -np.inf]), 0).tolist() == [0, -np.inf]


def test_log_softmax_sums_to_one() -> None:
    y = F.log_softmax(random(4, 5, 3), 1)
    np.testing.assert_allclose(np.exp(y.data).sum(1), np.ones((4, 3)), rtol=1e-14)


# linear


@pytest.mark.parametrize(
    ("shapes", "error", "message"),
    [
        (((2, 3), (4, 2), None), ValueError, r"length 2 for a weight of shape \(4, 2\).*\(2, 3\)"),
        (((), (4, 2), None), ValueError, r"input of shape \(\)"),
        (((2, 3), (3,), None), ValueError, r"weight must have shape \(out, in\).*got \(3,\)"),
        (((2, 3), (4, 3), (3,)), ValueError, r"bias \(out,\), got \(4, 3\) and \(3,\)"),
    ],
)
def test_linear_refuses_shapes(shapes, error, message) -> None:
    with pytest.raises(error, match=message):
        F.linear(*(None if shape is None else dg.zeros(shape) for shape in shapes))


def test_linear_refuses_mixed_types() -> None:
    message = r"one data type, got float64, float32 and None; convert with \.to\(\)"
    with pytest.raises(RuntimeError, match=message):
        F.linear(dg.zeros(2, 3, dtype=dg.float64), dg.zeros(4, 3))


# dropout


def test_dropout_keeps_the_mean() -> None:
    dg.manual_seed(0)
    for p in (0.1, 0.5, 0.9):
        y = F.dropout(dg.ones(100_000), p)
        kept = y.data != 0
        assert kept.mean() == pytest.approx(1 - p, abs=0.01)
        assert set(y.data[kept].tolist()) == {np.float32(1 / (1 - p)).item()}


def test_dropout_at_its_ends() -> None:
    x = random(3, 4)
    assert F.dropout(x, 0.0) is x
    assert F.dropout(x, 0.5, training=False) is x
    y = F.dropout(x, 1.0)
    assert not y.data.any()
    y.sum().backward()
    assert not x.grad.data.any()
    assert not F.dropout(dg.ones(1000), 1 - 1e-12).data.any()
    assert F.dropout(dg.ones(1000), 1e-12).data.all()


def test_dropout_is_keyed_by_seed_step_micro_batch_and_call() -> None:
    def masks(**key) -> list[list[float]]:
        with random_scope(**key):
            return [F.dropout(dg.ones(64)).tolist() for _ in range(2)]

    first, second = masks(seed=1, step=2, micro_batch=3)
    assert first != second
    assert masks(seed=1, step=2, micro_batch=3) == [first, second]
    for other in (
        {"seed": 2, "step": 2, "micro_batch": 3},
        {"seed": 1, "step": 3, "micro_batch": 3},
        {"seed": 1, "step": 2, "micro_batch": 4},
    ):
        assert masks(**other)[0] not in (first, second)


def test_dropout_draws_the_same_places_for_every_type_and_shape() -> None:
    places = []
    for shape, dtype in [((4, 6), dg.float32), ((24,), dg.float64), ((2, 3, 4), dg.float16)]:
        with random_scope(5):
            y = F.dropout(dg.ones(shape, dtype=dtype), 0.3)
        assert (y.shape, y.dtype) == (shape, dtype)
        places.append((y.data.reshape(-1) != 0).tolist())
    assert places[0] == places[1] == places[2]


@pytest.mark.parametrize("shape", [(), (1,), (3,), (0,), (0, 2)])
def test_dropout_of_odd_sizes(shape) -> None:
    assert F.dropout(dg.ones(shape), 0.5).shape == shape


def test_dropout_gradient() -> None:
    x = random(5, 3)

    def dropped(x: dg.Tensor) -> dg.Tensor:
        with random_scope(0):
            return F.dropout(x, 0.4)

    assert gradcheck(dropped, x)
    assert gradgradcheck(dropped, x)


@pytest.mark.parametrize("p", [-0.1, 1.5, float("nan")])
def test_dropout_refuses(p) -> None:
    with pytest.raises(ValueError, match=f"p must be from 0 to 1, got {p}"):
        F.dropout(dg.ones(2), p)
