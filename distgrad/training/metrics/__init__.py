"""What a run measures on its test samples, besides the loss: exact over ranks, each sample once."""

from distgrad.training.metrics.classification import Accuracy, Perplexity, TopK
from distgrad.training.metrics.confusion import F1, ConfusionMatrix, Precision, Recall
from distgrad.training.metrics.metric import Mean, Metric, Mode, Sums, Value, number_of
from distgrad.training.metrics.regression import (
    R2,
    MeanAbsoluteError,
    MeanSquaredError,
    RootMeanSquaredError,
)

__all__ = [
    "F1",
    "R2",
    "Accuracy",
    "ConfusionMatrix",
    "Mean",
    "MeanAbsoluteError",
    "MeanSquaredError",
    "Metric",
    "Mode",
    "Perplexity",
    "Precision",
    "Recall",
    "RootMeanSquaredError",
    "Sums",
    "TopK",
    "Value",
    "number_of",
]
