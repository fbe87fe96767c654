"""Copies: shallow, deep, and through pickle."""

import copy
import pickle
import weakref

import numpy as np
import pytest

import distgrad as dg


class Named(dg.Tensor):
    """A subclass that keeps something of its own, with and without a slot."""

    __slots__ = ("__dict__", "name")


def leaf() -> dg.Tensor:
    x = dg.tensor([1.0, 2.0], requires_grad=True)
    (x * x).sum().backward()
    return x


PICKLES = [
    lambda x, protocol=protocol: pickle.loads(pickle.dumps(x, protocol)) for protocol in range(6)
]


@pytest.mark.parametrize("duplicate", [copy.deepcopy, *PICKLES])
def test_copies_have_memory_of_their_own(duplicate) -> None:
    x = leaf()
    y = duplicate(x)
    assert y.requires_grad
    assert y.is_leaf
    with dg.no_grad():
        y.zero_()
    assert x.tolist() == [1, 2]
    assert x.version.number == 0
    assert not duplicate(dg.arange(3)).requires_grad
    assert duplicate(dg.arange(3)).tolist() == [0, 1, 2]


def test_a_deep_copy_has_the_gradient_and_a_pickle_has_not() -> None:
    x = leaf()
    y = copy.deepcopy(x)
    assert y.grad.tolist() == [2, 4]
    assert not np.shares_memory(y.grad.data, x.grad.data)
    assert pickle.loads(pickle.dumps(x)).grad is None
    assert copy.copy(x).grad is None


def test_a_copy_of_a_parameter_has_not_been_trained() -> None:
    parameter = dg.nn.Parameter(dg.ones(2))
    (parameter * 2).sum().backward()
    for duplicate in (copy.deepcopy, copy.copy, *PICKLES):
        y = duplicate(parameter)
        assert type(y) is dg.nn.Parameter
        assert y.requires_grad
        assert y.grad is None
    frozen = dg.nn.Parameter(dg.ones(2), requires_grad=False)
    assert not copy.deepcopy(frozen).requires_grad


def test_a_shallow_copy_shares_memory_and_version() -> None:
    x = leaf()
    y = copy.copy(x)
    assert y.data is x.data
    assert y.is_leaf
    product = dg.ones(2, requires_grad=True) * x.detach()
    with dg.no_grad():
        y.zero_()
    with pytest.raises(RuntimeError, match="changed in place"):
        product.sum().backward()


def test_what_was_computed() -> None:
    x = leaf() * 2
    with pytest.raises(
        RuntimeError, match=r"only a leaf.*<multiply>; copy its detach\(\) or clone"
    ):
        copy.deepcopy(x)
    for duplicate in (copy.copy, *PICKLES):
        y = duplicate(x)
        assert y.is_leaf
        assert y.requires_grad
    assert copy.deepcopy(x.detach()).tolist() == [2, 4]


def test_sharing_survives_a_deep_copy() -> None:
    x = dg.ones(2)
    same, view, again = copy.deepcopy([x, x.detach(), x])
    assert same is again
    assert view.data is same.data
    assert view.version is same.version


def test_layout_survives() -> None:
    x = dg.Tensor(np.asfortranarray(np.arange(6.0).reshape(2, 3)))
    for duplicate in (copy.deepcopy, *PICKLES[2:]):
        assert duplicate(x).stride() == x.stride()
    wide = dg.ones(3, 1).expand(3, 4)
    assert copy.deepcopy(wide).tolist() == wide.tolist()


def test_what_a_subclass_keeps() -> None:
    x = Named(np.ones(2), requires_grad=True)
    x.name, x.history = "first", [1]
    for duplicate in (copy.deepcopy, copy.copy, *PICKLES):
        y = duplicate(x)
        assert type(y) is Named
        assert (y.name, y.history, y.requires_grad) == ("first", [1], True)
        assert (y.history is x.history) == (duplicate is copy.copy)
    buffer = dg.nn.Buffer(dg.ones(2), persistent=False)
    assert copy.deepcopy(buffer).persistent is False


def test_pickles_out_of_band() -> None:
    x = dg.arange(1000)
    buffers: list[pickle.PickleBuffer] = []
    message = pickle.dumps(x, 5, buffer_callback=buffers.append)
    assert len(message) < 500
    assert np.shares_memory(pickle.loads(message, buffers=buffers).data, x.data)


def test_hooks_stay_behind() -> None:
    x = dg.ones(2, requires_grad=True)
    seen = []
    x.register_hook(seen.append)
    for duplicate in (copy.deepcopy, copy.copy, *PICKLES):
        duplicate(x).sum().backward()
    assert not seen


def test_weak_references_and_hashes() -> None:
    x = dg.ones(2)
    kept = weakref.ref(x)
    assert kept() is x
    assert {x: 1}[x] == 1
    assert len({x, copy.copy(x)}) == 2
    del x
    assert kept() is None
