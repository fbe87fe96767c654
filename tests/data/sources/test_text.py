import pickle
import sys

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from distgrad.data import GlobalBatches, TextDataset, Vocabulary, data_sha256, text
from distgrad.errors import UsageError

POEM = "".join(f"Línea {i}: ¿qué es π?\r\n" for i in range(40))


@pytest.fixture
def poem(tmp_path):
    path = tmp_path / "poem.txt"
    path.write_bytes(POEM.encode())
    return str(path)


class TestSource:
    def test_sequences_and_the_characters_that_come_next(self, poem):
        split = text(poem, context=10)
        end = len(POEM) - round(len(POEM) * 0.1)
        for part, characters in [(split.train, POEM[:end]), (split.test, POEM[end:])]:
            assert len(part) == (len(characters) - 1) // 10
            batch = part.take(range(len(part)))
            assert batch.x.dtype == batch.y.dtype == np.int64
            assert batch.x.shape == batch.y.shape == (len(part), 10)
            for i in range(len(part)):
                assert split.vocabulary.decode(batch.x[i]) == characters[10 * i : 10 * i + 10]
                assert split.vocabulary.decode(batch.y[i]) == characters[10 * i + 1 : 10 * i + 11]

    def test_the_vocabulary_is_sorted_and_of_the_whole_text(self, poem):
        split = text(poem, context=10)
        assert split.vocabulary.characters == "".join(sorted(set(POEM)))
        assert split.vocabulary is split.train.vocabulary is split.test.vocabulary

    def test_the_stride_is_that_of_the_training_part(self, poem):
        split = text(poem, context=10, stride=3)
        end = len(POEM) - round(len(POEM) * 0.1)
        assert len(split.train) == (end - 11) // 3 + 1
        assert split.vocabulary.decode(split.train[2].x) == POEM[6:16]
        assert len(split.test) == len(text(poem, context=10).test)

    def test_a_split_is_a_pair(self, poem):
        train, test = split = text(poem, context=10)
        assert split.train is train
        assert split._fields == ("train", "test")
        assert (len(train), len(test)) == (len(split.train), len(split.test))

    def test_the_text_is_kept_once_and_small(self, poem):
        train = text(poem, context=10, stride=1).train
        assert train.ids.dtype == np.uint8
        assert np.shares_memory(train.arrays["x"], train.ids)
        assert np.shares_memory(train.arrays["y"], train.ids)

    def test_many_characters(self, tmp_path):
        characters = "".join(map(chr, range(0x4E00, 0x4E00 + 300)))
        (tmp_path / "han.txt").write_text(characters * 2, encoding="utf-8")
        split = text(str(tmp_path / "han.txt"), context=20)
        assert split.train.ids.dtype == np.uint16
        assert split.vocabulary.decode(split.train[1].x) == characters[20:40]

    def test_the_built_in_text_is_that_of_this_python(self):
        from pydoc_data.topics import topics

        split = text()
        whole = "\n".join(topics[name] for name in sorted(topics))
        assert (
            split.vocabulary.decode(split.train.ids) + split.vocabulary.decode(split.test.ids)
            == whole
        )
        assert len(split.test.ids) == round(len(whole) / 10)
        assert split.train.arrays["x"].shape[1] == 64

    def test_the_same_hash_every_time_and_another_for_another_text(self, poem, tmp_path):
        def hashes(path, **options):
            return [data_sha256(part) for part in text(path, context=10, **options)]

        first = hashes(poem)
        assert hashes(poem) == hashes(poem, stride=1) == first
        other = tmp_path / "other.txt"
        other.write_bytes(POEM.replace("q", "Q").encode())
        # The numbers of the characters are the same, but they stand for others.
        assert text(poem, context=10).train.ids.size == text(str(other), context=10).train.ids.size
        assert len({*first, *hashes(str(other))}) == 4

    def test_sending_to_another_process_keeps_the_text_once(self, poem):
        train = text(poem, context=10, stride=1).train
        window = next(iter(GlobalBatches(train, 8, 4)))
        packed = pickle.dumps(window)
        assert len(packed) < 2 * len(POEM) + 2000
        again = pickle.loads(packed)
        assert again.micro_batch(1).y.tolist() == window.micro_batch(1).y.tolist()
        assert again.dataset.vocabulary == train.vocabulary


