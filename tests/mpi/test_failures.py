"""What goes wrong on one rank is known to all of them, and none is left waiting."""

import pytest
from helpers.data_parallel import Pieces, classifier, gradients, weights

import distgrad as dg
from distgrad.distributed import DataParallel
from distgrad.errors import RankError, TrainingError

pytestmark = pytest.mark.mpi


@pytest.fixture(params=["tree", "allreduce"])
def model(request, comm):
    return DataParallel(classifier(), comm, request.param)


def pieces(comm, step=0, micro_batches=None):
    return Pieces(range(micro_batches or 2 * comm.size), step=step)


def good(model):
    return lambda _: (model(dg.ones((1, 6))).sum(), 1)


def bits(model):
    return weights(model), {name: g.tobytes() for name, g in gradients(model).items()}


@pytest.mark.parametrize("place", ["first", "middle", "last"])
def test_an_exception_on_one_rank_is_raised_on_all(comm, model, place):
    model.accumulate(good(model), pieces(comm))
    before = bits(model)
    failing = {"first": 0, "middle": comm.size, "last": 2 * comm.size - 1}[place]

    def loss(micro_batch):
        if micro_batch == failing:
            raise KeyError(f"lost {micro_batch}")
        return good(model)(micro_batch)

    with pytest.raises(RankError) as caught:
        model.accumulate(loss, pieces(comm, step=6))
    error = caught.value
    rank = failing // 2
    assert error.rank == rank
    assert str(error) == (
        f"rank {rank} of {comm.size} on {comm.host} failed at step 7, micro-batch {failing}: "
        f"KeyError('lost {failing}')"
    )
    if comm.rank == rank:
        assert isinstance(error.__cause__, KeyError)
    else:
        assert error.__cause__ is None
        (note,) = error.__notes__
        assert note.startswith(f"traceback of rank {rank}:\nTraceback (most recent call last):\n")
        assert "in loss\n" in note
    assert bits(model) == before
    assert model.accumulate(good(model), pieces(comm)).finite
    assert bits(model) == before


def test_several_failing_ranks_keep_their_own_exceptions(comm, model):
    def loss(micro_batch):
        raise KeyError(micro_batch)

    with pytest.raises(RankError, match=r"^rank 0 of .* micro-batch 0: KeyError\(0\)") as caught:
        model.accumulate(loss, pieces(comm))
    assert caught.value.__cause__.args == (2 * comm.rank,)
    assert model.accumulate(good(model), pieces(comm)).finite


def test_an_exception_in_evaluate_is_raised_on_all(comm, model):
    last = 2 * comm.size - 1

    def measure(batch):
        if batch.item() == last:
            raise KeyError("lost")
        return {"value": (batch.sum(), 1)}

    with pytest.raises(
        RankError, match=f"failed in evaluate, micro-batch {last}: KeyError"
    ) as caught:
        model.evaluate(measure, range(last + 1), 1)
    assert caught.value.rank == comm.size - 1
    assert model.evaluate(lambda _: {"one": (1, 1)}, range(5), 2) == {"one": 1.0}


# What the last rank does while the others take step 5, of 3 micro-batches, and how that is called.
OUT_OF_STEP = {
    "another step": (
        lambda model, window: model.accumulate(good(model), Pieces(range(3), step=5)),
        "accumulate of step 6, seed 0, 3 micro-batches",
    ),
    "another seed": (
        lambda model, window: model.accumulate(
            good(model), Pieces(range(3), step=4, seed=2**64 - 1)
        ),
        "accumulate of step 5, seed 18446744073709551615, 3 micro-batches",
    ),
    "a longer window": (
        lambda model, window: model.accumulate(good(model), Pieces(range(50), step=4)),
        "accumulate of step 5, seed 0, 50 micro-batches",
    ),
    "an empty window": (
        lambda model, window: model.accumulate(good(model), Pieces([], step=4)),
        "accumulate of step 5, seed 0, 0 micro-batches",
    ),
    "evaluate": (
        lambda model, window: model.evaluate(lambda _: {}, range(10), 4),
        "evaluate of 10 samples, 3 micro-batches",
    ),
    "reduce": (lambda model, window: model.reduce(), "reduce"),
    "backward": (lambda model, window: model(dg.ones((1, 6))).sum().backward(), "loss.backward()"),
}


@pytest.mark.parametrize("what", OUT_OF_STEP)
def test_ranks_out_of_step_are_told_who_does_what(comm, model, what):
    act, called = OUT_OF_STEP[what]
    window = pieces(comm, step=4, micro_batches=3)
    model.accumulate(good(model), window)
    if comm.size == 1:
        act(model, window)
        return
    before = bits(model)
    last = comm.size - 1
    with pytest.raises(TrainingError) as caught:
        act(model, window) if comm.rank == last else model.accumulate(good(model), window)
    others = ", ".join(str(rank) for rank in range(last))
    assert str(caught.value) == (
        f"the ranks are out of step (rank {others}: accumulate of step 5, seed 0, 3 micro-batches; "
        f"rank {last}: {called}); every rank must make the same calls in the same order, with the "
        "same windows"
    )
    if what != "backward" or comm.rank != last:
        assert bits(model) == before
    model.module.zero_grad()
    assert model.accumulate(good(model), window).finite
    assert bits(model) == before
