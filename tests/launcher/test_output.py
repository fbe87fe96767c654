import pytest
from hypothesis import given
from hypothesis import strategies as st

from distgrad.launcher.output import lines_by_rank, prefixed, tag_pattern

TAGS = {
    ("openmpi", (5, 0, 11)): b"[1,%d]<stdout>: ",
    ("openmpi", (4, 1, 4)): b"[1,%d]<stdout>:",
    ("mpich", (5, 0, 2)): b"[%d]<rank>: ",
}
MPIS = list(TAGS)

# Pieces as a program writes them: parts of lines, whole lines, several lines; any bytes.
alphabet = st.sampled_from([b"a", b" ", b"\r", b"[", b"]", b"1", b":", b"\xff", b"\0", b"\n"])
pieces = st.lists(alphabet, min_size=1, max_size=12).map(b"".join)
writes = st.lists(st.tuples(st.integers(0, 3), pieces), max_size=20)


def split(data):
    return [line + b"\n" for line in data.split(b"\n")[:-1]] + [data.rpartition(b"\n")[2]]


def as_mpirun_prints(writes, tag):
    pieces = [(rank, line) for rank, piece in writes for line in split(piece) if line]
    return b"".join(tag % rank + line for rank, line in pieces)


def as_written(writes, rank):
    return b"".join(piece for writer, piece in writes if writer == rank)


@pytest.mark.parametrize("mpi", MPIS, ids=str)
@given(writes=writes)
def test_every_rank_gets_back_what_it_wrote(mpi, writes):
    stream = [line for line in split(as_mpirun_prints(writes, TAGS[mpi])) if line]
    got = list(lines_by_rank(stream, tag_pattern(*mpi)))
    for rank in range(4):
        lines = [line for owner, line in got if owner == rank]
        written = as_written(writes, rank)
        expected = [line for line in split(written) if line]
        if expected and expected[-1] == b"\0":  # with which Open MPI itself ends a stream
            expected.pop()
        assert lines == [line.removesuffix(b"\n") for line in expected]
    assert all(owner is not None for owner, _ in got)


def read(stream, mpi=("mpich", (5, 0, 2))):
    return list(lines_by_rank(stream, tag_pattern(*mpi)))


def test_a_line_comes_as_soon_as_it_is_complete():
    def stream():
        yield b"[0]<rank>: first\n"
        raise AssertionError("read on before the line was passed")

    assert next(lines_by_rank(stream(), tag_pattern("mpich", (5,)))) == (0, b"first")


def test_lines_of_mpirun_have_no_rank():
    assert read([b"mpiexec: no such host\n", b"\n"]) == [
        (None, b"mpiexec: no such host"),
        (None, b""),
    ]


def test_hydras_own_words_may_stand_behind_an_unfinished_line():
    words = b"[mpiexec@vm] Exit codes: [vm] 0,0"
    assert read([b"[0]<rank>: a[1]<rank>: the end" + words + b"\n"]) == [
        (None, words),
        (0, b"a"),
        (1, b"the end"),
    ]


def test_unfinished_lines_come_at_the_end():
    assert read([b"[0]<rank>: a[1]<rank>: b"]) == [(0, b"a"), (1, b"b")]


def test_the_end_mark_of_open_mpi_is_no_line():
    assert read([b"[1,1]<stderr>: \0"], ("openmpi", (5, 0, 11))) == []


def test_a_blank_after_the_tag_belongs_to_open_mpi_5_and_to_the_rank_in_open_mpi_4():
    line = [b"[1,1]<stdout>: x\n"]
    assert read(line, ("openmpi", (5, 0, 0))) == [(1, b"x")]
    assert read(line, ("openmpi", (4, 1, 4))) == [(1, b" x")]


def test_the_prefix_is_the_same_for_every_mpi():
    assert prefixed(12, b"\xff x ") == b"[rank 12] \xff x \n"
    assert prefixed(None, b"from mpirun") == b"from mpirun\n"
