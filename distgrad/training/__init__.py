"""Training from a configuration: what `distgrad train` does, for use as a library too."""

from distgrad.training.config import Config
from distgrad.training.loading import load_config, parse_config
from distgrad.training.trainer import StepReport, Trainer

__all__ = ["Config", "StepReport", "Trainer", "load_config", "parse_config"]
