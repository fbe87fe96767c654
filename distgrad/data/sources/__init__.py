"""Where data comes from: a source returns a `Split` of named arrays, always the same bytes."""

from distgrad.data.sources.csv import csv
from distgrad.data.sources.digits import digits
from distgrad.data.sources.idx import idx
from distgrad.data.sources.npz import npz
from distgrad.data.sources.sine import sine
from distgrad.data.sources.split import Split
from distgrad.data.sources.text import TextDataset, TextSplit, text
from distgrad.data.sources.vocabulary import Vocabulary

__all__ = [
    "Split",
    "TextDataset",
    "TextSplit",
    "Vocabulary",
    "csv",
    "digits",
    "idx",
    "npz",
    "sine",
    "text",
]
