"""The built-in models: a file each."""

from distgrad.training.models.cnn import cnn
from distgrad.training.models.gpt import GPT
from distgrad.training.models.mlp import mlp

__all__ = ["GPT", "cnn", "mlp"]