@given(
    characters=st.text(alphabet="abc\né", min_size=2, max_size=80),
    context=st.integers(1, 20),
    stride=st.integers(1, 25),
)
def test_every_window_is_whole_and_none_is_missing(characters, context, stride):
    vocabulary = Vocabulary("abc\né")
    if len(characters) <= context:
        message = (
            f"{len(characters)} characters are too few for context {context}, which needs "
            f"{context + 1}"
        )
        with pytest.raises(ValueError, match=message):
            TextDataset(vocabulary.encode(characters), vocabulary, context, stride)
        return
    dataset = TextDataset(vocabulary.encode(characters), vocabulary, context, stride)
    starts = [s for s in range(0, len(characters), stride) if s + context < len(characters)]
    batch = dataset.take(range(len(dataset)))
    assert [vocabulary.decode(row) for row in batch.x] == [
        characters[s : s + context] for s in starts
    ]
    assert [vocabulary.decode(row) for row in batch.y] == [
        characters[s + 1 : s + 1 + context] for s in starts
    ]


class TestRefusals:
    def test_a_text_shorter_than_the_context(self, tmp_path):
        path = tmp_path / "short.txt"
        path.write_text("x" * 100)
        with pytest.raises(UsageError) as raised:
            text(str(path), context=64)
        assert str(raised.value) == (
            f"{path}: 100 characters, of which test_fraction 0.1 holds out 10, are too few: "
            "context 64 needs at least 65 to train on and 65 to test on; use a longer text or a "
            "smaller context"
        )

    def test_one_character_decides(self, tmp_path):
        path = tmp_path / "text.txt"
        path.write_text("x" * 104)
        with pytest.raises(UsageError, match=r"104 characters, .* holds out 10, are too few"):
            text(str(path), context=10)
        path.write_text("x" * 105)
        with pytest.raises(UsageError, match=r"105 characters, .* holds out 10, are too few"):
            text(str(path), context=10)
        path.write_text("x" * 106)
        assert len(text(str(path), context=10).test) == 1

    def test_an_empty_file(self, tmp_path):
        (tmp_path / "empty.txt").touch()
        with pytest.raises(UsageError, match=r"empty.txt: 0 characters"):
            text(str(tmp_path / "empty.txt"))

    def test_the_built_in_text_and_a_context_without_end(self):
        with pytest.raises(UsageError, match=r"the built-in text: .* context 1000000 needs"):
            text(context=10**6)

    def test_other_encodings(self, tmp_path):
        path = tmp_path / "latin.txt"
        path.write_bytes("déjà vu".encode("latin-1"))
        message = r"latin.txt: is not UTF-8: byte 1 \(0xe9\) cannot stand there .* `iconv -t UTF-8`"
        with pytest.raises(UsageError, match=message):
            text(str(path))

    def test_a_missing_file(self):
        with pytest.raises(UsageError, match=r"none.txt: there is no such file in /.*, where the"):
            text("none.txt")

    def test_a_python_without_its_documentation(self, monkeypatch):
        monkeypatch.setitem(sys.modules, "pydoc_data", None)
        monkeypatch.setitem(sys.modules, "pydoc_data.topics", None)
        with pytest.raises(UsageError, match=r"comes without its documentation .* give the path"):
            text()

    @pytest.mark.parametrize(
        ("options", "message"),
        [
            ({"context": 0}, "context must be an integer of at least 1, got 0"),
            ({"stride": 0}, "stride must be an integer of at least 1, got 0"),
            ({"test_fraction": 0.0}, "test_fraction must be between 0 and 1, as 0.1 is; got 0.0"),
            ({"test_fraction": 1.0}, "test_fraction must be between 0 and 1, as 0.1 is; got 1.0"),
        ],
    )
    def test_bad_arguments(self, options, message):
        with pytest.raises(ValueError, match=message):
            text(**options)
