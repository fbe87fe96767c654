"""Waits for NCCL, with a double of a stream that is never done."""

import sys
from collections.abc import Callable
from types import ModuleType, SimpleNamespace
from typing import Any

import numpy as np
import pytest

from distgrad.backend.nccl import NcclRanks
from distgrad.errors import TrainingError


class NcclError(RuntimeError):
    """NCCL's."""


class Library:
    """What is asked of CuPy; the stream is done after so many questions."""

    def __init__(self) -> None:
        self.questions_until_done = 10**9
        self.checks_until_lost = 10**9
        self.calls: list[str] = []
        stream = SimpleNamespace(
            ptr=7, record=lambda: self, synchronize=lambda: self.calls.append("synchronize")
        )
        self.xp: Any = ModuleType("library_with_nccl")
        self.xp.cuda = SimpleNamespace(get_current_stream=lambda: stream)
        self.nccl: Any = ModuleType("library_with_nccl.cuda.nccl")
        self.nccl.NcclError = NcclError
        self.nccl.NcclCommunicator = lambda size, identity, rank: self

    @property
    def done(self) -> bool:
        self.questions_until_done -= 1
        return self.questions_until_done < 0

    def check_async_error(self) -> None:
        self.checks_until_lost -= 1
        if self.checks_until_lost < 0:
            raise NcclError("NCCL_ERROR_REMOTE_ERROR: remote process exited")

    def abort(self) -> None:
        self.calls.append("abort")


@pytest.fixture
def library(monkeypatch: pytest.MonkeyPatch) -> Library:
    made = Library()
    monkeypatch.setitem(sys.modules, "library_with_nccl.cuda.nccl", made.nccl)
    monkeypatch.setitem(sys.modules, "library_with_nccl.cuda", ModuleType("cuda"))
    monkeypatch.setitem(sys.modules, "library_with_nccl", made.xp)
    return made


def ranks_of(library: Library) -> NcclRanks:
    return NcclRanks(library.xp, 2, 0, b"identity")


def after(number: int) -> Callable[[], bool]:
    answers = iter([False] * number)
    return lambda: next(answers, True)


@pytest.mark.parametrize("questions", [0, 1, 1500])
def test_a_wait_ends_when_the_gpu_is_done(library: Library, questions: int) -> None:
    library.questions_until_done = questions
    ranks = ranks_of(library)
    ranks.settle()
    ranks.wait(after(2000))
    assert library.calls == ["synchronize"]


def test_a_wait_that_is_over_ends_what_is_on_its_way(library: Library) -> None:
    ranks = ranks_of(library)
    with pytest.raises(
        TrainingError, match="has waited for other ranks for too long, and was ended"
    ):
        ranks.wait(after(5))
    assert library.calls == ["abort"]
    with pytest.raises(TrainingError, match="was ended on this rank, and carries nothing any more"):
        ranks.broadcast(np.ones(3), 0)


@pytest.mark.parametrize("done_after", [10**9, 0])
def test_a_lost_rank_ends_the_wait_with_the_words_of_nccl(
    library: Library, done_after: int
) -> None:
    library.questions_until_done = done_after
    library.checks_until_lost = 3 if done_after else 0
    with pytest.raises(TrainingError, match="NCCL lost the other ranks: NCCL_ERROR_REMOTE_ERROR"):
        ranks_of(library).wait(lambda: False)
    assert library.calls == ["abort"]


@pytest.mark.parametrize("failing", ["bcast", "allReduce", "send", "recv", "groupEnd"])
def test_what_nccl_refuses_ends_the_training_in_its_words(library: Library, failing: str) -> None:
    def call(name: str) -> None:
        library.calls.append(name)
        if name == failing:
            raise NcclError(f"NCCL_ERROR_SYSTEM_ERROR in {name}")

    for name in ("bcast", "allReduce", "send", "recv"):
        setattr(library, name, lambda *_, name=name: call(name))
    for name in ("groupStart", "groupEnd"):
        setattr(library.nccl, name, lambda name=name: call(name))
    library.nccl.NCCL_SUM = library.nccl.NCCL_UINT8 = library.nccl.NCCL_FLOAT32 = 0
    array = SimpleNamespace(
        data=SimpleNamespace(ptr=0), nbytes=4, size=1, dtype=np.dtype(np.float32)
    )
    ranks = ranks_of(library)
    begin: dict[str, Callable[[], None]] = {
        "bcast": lambda: ranks.broadcast(array, 0),
        "allReduce": lambda: ranks.all_reduce(array),
    }
    run = begin.get(failing, lambda: ranks.exchange({1: [array]}, {1: [array]}))
    with pytest.raises(TrainingError, match=f"NCCL_ERROR_SYSTEM_ERROR in {failing}") as caught:
        run()
    assert caught.value.exit_status == 3
    assert library.calls[-1] == "abort"
    assert library.calls.count("groupStart") == library.calls.count("groupEnd")
