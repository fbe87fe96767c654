"""The update of an optimizer as a graph of a GPU: recorded once, replayed with new numbers."""

import logging
from collections.abc import Callable, Hashable, Sequence
from typing import NamedTuple

import numpy as np

from distgrad.backend import Array, array_namespace, device_name
from distgrad.backend.deferred import Deferred, deferring
from distgrad.backend.devices import overwrite
from distgrad.backend.graphs import Graphs, Replay, graphs_of

__all__ = ["CapturedUpdates"]

_EAGER_FIRST = 2
"""Updates of a form before it is recorded: kernels are compiled meanwhile, and state made."""

_log = logging.getLogger(__name__)


class _Recorded(NamedTuple):
    numbers: Array
    replay: Replay


class CapturedUpdates:
    """Makes updates, from the third of the same form on by replaying a graph.

    The form is which kernels work on which memory. The numbers, such as the learning rate and what
    depends on how many steps there were, are written to the GPU before each replay. What an update
    does besides launches that can be told is done as ever.
    """

    def __init__(self) -> None:
        self._form: Hashable = None
        self._met = 0
        self._graphs: Graphs | None = None
        self._recorded: _Recorded | None = None
        self._is_recordable = True

    def run(self, update: Callable[[], None]) -> None:
        """Make an update."""
        with deferring() as launches:
            try:
                update()
            except BaseException:  # what was done before stays done, as without graphs
                _make(launches)
                raise
        if not launches or not self._is_recordable:
            _make(launches)
            return
        form = tuple([launch.form for launch in launches])
        if form != self._form:
            self._form, self._met, self._recorded = form, 0, None
        self._met += 1
        if self._recorded is None and self._met > _EAGER_FIRST:
            self._recorded = self._record(launches)
        if self._recorded is None:
            _make(launches)
            return
        numbers, replay = self._recorded
        overwrite(numbers, np.array([n for launch in launches for n in launch.numbers]))
        replay(0, 0)  # nothing is drawn

    def _record(self, launches: Sequence[Deferred]) -> _Recorded | None:
        somewhere = launches[0].given[0]
        numbers = array_namespace(somewhere).empty(sum(len(x.numbers) for x in launches), "float64")

        def work() -> None:
            start = 0
            for launch in launches:
                stop = start + len(launch.numbers)
                launch.make(numbers[start:stop])
                start = stop

        try:
            self._graphs = self._graphs or graphs_of(device_name(somewhere))
            _, replay = self._graphs.record(work)
        except Exception as error:
            self._is_recordable = False
            _log.warning(
                "capture: the optimizer's update cannot be recorded and runs as without capture "
                "(%s: %s)",
                type(error).__name__,
                error,
            )
            return None
        return _Recorded(numbers, replay)


def _make(launches: Sequence[Deferred]) -> None:
    for launch in launches:
        launch.make(None)
