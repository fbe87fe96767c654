"""One Parameter in two modules."""

import numpy as np
import pytest

import distgrad as dg
import distgrad.nn.functional as F
from distgrad import nn
from distgrad.distributed import DataParallel, SingleProcess
from distgrad.training.weights import load_weights, weights_bytes, weights_sha256


class Tied(nn.Module):
    """Tokens in, scores out, by one table."""

    def __init__(self, tied=True):
        super().__init__()
        dg.manual_seed(3)
        self.tokens = nn.Embedding(5, 4, dtype=np.float64)
        self.middle = nn.Linear(4, 4, dtype=np.float64)
        self.head = nn.Linear(4, 5, bias=False, dtype=np.float64)
        if tied:
            self.head.weight = self.tokens.weight
        else:
            self.head.load_state_dict({"weight": self.tokens.weight})

    def forward(self, tokens):
        return self.head(self.middle(self.tokens(tokens)).tanh())


TOKENS, NEXT = dg.tensor([[0, 3], [3, 1]]), dg.tensor([[3, 4], [1, 2]])


def loss_of(model):
    return F.cross_entropy(model(TOKENS).reshape(4, 5), NEXT.reshape(4), reduction="sum")


def data():
    return dg.data.TensorDataset(x=TOKENS.numpy().repeat(3, 0), y=NEXT.numpy().repeat(3, 0))


def loss_function(model):
    def loss(batch):
        scores = model(batch.x)
        targets = batch.y.reshape(-1)
        return F.cross_entropy(scores.reshape(-1, 5), targets, reduction="sum"), len(targets)

    return loss


def test_it_is_listed_once_and_stands_under_both_names_in_the_state():
    model = Tied()
    names = [name for name, _ in model.named_parameters()]
    assert names == ["tokens.weight", "middle.weight", "middle.bias"]
    assert len(list(model.parameters())) == 3
    state = model.state_dict()
    assert list(state) == [*names, "head.weight"]
    assert np.shares_memory(state["head.weight"].data, state["tokens.weight"].data)


def test_its_gradient_is_the_sum_of_both_uses():
    tied, apart = Tied(), Tied(tied=False)
    loss_of(tied).backward()
    loss_of(apart).backward()
    expected = apart.tokens.weight.grad.data + apart.head.weight.grad.data
    np.testing.assert_allclose(tied.tokens.weight.grad.data, expected, rtol=1e-13)
    assert tied.head.weight.grad is tied.tokens.weight.grad


def test_one_optimizer_step_moves_it_once():
    model = Tied()
    before = model.tokens.weight.data.copy()
    loss_of(model).backward()
    dg.optim.SGD(model.parameters(), lr=0.1).step()
    expected = before - 0.1 * model.tokens.weight.grad.data
    np.testing.assert_allclose(model.head.weight.data, expected, rtol=1e-13)


def test_loading_keeps_it_tied(tmp_path):
    source, target = Tied(), Tied()
    source.tokens.weight.data[...] = 7
    assert target.load_state_dict(source.state_dict()) == ([], [])
    assert target.head.weight is target.tokens.weight
    assert (target.head.weight.data == 7).all()
    path = tmp_path / "weights.safetensors"
    path.write_bytes(weights_bytes(source))
    loaded = Tied()
    load_weights(loaded, path)
    assert weights_sha256(loaded) == weights_sha256(source)


def test_the_hash_is_that_of_the_values():
    model, same, other = Tied(), Tied(), Tied()
    assert weights_sha256(model) == weights_sha256(same)
    other.head.weight.data[0, 0] += 1
    assert weights_sha256(other) != weights_sha256(model)


@pytest.mark.parametrize("reduction", ["tree", "allreduce"])
def test_data_parallel_sums_both_uses_and_keeps_it_tied(reduction):
    reference = Tied()
    model = DataParallel(Tied(), SingleProcess(), reduction)
    optimizer = dg.optim.SGD(model.parameters(), lr=0.1)
    other = dg.optim.SGD(reference.parameters(), lr=0.1)
    for window in dg.data.GlobalBatches(data(), 4, 2, shuffle=False):
        model.accumulate(loss_function(model), window)
        reference.zero_grad()
        total, count = loss_function(reference)(window.dataset.take(window.indices))
        (total / count).backward()
        np.testing.assert_allclose(
            model.module.head.weight.grad.data, reference.head.weight.grad.data, rtol=1e-12
        )
        optimizer.step()
        other.step()
    assert model.module.head.weight is model.module.tokens.weight
    np.testing.assert_allclose(
        model.module.head.weight.data, reference.tokens.weight.data, rtol=1e-12
    )


def test_it_is_as_in_pytorch():
    torch = pytest.importorskip("torch")

    class Theirs(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.tokens = torch.nn.Embedding(5, 4)
            self.middle = torch.nn.Linear(4, 4)
            self.head = torch.nn.Linear(4, 5, bias=False)
            self.head.weight = self.tokens.weight

    own, theirs = Tied(), Theirs().double()
    assert list(own.state_dict()) == list(theirs.state_dict())
    theirs.load_state_dict({k: torch.tensor(v.numpy()) for k, v in own.state_dict().items()})
    tokens, following = torch.tensor(TOKENS.numpy()), torch.tensor(NEXT.numpy())
    scores = theirs.head(theirs.middle(theirs.tokens(tokens)).tanh())
    torch.nn.functional.cross_entropy(
        scores.reshape(4, 5), following.reshape(4), reduction="sum"
    ).backward()
    loss_of(own).backward()
    for name, parameter in own.named_parameters():
        np.testing.assert_allclose(
            parameter.grad.data, theirs.get_parameter(name).grad.numpy(), rtol=1e-11, atol=1e-13
        )
