"""Anomaly mode: which line of the forward pass a bad gradient came from."""

import threading

import pytest
from helpers.cube import Cube

import distgrad as dg
from distgrad.autograd import detect_anomaly, grad, is_anomaly_enabled, set_detect_anomaly


def leaf(*values: float) -> dg.Tensor:
    return dg.tensor(list(values), requires_grad=True)


def notes(error: pytest.ExceptionInfo[BaseException]) -> str:
    return "\n".join(error.value.__notes__)


def make_nan(x: dg.Tensor) -> dg.Tensor:
    root = x.sqrt()  # the line to be named
    return root * 0


@pytest.mark.parametrize("run", [lambda y, x: y.backward(), grad])
def test_the_line_is_named(run) -> None:
    x = leaf(0.0, 1.0)
    with detect_anomaly():
        y = make_nan(x).sum() + (x * 2).sum()
        message = r"the gradient that 'sqrt' passes to an input of shape \(2,\) has nan elements"
        with pytest.raises(RuntimeError, match=message) as error:
            run(y, x)
    assert "'sqrt' was recorded at (most recent call last)" in notes(error)
    last = notes(error).rstrip().splitlines()[-1]
    assert last.strip() == "root = x.sqrt()  # the line to be named"
    assert "in make_nan" in notes(error)


def test_a_nan_from_above_is_not_blamed_on_the_operation_that_gets_it() -> None:
    x = leaf(1.0)
    with detect_anomaly():
        y = x.exp() * dg.tensor([float("nan")])
        with pytest.raises(RuntimeError, match="'multiply' passes"):
            y.sum().backward()


def test_other_errors_are_located_too() -> None:
    x = leaf(1.0)
    with set_detect_anomaly(True, check_nan=False):
        y = make_nan(x)
        z = y.exp()
        y.detach().zero_()
        z.sum().backward()
        z = x * 1
        w = z * z
        z.add_(1)
        with pytest.raises(RuntimeError, match="version") as error:
            w.sum().backward()
    assert "w = z * z" in notes(error)


def test_what_was_recorded_before_has_no_line() -> None:
    y = make_nan(leaf(0.0))
    with detect_anomaly(), pytest.raises(RuntimeError, match="nan") as error:
        y.sum().backward()
    assert "recorded outside anomaly mode" in notes(error)


def test_without_the_check_nan_goes_through() -> None:
    x = leaf(0.0)
    with detect_anomaly(check_nan=False):
        make_nan(x).sum().backward()
    assert x.grad.isnan().all()


def test_second_order() -> None:
    x = leaf(0.0)
    with detect_anomaly():
        (slope,) = grad((x**1.5).sum(), x, create_graph=True)
        with pytest.raises(RuntimeError, match="has nan elements"):
            grad((slope.sqrt() * 0).sum(), x)


def test_the_mode_is_of_the_block_and_the_thread() -> None:
    seen = []
    with detect_anomaly():
        with set_detect_anomaly(False):
            assert not is_anomaly_enabled()
        assert is_anomaly_enabled()
        thread = threading.Thread(target=lambda: seen.append(is_anomaly_enabled()))
        thread.start()
        thread.join()
    assert seen == [False]
    assert not is_anomaly_enabled()


def test_it_is_set_at_once() -> None:
    before = set_detect_anomaly(True)
    try:
        assert is_anomaly_enabled()
        set_detect_anomaly(False)
        assert not is_anomaly_enabled()
    finally:
        before.__exit__(None, None, None)
    assert not is_anomaly_enabled()


def test_a_function_of_the_users() -> None:
    x = leaf(2.0)
    with detect_anomaly():
        Cube.apply(x).sum().backward()
        assert x.grad.tolist() == [12]
        y = Cube.apply(leaf(float("nan")))
        with pytest.raises(RuntimeError, match="the gradient that 'Cube' passes to an input"):
            y.sum().backward()
        y = Cube.apply(leaf(1.0)) * dg.tensor([float("nan")])
        with pytest.raises(RuntimeError, match="the gradient that 'multiply' passes to an input"):
            y.sum().backward()
