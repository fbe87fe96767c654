"""Datasets, samplers, the loader, and the global batches of data-parallel training."""

from distgrad.data.collate import default_collate, default_convert
from distgrad.data.dataset import BatchDataset, Dataset, Subset, TensorDataset, random_split
from distgrad.data.fingerprint import data_sha256
from distgrad.data.loader import DataLoader
from distgrad.data.sampler import (
    BatchSampler,
    DistributedSampler,
    RandomSampler,
    SequentialSampler,
)
from distgrad.data.sources import Split, digits, sine
from distgrad.data.windows import GlobalBatches, Window

__all__ = [
    "BatchDataset",
    "BatchSampler",
    "DataLoader",
    "Dataset",
    "DistributedSampler",
    "GlobalBatches",
    "RandomSampler",
    "SequentialSampler",
    "Split",
    "Subset",
    "TensorDataset",
    "Window",
    "data_sha256",
    "default_collate",
    "default_convert",
    "digits",
    "random_split",
    "sine",
]
