import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import distgrad as dg
from distgrad.autograd import random_scope
from distgrad.data import TensorDataset
from distgrad.data.transforms import Compose, RandomCrop, RandomHorizontalFlip

IMAGES = np.random.default_rng(0).normal(size=(64, 3, 6, 5)).astype(np.float32)


def keyed(transform, images=IMAGES, key=(0, 1, 0)):
    with random_scope(*key):
        return transform(dg.Tensor(images)).data


class TestFlip:
    def test_each_image_is_mirrored_or_not(self):
        found = keyed(RandomHorizontalFlip())
        mirrored = [
            bool((after == before[..., ::-1]).all())
            for after, before in zip(found, IMAGES, strict=True)
        ]
        kept = [bool((after == before).all()) for after, before in zip(found, IMAGES, strict=True)]
        assert all(a != b for a, b in zip(mirrored, kept, strict=True))
        assert 16 < sum(mirrored) < 48

    @pytest.mark.parametrize(("p", "expected"), [(0.0, IMAGES), (1.0, IMAGES[..., ::-1])])
    def test_never_and_always(self, p, expected):
        np.testing.assert_array_equal(keyed(RandomHorizontalFlip(p)), expected)

    def test_the_share_is_p(self):
        images = np.tile(np.float32([0, 1]), (10_000, 1, 1, 1))
        share = keyed(RandomHorizontalFlip(0.3), images)[:, 0, 0, 0].mean()
        assert abs(share - 0.3) < 0.02

    @pytest.mark.parametrize("p", [-0.1, 1.1, float("nan")])
    def test_a_bad_probability_is_refused(self, p):
        with pytest.raises(ValueError, match=f"p must be a probability from 0 to 1, got {p}"):
            RandomHorizontalFlip(p)


class TestCrop:
    @given(
        size=st.tuples(st.integers(1, 10), st.integers(1, 9)),
        padding=st.integers(0, 3),
        seed=st.integers(0, 2**64 - 1),
    )
    def test_every_crop_is_a_part_of_its_padded_image(self, size, padding, seed):
        height, width = (min(s, n + 2 * padding) for s, n in zip(size, (6, 5), strict=True))
        found = keyed(RandomCrop((height, width), padding), key=(seed,))
        assert found.shape == (64, 3, height, width)
        padded = np.pad(IMAGES, ((0, 0), (0, 0), (padding, padding), (padding, padding)))
        places = np.lib.stride_tricks.sliding_window_view(padded, (height, width), (2, 3))
        for crop, candidates in zip(found, places, strict=True):
            assert (candidates == crop[:, None, None]).all((0, 3, 4)).any()

    def test_every_place_comes_up_alike(self):
        pixel = np.arange(6, dtype=np.float32).reshape(1, 1, 2, 3)
        found = keyed(RandomCrop(1), np.repeat(pixel, 12_000, axis=0))
        assert (abs(np.bincount(found.ravel().astype(int)) - 2000) < 200).all()

    def test_without_room_the_image_stays(self):
        np.testing.assert_array_equal(keyed(RandomCrop((6, 5))), IMAGES)

    @pytest.mark.parametrize("dtype", ["f4", "f8", "u1"])
    def test_data_types_are_kept(self, dtype):
        for transform in (RandomCrop(4, padding=1), RandomHorizontalFlip()):
            assert keyed(transform, np.ones((2, 1, 4, 4), dtype)).dtype == dtype

    @pytest.mark.parametrize(
        ("args", "message"),
        [
            ((0,), "size must be an integer of at least 1, got 0"),
            (((3, -1),), "size must be an integer of at least 1, got -1"),
            ((3, -1), "padding must be an integer of at least 0, got -1"),
        ],
    )
    def test_bad_arguments_are_refused(self, args, message):
        with pytest.raises(ValueError, match=message):
            RandomCrop(*args)

    def test_a_crop_that_does_not_fit_is_refused(self):
        message = r"a crop of 9 x 9 does not fit into images of 8 x 7 \(padding 1 on each side\)"
        with pytest.raises(ValueError, match=message):
            RandomCrop(9, padding=1)(dg.Tensor(IMAGES))


AUGMENT = Compose([RandomCrop((6, 5), padding=2), RandomHorizontalFlip()])


class TestKeys:
    def test_the_key_decides_and_nothing_else(self):
        keys = [(0, 1, 0), (1, 1, 0), (0, 2, 0), (0, 1, 1)]
        first = [keyed(AUGMENT, key=key).tobytes() for key in keys]
        dg.rand(3)
        assert [keyed(AUGMENT, key=key).tobytes() for key in reversed(keys)] == first[::-1]
        assert len(set(first)) == len(keys)

    def test_the_bits_do_not_depend_on_strides(self):
        channels_last = np.ascontiguousarray(IMAGES.transpose(0, 2, 3, 1)).transpose(0, 3, 1, 2)
        assert channels_last.strides != IMAGES.strides
        np.testing.assert_array_equal(keyed(AUGMENT, channels_last), keyed(AUGMENT))

    def test_each_call_has_a_draw_of_its_own(self):
        with random_scope(0, 1, 0):
            batch = dg.Tensor(IMAGES)
            assert not (AUGMENT(batch) == AUGMENT(batch)).all()


class TestBatches:
    def test_named_batches_keep_their_other_fields(self):
        batch = TensorDataset(x=IMAGES, y=np.arange(64)).take(range(8))
        before = batch.x.data.copy()
        changed = AUGMENT(batch)
        assert type(changed) is type(batch)
        assert changed.y is batch.y
        np.testing.assert_array_equal(batch.x.data, before)
        with random_scope(0, 1, 0):
            named = AUGMENT(batch).x.data
        np.testing.assert_array_equal(named, keyed(AUGMENT, before))

    def test_other_batches_are_refused(self):
        message = "RandomCrop takes a Tensor of images, or a named tuple with such a field x; got"
        for batch in (IMAGES, (dg.Tensor(IMAGES),), {"x": dg.Tensor(IMAGES)}):
            with pytest.raises(TypeError, match=message):
                RandomCrop(3)(batch)

    def test_other_shapes_are_refused(self):
        message = r"images must have shape \(N, C, H, W\), got \(3, 6, 5\)"
        with pytest.raises(ValueError, match=message):
            RandomHorizontalFlip()(dg.Tensor(IMAGES[0]))
