"""What distgrad asks of CuPy's streams, by a double that notes the calls."""

from types import SimpleNamespace

import numpy as np

from distgrad.backend.cupy_copies import StreamCopies


class Calls:
    def __init__(self):
        self.made = []

    def stream(self, name):
        def record():
            event = f"event {len(self.made)} of {name}"
            self.made.append((name, "record", event))
            return event

        return SimpleNamespace(
            record=record,
            wait_event=lambda event: self.made.append((name, "wait", event)),
            synchronize=lambda: self.made.append((name, "synchronize")),
        )


class Device:
    def __init__(self, index):
        self.index = index

    def __enter__(self):
        return self

    def __exit__(self, *_):
        pass


def copies():
    calls = Calls()
    current = calls.stream("current")

    def make_stream(non_blocking):
        assert non_blocking  # else it would wait for the default stream, and that for it
        return calls.stream("copies")

    cuda = SimpleNamespace(
        Device=Device,
        Stream=make_stream,
        get_current_stream=lambda: current,
        alloc_pinned_memory=bytearray,
    )
    return StreamCopies(SimpleNamespace(cuda=cuda), 0), calls.made


def test_copies_wait_for_what_was_computed_and_what_follows_waits_for_them():
    stream, made = copies()
    stream.begin()
    stream.follow()
    stream.synchronize()
    assert made == [
        ("current", "record", "event 0 of current"),
        ("copies", "wait", "event 0 of current"),
        ("copies", "record", "event 2 of copies"),
        ("current", "wait", "event 2 of copies"),
        ("copies", "synchronize"),
    ]


def test_copies_are_made_on_the_stream_and_end_with_an_event():
    stream, made = copies()
    seen = {}
    array = SimpleNamespace(
        get=lambda **how: seen.update({"get": how}),
        set=lambda given, **how: seen.update({"set": (given, how)}),
    )
    place = np.zeros(3)
    assert stream.to_host(array, place) == "event 0 of copies"
    assert stream.to_device(place, array) == "event 1 of copies"
    assert seen["get"]["out"] is place
    assert seen["get"]["blocking"] is False
    assert seen["set"][0] is place
    assert seen["get"]["stream"] is seen["set"][1]["stream"]
    assert [what for _, what, _ in made] == ["record", "record"]


def test_buffers_are_pinned_memory():
    stream, _ = copies()
    buffer = stream.buffer(10)
    assert (buffer.dtype, buffer.shape) == (np.uint8, (10,))
    assert isinstance(buffer.base, bytearray)
    buffer[:] = 1
