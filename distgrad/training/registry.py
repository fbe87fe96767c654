"""The components that a configuration can name, and how a name is found."""

from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

from distgrad import data, optim
from distgrad.data import transforms
from distgrad.optim import lr_scheduler
from distgrad.training import metrics
from distgrad.training.composed_schedules import by_lambda, chained, multiplicative, sequential
from distgrad.training.import_path import imported
from distgrad.training.models import GPT, Recurrent, ResNet, cnn, mlp
from distgrad.training.objective import OBJECTIVES
from distgrad.training.problems import known_names
from distgrad.training.schedules import one_cycle, reduce_on_plateau, warmup_cosine

__all__ = ["BUILT_IN", "Component", "find"]

Component: TypeAlias = Callable[..., Any]

BUILT_IN: Mapping[str, Mapping[str, Component]] = {
    "model": {"mlp": mlp, "cnn": cnn, "resnet": ResNet, "gpt": GPT, "recurrent": Recurrent},
    "source": {
        "breast_cancer": data.breast_cancer,
        "csv": data.csv,
        "diabetes": data.diabetes,
        "digits": data.digits,
        "idx": data.idx,
        "mackey_glass": data.mackey_glass,
        "npz": data.npz,
        "sine": data.sine,
        "text": data.text,
    },
    "transform": {
        "random_crop": transforms.RandomCrop,
        "random_horizontal_flip": transforms.RandomHorizontalFlip,
    },
    "optimizer": {
        "sgd": optim.SGD,
        "adadelta": optim.Adadelta,
        "adagrad": optim.Adagrad,
        "adam": optim.Adam,
        "adamax": optim.Adamax,
        "adamw": optim.AdamW,
        "lamb": optim.LAMB,
        "lars": optim.LARS,
        "lion": optim.Lion,
        "nadam": optim.NAdam,
        "radam": optim.RAdam,
        "rmsprop": optim.RMSprop,
    },
    "scheduler": {
        "chained": chained,
        "constant": lr_scheduler.ConstantLR,
        "cosine": lr_scheduler.CosineAnnealingLR,
        "cosine_warm_restarts": lr_scheduler.CosineAnnealingWarmRestarts,
        "cyclic": lr_scheduler.CyclicLR,
        "exponential": lr_scheduler.ExponentialLR,
        "lambda": by_lambda,
        "linear": lr_scheduler.LinearLR,
        "multiplicative": multiplicative,
        "multistep": lr_scheduler.MultiStepLR,
        "one_cycle": one_cycle,
        "polynomial": lr_scheduler.PolynomialLR,
        "reduce_on_plateau": reduce_on_plateau,
        "sequential": sequential,
        "step": lr_scheduler.StepLR,
        "warmup_cosine": warmup_cosine,
    },
    "loss": OBJECTIVES,
    "metric": {
        "accuracy": metrics.Accuracy,
        "confusion_matrix": metrics.ConfusionMatrix,
        "f1": metrics.F1,
        "mae": metrics.MeanAbsoluteError,
        "mse": metrics.MeanSquaredError,
        "perplexity": metrics.Perplexity,
        "precision": metrics.Precision,
        "r2": metrics.R2,
        "recall": metrics.Recall,
        "rmse": metrics.RootMeanSquaredError,
        "top_k": metrics.TopK,
    },
    "callback": {},
}
"""By role and name. A component takes plain arguments and never sees the configuration."""


def find(role: str, name: str) -> Component:
    """Return the callable of that name: a built-in one, or "package.module:callable".

    Raises:
        ValueError: If there is none; the message names the nearest.

    Example:
        >>> find("optimizer", "adam") is find("optimizer", "distgrad.optim:Adam")
        True
    """
    built_in = BUILT_IN[role]
    if name in built_in:
        return built_in[name]
    if ":" not in name:
        raise ValueError(
            f"no such {role}; {known_names(name, built_in)}, or one of your own as "
            '"package.module:callable"'
        )
    return imported(name)
