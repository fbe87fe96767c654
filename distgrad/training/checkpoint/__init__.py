"""Checkpoints: what a run needs to go on, in folders that are whole or not there."""

from distgrad.training.checkpoint.background import BackgroundWriter
from distgrad.training.checkpoint.contents import Checkpoint
from distgrad.training.checkpoint.errors import CheckpointError
from distgrad.training.checkpoint.store import CheckpointStore, Found

__all__ = ["BackgroundWriter", "Checkpoint", "CheckpointError", "CheckpointStore", "Found"]
