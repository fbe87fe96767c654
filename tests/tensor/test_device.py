"""Tensors on a GPU, which the strict double stands for."""

import copy
import pickle
from collections.abc import Iterator

import numpy as np
import pytest
from helpers.strict_device import double, strict_device

import distgrad as dg
import distgrad.nn.functional as F
from distgrad import nn


@pytest.fixture(autouse=True)
def gpu() -> Iterator[None]:
    with strict_device():
        yield


def test_a_tensor_goes_there_and_back() -> None:
    x = dg.tensor([1.5, 2.5])
    there = x.to("cuda")
    assert (there.device, there.is_cuda, there.is_cpu) == ("cuda:0", True, False)
    assert there.to("cuda:0") is there
    assert there.cuda() is there
    assert x.cpu() is x
    assert x.cuda(1).device == x.cuda("cuda:1").device == "cuda:1"
    assert there.cpu().numpy().tolist() == [1.5, 2.5]
    assert x.to("cuda", dg.float64).dtype == np.float64
    assert x.to(there).device == "cuda:0"
    assert there.to(dg.int64).device == "cuda:0"
    assert there.data_ptr() != x.data_ptr()


def test_gradients_flow_back_to_where_a_tensor_lies() -> None:
    x = dg.tensor([1.0, 2.0], requires_grad=True)
    y = (x.to("cuda") ** 3).sum()
    (slope,) = dg.autograd.grad(y, x, create_graph=True)
    assert (y.device, slope.device, slope.tolist()) == ("cuda:0", "cpu", [3, 12])
    slope.sum().backward()
    assert (x.grad.device, x.grad.tolist()) == ("cpu", [6, 12])


def test_a_gradient_from_above_lies_beside_its_tensor() -> None:
    y = dg.ones(2, device="cuda", requires_grad=True) * 2
    with pytest.raises(RuntimeError, match="gradient= lies on cpu, but the tensor on cuda:0; move"):
        y.backward(dg.ones(2))
    y.backward(dg.ones(2).cuda())


def test_reading_a_tensor() -> None:
    x = dg.tensor([[1, 2], [3, 4]], device="cuda")
    assert x.tolist() == [[1, 2], [3, 4]]
    assert (x[0, 1].item(), int(x[1, 0]), float(x[0, 0]), bool(x[1, 1])) == (2, 3, 1.0, True)
    assert [row.tolist() for row in x] == [[1, 2], [3, 4]]
    assert 3 in x
    assert repr(x[0]) == "tensor([1, 2], device='cuda:0')"
    assert "..., " in repr(dg.zeros(2000, device="cuda"))
    for read in (x.numpy, lambda: np.asarray(x)):
        with pytest.raises(TypeError, match=r"on cuda:0 is no array of NumPy; copy it with tensor"):
            read()
    assert x.numpy(force=True).tolist() == x.tolist()
    assert dg.tensor([x[0, 0], x[1, 1]]).tolist() == [1, 4]


def test_numbers_follow_to_the_device() -> None:
    x = dg.ones(2, device="cuda")
    factor = dg.tensor(3.0, requires_grad=True)
    y = x * factor + dg.tensor(1.0) - np.float32(2)
    assert (y.device, y.dtype, y.tolist()) == ("cuda:0", np.float32, [2, 2])
    y.sum().backward()
    assert (factor.grad.device, factor.grad.item()) == ("cpu", 2)


def test_others_do_not() -> None:
    x = dg.ones(2, 3, device="cuda")
    for mixed, named in (
        (lambda: x * dg.ones(3), r"multiply\(\).*cuda:0 \(shape \(2, 3\)\) and cpu \(shape \(3,\)"),
        (lambda: dg.ones(4, 2) @ x, r"matmul\(\).*cpu \(shape \(4, 2\)\) and cuda:0"),
        (lambda: x + x.to("cuda:1"), r"add\(\).*cuda:0 .* and cuda:1"),
        (lambda: dg.cat([x, dg.ones(2, 3)]), r"concatenate\(\).*cuda:0 .* and cpu"),
        (lambda: x.to("cuda:1").exp(), r"exp\(\).*cuda:1 .*distgrad\.cuda\.set_device"),
    ):
        with pytest.raises(RuntimeError, match=named):
            mixed()


