"""The built-in models: a file each."""

from distgrad.training.models.cnn import cnn
from distgrad.training.models.gpt import GPT
from distgrad.training.models.mlp import mlp
from distgrad.training.models.recurrent import Recurrent
from distgrad.training.models.resnet import ResNet

__all__ = ["GPT", "Recurrent", "ResNet", "cnn", "mlp"]
