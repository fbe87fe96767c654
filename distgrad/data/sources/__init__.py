"""Where data comes from: a source returns a `Split` of named arrays, always the same bytes."""

from distgrad.data.sources.csv import csv
from distgrad.data.sources.digits import digits
from distgrad.data.sources.idx import idx
from distgrad.data.sources.mackey_glass import mackey_glass
from distgrad.data.sources.npz import npz
from distgrad.data.sources.sine import sine
from distgrad.data.sources.split import Split
from distgrad.data.sources.tables import breast_cancer, diabetes
from distgrad.data.sources.text import TextDataset, TextSplit, text
from distgrad.data.sources.vocabulary import Vocabulary

__all__ = [
    "Split",
    "TextDataset",
    "TextSplit",
    "Vocabulary",
    "breast_cancer",
    "csv",
    "diabetes",
    "digits",
    "idx",
    "mackey_glass",
    "npz",
    "sine",
    "text",
]
