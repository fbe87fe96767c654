"""The manifest of a checkpoint: which files it has, and how they can be told to be whole."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from distgrad._version import __version__
from distgrad.training.checkpoint.errors import Unusable

__all__ = ["FORMAT", "FileRecord", "Manifest"]

FORMAT = 1
"""The version of the format that is written; every version has its checksum in the same way."""


@dataclass(frozen=True)
class FileRecord:
    """What a file must be.

    Attributes:
        size: In bytes.
        sha256: Of the content, in hexadecimal.
    """

    size: int
    sha256: str


@dataclass(frozen=True)
class Manifest:
    """The files of a checkpoint.

    Attributes:
        step: The step that the checkpoint is of.
        files: By name.
    """

    step: int
    files: Mapping[str, FileRecord]

    def to_json(self) -> bytes:
        """Return the manifest as it is written, with a checksum of its own."""
        content: dict[str, Any] = {
            "format": FORMAT,
            "distgrad": __version__,
            "step": self.step,
            "files": {name: asdict(record) for name, record in self.files.items()},
        }
        content["sha256"] = _checksum(content)
        return (json.dumps(content, indent=2) + "\n").encode()

    @classmethod
    def from_json(cls, text: bytes) -> "Manifest":
        """Read a manifest.

        Raises:
            Unusable: If it is damaged, or of a format that is not known here.
        """
        try:
            content = json.loads(text)
        except (ValueError, RecursionError) as error:
            raise Unusable(f"manifest.json is damaged: it is not JSON ({error})") from error
        expected = content.pop("sha256", None) if isinstance(content, dict) else None
        if expected != _checksum(content):
            raise Unusable("manifest.json is damaged: its checksum is not that of its content")
        if content["format"] != FORMAT:
            raise Unusable(
                f"it has format {content['format']} and was written by distgrad "
                f"{content['distgrad']}; this is distgrad {__version__}, which knows format "
                f"{FORMAT}: use the version that has written it, or a newer one"
            )
        files = {name: FileRecord(**record) for name, record in content["files"].items()}
        return cls(content["step"], files)


def _checksum(content: Any) -> str:
    text = json.dumps(content, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()
