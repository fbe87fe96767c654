"""Jacobians, Hessians and their products: against differences, closed forms and PyTorch."""

import inspect
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import distgrad as dg
from distgrad.autograd import functional

NAMES = ("jacobian", "hessian", "vjp", "jvp", "vhp", "hvp")
PRODUCTS = NAMES[2:]
OF_SCALARS = ("hessian", "vhp", "hvp")

X = np.array([[0.3, -1.2, 0.8], [1.5, 0.4, -0.7]])
Y = np.array([0.9, -0.4, 1.3])


def tensor(array: Any, requires_grad: bool = False) -> dg.Tensor:
    return dg.tensor(np.array(array), requires_grad=requires_grad)


def several(m: Any, x: Any, y: Any) -> tuple[Any, Any]:
    """Two inputs, two outputs."""
    return m.sin(x * y), (x @ y).exp()


def scalar(m: Any, x: Any, y: Any) -> Any:
    return (m.sin(x * y) * x).sum() + (y * y * y).sum()


def flat(matrix: Any, rows: int) -> np.ndarray:
    return np.asarray(matrix.data).reshape(rows, -1)


# Against closed forms and each other


def test_jacobian_of_a_matrix_product() -> None:
    a, x = tensor(X), tensor(Y)
    of_a, of_x = functional.jacobian(lambda a, x: a @ x, (a, x))
    assert of_a.shape == (2, 2, 3)
    np.testing.assert_allclose(of_x.data, X)
    np.testing.assert_allclose(of_a.data, np.einsum("ik,j->ikj", np.eye(2), Y))


def test_hessian_of_a_quadratic_form() -> None:
    a = np.array([[2.0, 1.0, 0.0], [0.0, 3.0, -1.0], [4.0, 0.0, 1.0]])
    hessian = functional.hessian(lambda x: x @ tensor(a) @ x, tensor(Y))
    np.testing.assert_allclose(hessian.data, a + a.T)


def test_third_derivatives() -> None:
    def slope_of_hessian(x: dg.Tensor) -> dg.Tensor:
        return functional.hessian(lambda x: (x**4).sum() / 24, x, create_graph=True)

    third = functional.jacobian(slope_of_hessian, tensor(Y))
    expected = np.zeros((3, 3, 3))
    expected[range(3), range(3), range(3)] = Y
    np.testing.assert_allclose(third.data, expected, atol=1e-15)
    (fourth,) = dg.autograd.grad(
        (functional.jacobian(slope_of_hessian, x := tensor(Y, True), create_graph=True) * 1).sum(),
        x,
    )
    np.testing.assert_allclose(fourth.data, np.ones(3))


def test_jacobian_against_differences() -> None:
    x, y, step = tensor(X), tensor(Y), 1e-6
    for output, row in enumerate(functional.jacobian(lambda x, y: several(dg, x, y), (x, y))):
        for position, array in enumerate((X, Y)):
            numeric = []
            for i in np.ndindex(array.shape):
                pair = [X.copy(), Y.copy()]
                pair[position][i] += step
                above = several(dg, *map(tensor, pair))[output].data.copy()
                pair[position][i] -= 2 * step
                below = several(dg, *map(tensor, pair))[output].data
                numeric.append(((above - below) / (2 * step)).reshape(-1))
            got = flat(row[position], numeric[0].size)
            np.testing.assert_allclose(got, np.array(numeric).T, rtol=1e-7, atol=1e-8)


def test_products_are_those_with_the_matrices() -> None:
    pair = (tensor(X), tensor(Y))
    call = lambda x, y: several(dg, x, y)  # noqa: E731
    jacobian = functional.jacobian(call, pair)
    of_outputs = (tensor(X + 1), tensor([0.5, -2.0]))
    of_inputs = (tensor(X - 0.3), tensor(Y * 2))
    outputs, products = functional.vjp(call, pair, of_outputs)
    for mine, expected in zip(outputs, call(*pair), strict=True):
        np.testing.assert_array_equal(mine.data, expected.data)
    for j, product in enumerate(products):
        expected = sum(
            v.data.reshape(-1) @ flat(row[j], v.numel())
            for v, row in zip(of_outputs, jacobian, strict=True)
        )
        np.testing.assert_allclose(product.data.reshape(-1), expected, rtol=1e-12)
    _, slopes = functional.jvp(call, pair, of_inputs)
    for row, slope in zip(jacobian, slopes, strict=True):
        expected = sum(
            flat(block, slope.numel()) @ v.data.reshape(-1)
            for block, v in zip(row, of_inputs, strict=True)
        )
        np.testing.assert_allclose(slope.data.reshape(-1), expected, rtol=1e-12)
    hessian = functional.hessian(lambda x, y: scalar(dg, x, y), pair)
    for product in (functional.vhp, functional.hvp):
        value, products = product(lambda x, y: scalar(dg, x, y), pair, of_inputs)
        assert value.item() == scalar(dg, *pair).item()
        for row, found in zip(hessian, products, strict=True):
            expected = sum(
                flat(block, found.numel()) @ v.data.reshape(-1)
                for block, v in zip(row, of_inputs, strict=True)
            )
            np.testing.assert_allclose(found.data.reshape(-1), expected, rtol=1e-12)