def test_changes_in_place_take_values_from_elsewhere() -> None:
    x, there = dg.zeros(3), dg.zeros(3, device="cuda")
    there.copy_(dg.tensor([1.0, 2.0, 3.0]))
    there[1] = dg.tensor(5.0)
    there[np.array([0, 0])] = dg.tensor([7.0, 8.0])  # the last one stays
    x.copy_(there)
    assert x.tolist() == there.tolist() == [8, 5, 3]
    there.zero_()
    there += 1
    assert (there.device, there.tolist()) == ("cuda:0", [1, 1, 1])


def test_places_may_lie_on_the_host() -> None:
    x = dg.arange(6.0).reshape(2, 3).cuda()
    assert x[:, np.array([2, 0])].tolist() == [[2, 0], [5, 3]]
    assert x[dg.tensor([1])].tolist() == [[3, 4, 5]]
    assert x[[0, 1], [1, 2]].tolist() == [1, 5]
    assert x.gather(1, dg.tensor([[0], [2]])).tolist() == [[0], [5]]
    with pytest.raises(IndexError, match="index 3 is out of range for 3 elements"):
        x.index_select(1, dg.tensor([3]))


def test_what_is_drawn_is_drawn_on_the_host() -> None:
    def draws(device: str) -> list[dg.Tensor]:
        dg.manual_seed(3)
        weights = dg.ones(4, device=device)
        drawn = [dg.rand(3, device=device), dg.randn(2, device=device), dg.rand_like(weights)]
        drawn += [dg.randint(9, (4,), device=device), dg.randperm(5, device=device)]
        drawn += [weights.multinomial(2), (weights / 2).bernoulli(), dg.normal(weights, 1.0)]
        drawn += [dg.zeros(3, device=device).normal_(), dg.zeros(3, device=device).uniform_()]
        return [*drawn, F.dropout(weights, 0.5), F.rrelu(-weights, training=True)]

    for a, b in zip(draws("cpu"), draws("cuda"), strict=True):
        assert (a.device, b.device) == ("cpu", "cuda:0")
        assert a.tolist() == b.tolist()


def test_copies_and_pickles_stay_on_the_device() -> None:
    x = dg.tensor([1.0, 2.0], device="cuda:1", requires_grad=True)
    for other in (copy.copy(x), pickle.loads(pickle.dumps(x))):
        assert (other.device, other.requires_grad, other.tolist()) == ("cuda:1", True, [1, 2])
    with double.using(1):
        assert copy.deepcopy(x).device == "cuda:1"


def test_a_gradient_lies_beside_its_leaf_which_may_be_elsewhere() -> None:
    x = dg.tensor([1.0, 2.0], device="cuda:1", requires_grad=True)
    for times in (1, 2):
        (x.to("cuda:0") * 3).sum().backward()
        assert x.grad is not None
        assert (x.grad.device, x.grad.tolist()) == ("cuda:1", [3.0 * times] * 2)
    assert dg.cuda.current_device() == 0


def test_new_tensors_lie_beside_their_model() -> None:
    x = dg.ones(2, device="cuda")
    for made in (x.new_zeros(3), x.new_tensor([1]), x.new_full((2,), 4), dg.zeros_like(x)):
        assert made.device == "cuda:0"
    assert x.new_ones(2, device="cpu").device == "cpu"
    assert dg.as_tensor(x) is x
    assert dg.tensor(x).device == dg.asarray(x).device == "cuda:0"
    assert dg.asarray(x, device="cpu").device == "cpu"
    with pytest.raises(ValueError, match=r"asarray\(\) cannot share the memory"):
        dg.asarray(np.ones(2), device="cuda", copy=False)


def test_a_module_moves() -> None:
    x = dg.rand(4, 3)
    layer = nn.Sequential(nn.Linear(3, 4), nn.BatchNorm1d(4))
    expected = layer(x)
    expected.sum().backward()
    state = {name: value.clone() for name, value in layer.state_dict().items()}
    assert layer.cuda(0) is layer
    assert {value.device for value in layer.state_dict().values()} == {"cuda:0"}
    assert all(p.grad.device == "cuda:0" for p in layer.parameters())
    layer.double().float()
    assert layer[1].num_batches_tracked.device == "cuda:0"
    np.testing.assert_array_equal(layer(x.cuda()).tolist(), expected.tolist())
    layer.load_state_dict(state)  # from the host
    saved = nn.weights.weights_bytes(layer)
    assert saved == nn.weights.weights_bytes(layer.cpu())
    assert {value.device for value in layer.state_dict().values()} == {"cpu"}
    layer.load_state_dict({name: value.cuda() for name, value in state.items()})


