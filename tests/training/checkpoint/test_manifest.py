"""The manifest says what a checkpoint has, and finds any damage to itself."""

import hashlib
import json

import pytest

import distgrad as dg
from distgrad.training.checkpoint.errors import Unusable
from distgrad.training.checkpoint.manifest import FORMAT, FileRecord, Manifest

MANIFEST = Manifest(30, {"model.safetensors": FileRecord(10, "ab" * 32)})


def signed(content) -> bytes:
    """A manifest with the checksum that it should have."""
    text = json.dumps(content, sort_keys=True, separators=(",", ":"))
    return json.dumps({**content, "sha256": hashlib.sha256(text.encode()).hexdigest()}).encode()


def test_what_is_written_is_read() -> None:
    assert Manifest.from_json(MANIFEST.to_json()) == MANIFEST


def test_every_flipped_bit_is_found() -> None:
    text = MANIFEST.to_json()
    for position in range(len(text.rstrip())):
        for bit in range(8):
            damaged = bytearray(text)
            damaged[position] ^= 1 << bit
            with pytest.raises(Unusable, match=r"manifest\.json is damaged: "):
                Manifest.from_json(bytes(damaged))


def test_every_shorter_one_is_found() -> None:
    text = MANIFEST.to_json().rstrip()
    for length in range(len(text)):
        with pytest.raises(Unusable, match=r"manifest\.json is damaged: it is not JSON \("):
            Manifest.from_json(text[:length])


@pytest.mark.parametrize("text", [b"[]", b"null", b"7", b"{}", b'{"sha256": 7}', b'"sha256"'])
def test_other_json_is_refused(text: bytes) -> None:
    with pytest.raises(Unusable, match="damaged: its checksum is not that of its content"):
        Manifest.from_json(text)


def test_what_is_no_text_is_refused() -> None:
    for text in (bytes(100), bytes(range(256)), b"[" * 100_000):
        with pytest.raises(Unusable, match="damaged: it is not JSON"):
            Manifest.from_json(text)


def test_a_newer_format_is_named() -> None:
    content = {"format": FORMAT + 1, "distgrad": "9.9", "step": 30, "packs": []}
    with pytest.raises(Unusable) as raised:
        Manifest.from_json(signed(content))
    assert str(raised.value) == (
        f"it has format {FORMAT + 1} and was written by distgrad 9.9; this is distgrad "
        f"{dg.__version__}, which knows format {FORMAT}: use the version that has written it, or "
        "a newer one"
    )


def test_the_format_of_today() -> None:
    record = {"size": 10, "sha256": "ab" * 32}
    files = {"model.safetensors": record}
    content = {"format": 1, "distgrad": "0.0.1", "step": 30, "files": files}
    assert Manifest.from_json(signed(content)) == MANIFEST