# What is a graph and what is not


@pytest.mark.parametrize("name", NAMES)
def test_results_are_recorded_with_create_graph_only(name: str) -> None:
    x = tensor(Y, requires_grad=True)
    arguments = (x,) if name in NAMES[:2] else (x, tensor(Y) if name != "vjp" else None)

    def call(x: dg.Tensor) -> dg.Tensor:
        return (x**3).sum()

    def results(create_graph: bool) -> list[dg.Tensor]:
        found = getattr(functional, name)(call, *arguments, create_graph=create_graph)
        return list(found) if isinstance(found, tuple) else [found]

    with dg.no_grad():
        assert not any(result.requires_grad for result in results(False))
    assert not any(result.requires_grad for result in results(False))
    assert all(result.requires_grad for result in results(True))
    (gradient,) = dg.autograd.grad(results(True)[-1].sum(), x)
    assert gradient.shape == x.shape
    assert x.grad is None


def test_a_vector_is_part_of_the_graph() -> None:
    x, v = tensor(Y), tensor([1.0, 2.0, 3.0], requires_grad=True)
    _, product = functional.jvp(lambda x: x**2, x, v, create_graph=True)
    (gradient,) = dg.autograd.grad(product.sum(), v)
    np.testing.assert_allclose(gradient.data, 2 * Y)
    _, product = functional.vjp(lambda x: x**2, x, v)
    assert not product.requires_grad


def test_what_a_function_has_caught_is_a_constant() -> None:
    x = tensor(Y, requires_grad=True)
    jacobian = functional.jacobian(lambda y: x * y, x)
    np.testing.assert_allclose(jacobian.data, np.diag(Y))


def test_results_are_the_callers_own() -> None:
    v = tensor(Y)
    outputs, product = functional.vjp(lambda x: x * 1, tensor(Y), v)
    product.data[...] = 0
    outputs.data[...] = 0
    np.testing.assert_array_equal(v.data, Y)


def test_shapes() -> None:
    for shape in [(), (1,), (2, 2), (0,)]:
        x = tensor(np.ones(shape))
        assert functional.jacobian(lambda x: x * 2, x).shape == shape * 2
        assert functional.hessian(lambda x: (x * x).sum(), x).shape == shape * 2
        both = functional.jacobian(lambda x: (x * 2,), (x,))
        assert both[0][0].shape == shape * 2
    one = functional.hessian(lambda x: (x * x).sum().reshape(1, 1), tensor([3.0]))
    assert one.tolist() == [[2.0]]


def test_what_does_not_depend_has_zeros() -> None:
    x, y = tensor(X), tensor(Y)
    (of_x, of_y), other = functional.jacobian(lambda x, y: (x * 2, dg.ones(2)), (x, y))
    assert of_x.shape == (2, 3, 2, 3)
    assert (of_y.shape, other[0].shape) == ((2, 3, 3), (2, 2, 3))
    assert not of_y.data.any()
    assert not other[0].data.any()
    assert not functional.hessian(lambda x: x.sum(), x).data.any()
    assert not functional.vhp(lambda x: x.sum(), x, x)[1].data.any()
    assert not functional.hvp(lambda x: x.sum(), x, x)[1].data.any()
    assert not functional.jvp(lambda x: dg.ones(2), x, x)[1].data.any()
    assert not functional.vjp(lambda x: dg.ones(()), x)[1].data.any()


# Refusals


def raises(error: type[Exception], message: str, call: Callable[[], Any]) -> None:
    with pytest.raises(error, match=message):
        call()


@pytest.mark.parametrize("name", NAMES)
def test_what_is_no_tensor_is_refused(name: str) -> None:
    call = getattr(functional, name)
    must = "must be a Tensor or a tuple of Tensors, got"
    raises(TypeError, rf"{name}\(\): inputs {must} float", lambda: call(lambda x: x, 1.0))
    raises(
        TypeError,
        f"inputs {must} a tuple with list",
        lambda: call(lambda x: x, (tensor(1.0), [])),
    )
    raises(TypeError, f"outputs {must} list", lambda: call(lambda x: [x], tensor(1.0)))
    if name in PRODUCTS:
        raises(TypeError, f"v {must} list", lambda: call(lambda x: x, tensor(1.0), [1.0]))


