"""The walk down the graph: its order, its depth, what it keeps, what it hands out."""

import gc
import tracemalloc
import weakref
from threading import Barrier, Thread

import numpy as np
import pytest

import distgrad as dg
from distgrad.autograd import backward, backward_into, grad


def test_a_long_chain_overflows_no_stack() -> None:
    x = dg.tensor([1.0, 2.0], requires_grad=True)
    y = x
    for _ in range(20_000):
        y = y + 1
    last = weakref.ref(y.grad_fn)
    y.sum().backward()
    assert x.grad.tolist() == [1, 1]
    del y
    assert last() is None


def test_a_long_chain_is_freed_without_a_backward_pass() -> None:
    x = dg.ones(1, requires_grad=True)
    y = x
    for _ in range(20_000):
        y = (y * 1.0).tanh()
    last = weakref.ref(y.grad_fn)
    del y
    assert last() is None


def test_a_long_chain_of_second_order() -> None:
    x = dg.ones(1, requires_grad=True)
    y = x
    for _ in range(3_000):
        y = y * 1.0
    (slope,) = dg.autograd.grad((y * y).sum(), x, create_graph=True)
    slope.backward()
    assert x.grad.item() == 2.0


def training_step(w: dg.Tensor, x: dg.Tensor) -> None:
    loss = ((x @ w).tanh() ** 2).mean()
    loss.backward()
    with dg.no_grad():
        w -= 0.01 * w.grad
    w.grad = None


def test_memory_stays_flat_over_steps() -> None:
    w, x = dg.rand(32, 16), dg.rand(64, 32)
    w.requires_grad_()
    for _ in range(2_500):  # until Python's own stores of up to 2000 freed tuples are full
        training_step(w, x)
    tracemalloc.start()
    try:
        for _ in range(20):
            training_step(w, x)
        before = tracemalloc.get_traced_memory()[0]
        for _ in range(1_000):
            training_step(w, x)
        grown = tracemalloc.get_traced_memory()[0] - before
    finally:
        tracemalloc.stop()
    assert grown < 4096, f"{grown} bytes more after 1000 steps; one step's arrays take 30 kB"


def test_the_graph_has_no_reference_cycle() -> None:
    w, x = dg.rand(4, 4), dg.rand(4, 4)
    w.requires_grad_()
    training_step(w, x)
    gc.collect()
    gc.disable()
    try:
        objects = len(gc.get_objects())
        for _ in range(50):
            training_step(w, x)
            (x @ w).relu().sum()  # a graph that no backward pass frees
        assert len(gc.get_objects()) - objects < 50
    finally:
        gc.enable()


def test_backward_drops_saved_arrays_while_the_result_lives() -> None:
    x = dg.ones(3, requires_grad=True)
    hidden = x * x
    node = hidden.grad_fn
    saved = weakref.ref(hidden.data)
    loss = hidden.tanh().sum()
    del hidden
    assert saved() is None  # tanh keeps its output, multiply its inputs: nobody needs this one
    loss.backward()
    assert node.saved is None
    assert loss.item() > 0


def test_a_dropout_mask_is_dropped_too() -> None:
    x = dg.ones(3, requires_grad=True)
    y = dg.nn.functional.dropout(x, 0.5)
    y.sum().backward()
    assert y.grad_fn.saved is None


def test_nodes_that_saved_no_arrays_run_again() -> None:
    x = dg.ones(3, requires_grad=True)
    loss = (x + 1).reshape(3, 1).sum()
    loss.backward()
    loss.backward()
    assert x.grad.tolist() == [2, 2, 2]


def test_gradients_are_arrays_of_their_own() -> None:
    a, b = dg.ones(3, requires_grad=True), dg.ones(3, requires_grad=True)
    above = dg.ones(3)
    (a + b).backward(above)
    a.grad.zero_()
    assert b.grad.tolist() == above.tolist() == [1, 1, 1]


def test_recorded_gradients_are_arrays_of_their_own() -> None:
    a, b = dg.ones(3, requires_grad=True), dg.ones(3, requires_grad=True)
    (a + b).sum().backward(create_graph=True)
    assert a.grad is not b.grad
    with dg.no_grad():
        a.grad.zero_()
    assert b.grad.tolist() == [1, 1, 1]
    (a * b).sum().backward(create_graph=True)
    assert b.grad.tolist() == [2, 2, 2]
    assert b.grad.requires_grad


def test_gradients_of_reductions_can_be_changed() -> None:
    a = dg.ones(2, 3, requires_grad=True)
    a.sum().backward()  # NumPy's broadcast view is read-only
    a.grad.mul_(2)
    assert a.grad.tolist() == [[2, 2, 2], [2, 2, 2]]


def test_adding_to_a_gradient_changes_it_in_place() -> None:
    a = dg.ones(2, requires_grad=True)
    a.sum().backward()
    first = a.grad
    array = first.data
    a.sum().backward()
    assert a.grad is first
    assert first.data is array
    assert array.tolist() == [2, 2]


def test_a_diamond_is_visited_once() -> None:
    x = dg.tensor(2.0, requires_grad=True)
    shared = x * x
    calls = []
    shared.grad_fn.ask().after_backward = lambda: calls.append(1)
    (shared * 3 + shared * shared).backward()
    assert x.grad.item() == 3 * 4 + 2 * 4 * 4
    assert calls == [1]


def test_hooks_run_once_after_the_whole_pass() -> None:
    x = dg.tensor(2.0, requires_grad=True)
    seen: list[float] = []

    def finish() -> None:
        seen.append(x.grad.item())

    y = x * 3
    z = y * 2
    y.grad_fn.ask().after_backward = finish
    z.grad_fn.ask().after_backward = finish
    z.backward()
    assert seen == [6.0]


