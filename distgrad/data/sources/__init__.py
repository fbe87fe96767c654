"""Where data comes from: a source returns a `Split` of named arrays, always the same bytes."""

from distgrad.data.sources.digits import digits
from distgrad.data.sources.sine import sine
from distgrad.data.sources.split import Split

__all__ = ["Split", "digits", "sine"]