def test_dlpack_names_the_gpu() -> None:
    x = dg.ones(2, device="cuda:1")
    assert x.__dlpack_device__() == (2, 1)
    assert not hasattr(double.xp, "from_dlpack")  # the double has no memory of a GPU to export


@pytest.mark.parametrize(
    "view",
    [
        lambda x: x.expand(2, 4, 6),
        lambda x: x[:, :1].expand(4, 6),
        lambda x: x.unfold(1, 3, 2),
        lambda x: x.unfold(1, 3, 3),
        lambda x: x.unfold(1, 2, 4).unfold(0, 2, 2),
        lambda x: x.T[::-2, 1:],
        lambda x: x[:, :4].diagonal(),
        lambda x: x[:, None, ::5],
        lambda x: x.expand(1, 4, 6),
        lambda x: x[0, 0],
    ],
)
def test_elements_that_share_a_place_are_not_changed(view) -> None:
    x = dg.arange(24.0, device="cuda").reshape(4, 6)
    places = view(dg.arange(24).reshape(4, 6)).tolist()
    several = np.unique(places).size < np.size(places)
    changed = view(x)
    if several:
        for change in (lambda: changed.add_(1), lambda: changed.__setitem__(0, 1)):
            with pytest.raises(RuntimeError, match="several elements are the same place"):
                change()
        assert (x.tolist(), x.version.number) == (dg.arange(24.0).reshape(4, 6).tolist(), 0)
    else:
        changed.add_(1)
        assert x.sum().item() == 276 + np.size(places)


def test_recorded_changes_in_place_take_values_from_elsewhere() -> None:
    number = dg.tensor(2.0, dtype=dg.float64, requires_grad=True)
    x = dg.zeros(3, device="cuda")
    x[1] = number
    (x * 3).sum().backward()
    assert (x.tolist(), number.grad.device, number.grad.item()) == ([0, 2, 0], "cpu", 3)
    row = dg.tensor([[1.0, 2.0, 3.0]], requires_grad=True)
    y = dg.zeros(3, device="cuda")
    y[:] = row
    (y * y).sum().backward()
    (dg.zeros(2, 3, device="cuda").copy_(row) * 2).sum().backward()
    assert (row.grad.device, row.grad.tolist()) == ("cpu", [[6, 8, 10]])
    y.copy_(np.ones(3, np.float32))
    assert y.requires_grad
    assert y.tolist() == [1, 1, 1]
    there = dg.tensor(5.0, device="cuda", requires_grad=True)
    here = dg.zeros(2).fill_(there)
    here.sum().backward()
    assert (here.device, here.tolist()) == ("cpu", [5, 5])
    assert (there.grad.device, there.grad.item()) == ("cuda:0", 2)


def test_a_tensor_of_another_gpu_can_be_moved_and_read() -> None:
    x = dg.arange(3.0, device="cuda:1")
    assert x.cpu().tolist() == x.to("cuda").tolist() == x.tolist() == [0, 1, 2]
    assert x.to("cuda").device == "cuda:0"
    assert x.to("cpu", dg.int32).dtype == np.int32
    assert repr(x) == "tensor([0., 1., 2.], device='cuda:1')"
    assert "..., " in repr(dg.zeros(2000, device="cuda:1"))
    assert double.current() == 0


def test_what_is_drawn_goes_to_the_device_the_one_way(monkeypatch) -> None:
    images = dg.ones(4, 1, 5, 5, device="cuda")
    moved = []

    def to_device(array, index):
        moved.append(np.shape(array))
        return type(double).to_device(double, array, index)

    monkeypatch.setattr(double, "to_device", to_device)
    dg.data.transforms.RandomHorizontalFlip()(images)
    dg.data.transforms.RandomCrop(3)(images)
    F.rrelu(-images, training=True)
    assert moved == [(4,), (4, 3), (4, 3), (4, 1, 5, 5)]