def test_hooks_wait_for_a_pass_that_writes_gradients() -> None:
    x = dg.tensor(2.0, requires_grad=True)
    seen: list[int] = []
    y = x * x
    y.grad_fn.ask().after_backward = lambda: seen.append(1)
    (slope,) = grad(y, x, create_graph=True)
    backward_into(y, lambda leaf, gradient: None)
    assert seen == []
    y = x * x
    y.grad_fn.ask().after_backward = lambda: seen.append(1)
    (slope + y).backward()
    assert seen == [1]


def test_several_roots() -> None:
    x = dg.ones(2, requires_grad=True)
    y = x * 2
    backward([y.sum(), y, x], [None, dg.tensor([1.0, 10.0]), dg.ones(2)])
    assert x.grad.tolist() == [2 + 2 + 1, 2 + 20 + 1]


def test_a_leaf_as_root() -> None:
    x = dg.tensor(3.0, requires_grad=True)
    x.backward()
    x.backward(dg.tensor(2.0))
    assert x.grad.item() == 3.0


def test_backward_into_hands_out_contributions() -> None:
    a, b = dg.ones(2, requires_grad=True), dg.ones(2, requires_grad=True)
    got: list[tuple[dg.Tensor, list[float]]] = []
    backward_into((a * b + a).sum(), lambda leaf, g: got.append((leaf, g.tolist())))
    assert [leaf is a for leaf, _ in got] == [True, True, False]
    assert all(g == [1, 1] for _, g in got)
    assert a.grad is None


def test_gradient_takes_the_tensors_data_type() -> None:
    x = dg.ones(2, requires_grad=True)
    (x * 2).backward(dg.ones(2, dtype=dg.float64))
    assert x.grad.dtype == dg.float32
    y = dg.ones(2, requires_grad=True)
    y.backward(dg.ones(2, dtype=dg.int64))
    assert y.grad.dtype == dg.float32


def test_mixed_precision_graph_gives_each_leaf_its_type() -> None:
    x = dg.ones(2, dtype=dg.float64, requires_grad=True)
    w = dg.ones(2, dtype=dg.float32, requires_grad=True)
    (x.to(dg.float32) * w + x * w).sum().backward()
    assert (x.grad.dtype, w.grad.dtype) == (dg.float64, dg.float32)


def test_rules_raise_no_numpy_warnings() -> None:
    x = dg.tensor([0.0, 4.0], requires_grad=True)
    (dg.sqrt(x)).sum().backward()
    assert x.grad.tolist() == [np.inf, 0.25]
    (slope,) = dg.autograd.grad(dg.sqrt(x).sum(), x, create_graph=True)
    assert slope.tolist() == [np.inf, 0.25]


@pytest.mark.parametrize(
    ("run", "error", "message"),
    [
        (lambda x: dg.ones(1).backward(), RuntimeError, "does not require a gradient"),
        (lambda x: (x * 2).backward(dg.ones(3)), RuntimeError, r"shape \(3,\).*shape \(2,\)"),
        (lambda x: (x * 2).backward(np.ones(2)), TypeError, "must be a Tensor, got ndarray"),
        (lambda x: backward([x, x], [None]), RuntimeError, "2 tensors but 1 gradients"),
    ],
)
def test_errors(run, error, message) -> None:
    with pytest.raises(error, match=message):
        run(dg.ones(2, requires_grad=True))


def test_retained_gradients() -> None:
    x = dg.ones(2, requires_grad=True)
    y = x * 2
    y.retain_grad()
    x.retain_grad()  # of a leaf: nothing to do
    z = y * y
    z.sum().backward()
    assert y.grad.tolist() == [4, 4]
    y.grad.zero_()
    assert x.grad.tolist() == [8, 8]
    with pytest.raises(RuntimeError, match="requires a gradient"):
        dg.ones(1).retain_grad()


def test_a_retaining_tensor_may_be_gone() -> None:
    x = dg.ones(2, requires_grad=True)
    y = x * 2
    y.retain_grad()
    loss = y.sum()
    del y
    loss.backward()
    assert x.grad.tolist() == [2, 2]


def test_hooks_are_of_backward_and_not_of_grad() -> None:
    x = dg.tensor(2.0, requires_grad=True)
    y = x * 3
    calls = []
    y.grad_fn.ask().after_backward = lambda: calls.append(1)
    dg.autograd.grad(y, x, retain_graph=True)
    backward_into(y * 1, lambda leaf, g: None)
    assert calls == []


def test_threads_add_to_the_leaves_that_they_share() -> None:
    w = dg.ones(200_000, requires_grad=True)
    threads, passes = 4, 10
    start = Barrier(threads)

    def run() -> None:
        start.wait()
        for _ in range(passes):
            (w * 2).sum().backward()

    running = [Thread(target=run) for _ in range(threads)]
    for thread in running:
        thread.start()
    for thread in running:
        thread.join()
    assert (w.grad == 2 * threads * passes).all()


def test_no_root_at_all() -> None:
    backward([])
    x = dg.ones(1, requires_grad=True)
    for outputs, inputs in ([], [x]), ([x.sum()], []):
        with pytest.raises(RuntimeError, match="takes one output and one input at least, got"):
            grad(outputs, inputs)


@pytest.mark.parametrize("create_graph", [False, True])
def test_a_gradient_of_another_shape_is_not_added_to(create_graph) -> None:
    x = dg.ones(2, requires_grad=True)
    x.grad = dg.ones(3, 2)
    with pytest.raises(RuntimeError, match=r"\.grad has shape \(3, 2\), but the gradient has sh"):
        (x * x).sum().backward(create_graph=create_graph)
    assert x.grad.tolist() == [[1, 1]] * 3
