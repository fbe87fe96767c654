import distgrad as dg
from distgrad.tensor.watching import watching


def test_watching_ends_with_the_block_and_is_nested():
    seen = []
    with watching(lambda *call: seen.append("outer")):
        with watching(lambda *call: seen.append("inner")):
            dg.zeros(1) + 1
        dg.zeros(1) + 1
    dg.zeros(1) + 1
    assert seen == ["outer", "inner", "outer"]
