"""Scenes that are played in distgrad and in PyTorch: functions of a library that return a log."""

import warnings
from collections.abc import Callable
from typing import Any

import pytest

import distgrad as dg

Scene = Callable[[Any], Any]


def listed(values: Any) -> Any:
    """Nested tensors as nested lists; None and others as they are."""
    if isinstance(values, tuple | list):
        return [listed(value) for value in values]
    return values.tolist() if hasattr(values, "tolist") else values


def scale_by(m: Any, factor: float) -> Any:
    """A module that multiplies, and adds what it is told to."""

    class Scale(m.nn.Module):
        def forward(self, x: Any, plus: float = 0) -> Any:
            return x * factor + plus

    return Scale()


class Scenes(list[Any]):
    """Scenes, with the logs that are expected, as parameters of a test."""

    def expect(self, log: Any) -> Callable[[Scene], Scene]:
        """Add the decorated function and its log."""

        def add(scene: Scene) -> Scene:
            self.append(pytest.param(scene, log, id=scene.__name__))
            return scene

        return add


def play(scene: Scene) -> Any:
    """Play a scene in distgrad."""
    return scene(dg)


def play_in_pytorch(scene: Scene) -> Any:
    """Play a scene in PyTorch, whose warnings are its own affair."""
    torch = pytest.importorskip("torch")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return scene(torch)
