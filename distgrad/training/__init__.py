"""Training from a configuration: what ``distgrad train`` does, for use as a library too."""

from distgrad.training.callbacks import Callback
from distgrad.training.config import Config
from distgrad.training.facts import FromRun
from distgrad.training.loading import load_config, parse_config
from distgrad.training.metrics import Metric
from distgrad.training.objective import Objective
from distgrad.training.run import train
from distgrad.training.step_report import StepReport
from distgrad.training.trainer import Trainer

__all__ = [
    "Callback",
    "Config",
    "FromRun",
    "Metric",
    "Objective",
    "StepReport",
    "Trainer",
    "load_config",
    "parse_config",
    "train",
]
