"""Stream capture, with a double of CuPy's part in it: what is called, in which order."""

from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from distgrad.backend.cupy_graphs import StreamGraphs
from distgrad.backend.cupy_provider import CuPy
from distgrad.backend.graphs import is_capturing
from distgrad.backend.kernels.cuda import draws


class CUDARuntimeError(RuntimeError):
    """CuPy's."""


class Place(np.ndarray):
    """The array of words on the device."""

    def set(self, values: Any) -> None:
        self[...] = values


class Library:
    """CuPy's names, which say what was called."""

    def __init__(self) -> None:
        self.calls: list[str] = []
        self.ends_well = True
        self.capturing = False
        self.words = np.zeros(2, np.uint64).view(Place)
        self.cuda = SimpleNamespace(
            Device=lambda index: self._device(),
            Stream=lambda non_blocking: self._stream(),
            MemoryPool=lambda: SimpleNamespace(malloc="private"),
            using_allocator=self._using,
            get_current_stream=lambda: SimpleNamespace(is_capturing=lambda: self.capturing),
            runtime=SimpleNamespace(CUDARuntimeError=CUDARuntimeError),
        )

    def zeros(self, count: int, dtype: str) -> Any:
        return self.words

    def _device(self) -> Any:
        entered = nullcontext()
        entered.synchronize = lambda: self.calls.append("synchronize")  # type: ignore
        return entered

    @contextmanager
    def _using(self, allocator: str) -> Iterator[None]:
        self.calls.append(f"{allocator} memory")
        yield

    def _stream(self) -> Any:
        stream: Any = nullcontext()
        stream.begin_capture, stream.end_capture = self._begin, self._end
        return stream

    def _begin(self) -> None:
        self.calls.append("begin")
        self.capturing = True

    def _end(self) -> Any:
        self.calls.append("end")
        self.capturing = False
        if not self.ends_well:
            raise CUDARuntimeError("cudaErrorStreamCaptureInvalidated")
        launch = lambda stream: self.calls.append(f"launch {self.words.tolist()}")  # noqa: E731
        return SimpleNamespace(launch=launch)


def test_work_is_recorded_once_in_memory_of_its_own_and_launched_at_each_replay() -> None:
    library = Library()
    graphs = StreamGraphs(library, 0)
    seen = []

    def work() -> str:
        seen.append((is_capturing(library), draws._place.get() is library.words))
        return "result"

    result, replay = graphs.record(work)
    replay(3, 1)
    replay(4, 0)
    assert (result, seen) == ("result", [(True, True)])
    assert library.calls[:4] == ["synchronize", "private memory", "begin", "end"]
    assert library.calls[4:] == ["launch [1, 3]", "launch [0, 4]"]  # micro-batch, then step
    assert draws._place.get() is None


def test_the_words_of_draws_are_written_when_they_are_others() -> None:
    library = Library()
    written = []
    library.words.set = lambda values: written.append(values.tolist())  # type: ignore
    _, replay = StreamGraphs(library, 0).record(lambda: None)
    for step, micro_batch in ((0, 0), (0, 0), (1, 0), (1, 0), (1, 2), (0, 0)):
        replay(step, micro_batch)
    assert written == [[0, 1], [2, 1], [0, 0]]
    assert library.calls.count("launch [0, 0]") == 6


@pytest.mark.parametrize("ends_well", [True, False])
def test_work_that_fails_ends_the_recording_and_says_why(ends_well: bool) -> None:
    library = Library()
    library.ends_well = ends_well
    graphs = StreamGraphs(library, 0)

    def work() -> None:
        raise KeyError("mine")

    with pytest.raises(KeyError, match="mine"):
        graphs.record(work)
    assert library.calls[-1] == "end"
    assert not library.capturing
    library.ends_well = True
    assert graphs.record(lambda: 5)[0] == 5


def test_a_copy_from_the_cpu_is_refused_while_a_graph_is_recorded() -> None:
    library = Library()
    library.capturing = True
    provider = CuPy.__new__(CuPy)
    provider.xp = library
    with pytest.raises(RuntimeError, match="a copy from the CPU cannot be recorded in a graph"):
        provider.to_device(np.zeros(1), 0)
