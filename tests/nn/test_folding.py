import numpy as np
import pytest

import distgrad as dg
import distgrad.nn.functional as F


def test_layers_pass_their_arguments_on() -> None:
    x = dg.randn(2, 3, 6, 7)
    unfold = dg.nn.Unfold((2, 3), (1, 2), 1, (2, 1))
    columns = unfold(x)
    expected = F.unfold(x, (2, 3), dilation=(1, 2), padding=1, stride=(2, 1))
    np.testing.assert_array_equal(columns.data, expected.data)
    fold = dg.nn.Fold((6, 7), (2, 3), (1, 2), 1, (2, 1))
    back = F.fold(columns, (6, 7), (2, 3), dilation=(1, 2), padding=1, stride=(2, 1))
    np.testing.assert_array_equal(fold(columns).data, back.data)


def test_representations_are_pytorchs() -> None:
    torch = pytest.importorskip("torch")
    for arguments in ((2,), ((2, 3), 1, (0, 1), 2)):
        assert repr(dg.nn.Unfold(*arguments)) == repr(torch.nn.Unfold(*arguments))
        assert repr(dg.nn.Fold(4, *arguments)) == repr(torch.nn.Fold(4, *arguments))
