"""Hooks, checkpoints, changes in place and functions of the user, inside `accumulate`."""

import numpy as np
import pytest
from helpers.data_parallel import Pieces, gradients, weights

import distgrad as dg
import distgrad.nn.functional as F
from distgrad import nn
from distgrad.autograd import Function, checkpoint
from distgrad.distributed import DataParallel, SingleProcess


class Square(Function):
    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return x * x

    @staticmethod
    def backward(ctx, gradient):
        (x,) = ctx.saved_tensors
        return 2 * gradient * x


class Blocks(nn.Module):
    """Dropout, batch normalisation, changes in place; each block may be checkpointed."""

    def __init__(self, run):
        super().__init__()
        dg.manual_seed(8)
        self.run = run
        self.first = nn.Linear(4, 6)
        self.norm = nn.BatchNorm1d(6)
        self.last = nn.Linear(6, 1)

    def block(self, x):
        hidden = self.norm(self.first(x))
        hidden[:, 0].mul_(0.5)
        return F.dropout(Square.apply(hidden), 0.3, self.training)

    def forward(self, x):
        return self.last(self.run(self.block, x))


def windows():
    rng = np.random.default_rng(2)
    for step in range(4):
        batches = [dg.tensor(rng.standard_normal((n, 4)), dtype=dg.float32) for n in (5, 5, 3)]
        yield Pieces(batches, step, seed=6)


def trained(run):
    model = DataParallel(Blocks(run), SingleProcess())
    optimizer = dg.optim.SGD(model.parameters(), lr=0.05, momentum=0.9)
    for window in windows():
        model.accumulate(lambda x: ((model(x) ** 2).sum(), len(x)), window)
        optimizer.step()
    return weights(model.module), {n: b.tolist() for n, b in model.module.named_buffers()}


def test_checkpointed_blocks_train_to_the_same_bits():
    plain, statistics = trained(lambda function, x: function(x))
    again, followed = trained(checkpoint)
    assert plain == again
    assert statistics == followed
    assert statistics["norm.num_batches_tracked"] == 12


@pytest.mark.parametrize("reduction", ["tree", "allreduce"])
def test_hooks_of_parameters(reduction):
    module = nn.Linear(4, 1)
    model = DataParallel(module, SingleProcess(), reduction)
    window = next(windows())

    def step():
        model.accumulate(lambda x: (model(x).sum(), len(x)), window)
        return gradients(module)

    expected = step()
    per_micro_batch, of_the_step = [], []
    module.weight.register_hook(lambda g: per_micro_batch.append(g.tolist()))
    module.weight.register_hook(lambda g: g * 2)
    module.weight.register_post_accumulate_grad_hook(lambda p: of_the_step.append(p.grad.tolist()))
    found = step()
    assert len(per_micro_batch) == 3
    assert of_the_step == [found["weight"].tolist()]
    np.testing.assert_array_equal(found["weight"], 2 * expected["weight"])
    np.testing.assert_array_equal(found["bias"], expected["bias"])
