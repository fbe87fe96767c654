"""Datasets, samplers, the loader, and the global batches of data-parallel training."""

from distgrad.data import transforms
from distgrad.data.carrying import on_device
from distgrad.data.collate import default_collate, default_convert
from distgrad.data.compact import CompactDataset
from distgrad.data.dataset import BatchDataset, Dataset, Subset, TensorDataset, random_split
from distgrad.data.fingerprint import data_sha256
from distgrad.data.loader import DataLoader
from distgrad.data.sampler import (
    BatchSampler,
    DistributedSampler,
    RandomSampler,
    SequentialSampler,
)
from distgrad.data.sources import (
    Split,
    TextDataset,
    TextSplit,
    Vocabulary,
    breast_cancer,
    csv,
    diabetes,
    digits,
    idx,
    mackey_glass,
    npz,
    sine,
    text,
)
from distgrad.data.streaming import IterableDataset, StreamingBatches
from distgrad.data.windows import GlobalBatches, Window

__all__ = [
    "BatchDataset",
    "BatchSampler",
    "CompactDataset",
    "DataLoader",
    "Dataset",
    "DistributedSampler",
    "GlobalBatches",
    "IterableDataset",
    "RandomSampler",
    "SequentialSampler",
    "Split",
    "StreamingBatches",
    "Subset",
    "TensorDataset",
    "TextDataset",
    "TextSplit",
    "Vocabulary",
    "Window",
    "breast_cancer",
    "csv",
    "data_sha256",
    "default_collate",
    "default_convert",
    "diabetes",
    "digits",
    "idx",
    "mackey_glass",
    "npz",
    "on_device",
    "random_split",
    "sine",
    "text",
    "transforms",
]