@pytest.mark.parametrize("name", OF_SCALARS)
def test_functions_to_more_than_one_element_are_refused(name: str) -> None:
    v = (tensor(Y),) if name != "hessian" else ()
    call = getattr(functional, name)
    takes = rf"{name}\(\) takes a function to a Tensor of one element, got"
    raises(
        RuntimeError, rf"{takes} one of shape \(3,\)", lambda: call(lambda x: x * 2, tensor(Y), *v)
    )
    raises(RuntimeError, f"{takes} a tuple of 1", lambda: call(lambda x: (x.sum(),), tensor(Y), *v))


@pytest.mark.parametrize("name", PRODUCTS)
def test_vectors_that_do_not_fit_are_refused(name: str) -> None:
    call, what = getattr(functional, name), "output" if name == "vjp" else "input"
    function = (lambda x: x * 2) if name == "vjp" else (lambda x: (x * x).sum())
    raises(
        RuntimeError,
        rf"{name}\(\) needs v, a Tensor for each {what}, of shapes \[\(3,\)\]",
        lambda: call(function, tensor(Y)),
    )
    for v in (tensor(X), (tensor(Y), tensor(Y))):
        raises(
            RuntimeError,
            rf"{name}\(\): v must have the shapes of the {what}s, \[\(3,\)\], got \[",
            lambda v=v: call(function, tensor(Y), v),
        )


@pytest.mark.parametrize("name", NAMES)
def test_strict_calls_refuse_what_does_not_depend(name: str) -> None:
    x, y = tensor([1.0]), tensor([2.0])
    call = getattr(functional, name)

    def strict(function: Any, message: str, **arguments: Any) -> None:
        v = {} if name in NAMES[:2] else {"v": None if name == "vjp" else (x.detach(), y.detach())}
        raises(
            RuntimeError,
            rf"{name}\(\): .*{message}.*; strict=False gives zeros for it",
            lambda: call(function, (x, y), strict=True, **v, **arguments),
        )

    strict(lambda x, y: dg.ones(1), "output 0 does not depend on the inputs")
    strict(lambda x, y: (x * x).sum(), "does not depend on input 1")
    x, y = tensor([1.0], True), tensor([2.0], True)
    message = r"the .*by input 0|the slope of output 0"
    if name in OF_SCALARS:
        strict(lambda x, y: (x * x + y).sum(), "the gradient by input 1 does not depend on the in")
        strict(lambda x, y: ((x + y) * (x + y)).sum(), message, create_graph=True)
    else:
        strict(lambda x, y: x * 2 + y, message, create_graph=True)


# Against PyTorch


def run(m: Any, name: str, x: Any, y: Any, vector: Any, create_graph: bool) -> list[Any]:
    """All results, in a list, and their gradients."""
    module = functional if m is dg else m.autograd.functional
    function = scalar if name in OF_SCALARS else several
    arguments = () if name in NAMES[:2] else (vector,)
    found = getattr(module, name)(
        lambda x, y: function(m, x, y), (x, y), *arguments, create_graph=create_graph
    )
    results = list(leaves(found))
    if create_graph:
        total = sum((r * r).sum() for r in results)
        results += m.autograd.grad(total, (x, y))
    return results


def leaves(found: Any) -> Any:
    if isinstance(found, tuple):
        for part in found:
            yield from leaves(part)
    else:
        yield found


@pytest.mark.parametrize("create_graph", [False, True])
@pytest.mark.parametrize("name", NAMES)
def test_against_pytorch(name: str, create_graph: bool) -> None:
    torch = pytest.importorskip("torch")
    vectors = (X + 1, np.array([0.5, -2.0])) if name == "vjp" else (X - 0.3, Y * 2)
    results = [
        run(
            m,
            name,
            m.tensor(X, requires_grad=True),
            m.tensor(Y, requires_grad=True),
            tuple(m.tensor(v) for v in vectors),
            create_graph,
        )
        for m in (dg, torch)
    ]
    for mine, other in zip(*results, strict=True):
        assert mine.shape == tuple(other.shape)
        np.testing.assert_allclose(mine.data, other.detach().numpy(), rtol=1e-12, atol=1e-13)


@pytest.mark.parametrize("name", NAMES)
def test_arguments_are_those_of_pytorch(name: str) -> None:
    torch = pytest.importorskip("torch")
    ours = inspect.signature(getattr(functional, name)).parameters
    theirs = inspect.signature(getattr(torch.autograd.functional, name)).parameters
    assert list(ours) == list(theirs)[: len(ours)]
    assert all(ours[key].default == theirs[key].default for key in ours)
    assert set(theirs) - set(ours) <= {"vectorize", "strategy", "outer_jacobian_strategy"}
