import csv as standard
import io

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from distgrad.data import csv, data_sha256
from distgrad.errors import UsageError

HEADER = "height,width,kind\n"
ROWS = "".join(f"{i / 4},{-i},{i % 3}\n" for i in range(20))


@pytest.fixture
def written(tmp_path):
    def write(content):
        path = tmp_path / "table.csv"
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return str(path)

    return write


def samples(split):
    """All of both parts, by rows."""
    return sorted(
        (*x.tolist(), *np.ravel(y).tolist())
        for part in split
        for x, y in zip(part.arrays["x"], part.arrays["y"], strict=True)
    )


class TestSource:
    def test_classification(self, written):
        split = csv(written(HEADER + ROWS), "classification")
        assert (len(split.train), len(split.test)) == (16, 4)
        batch = split.train.take([0, 1])
        assert (batch.x.dtype, batch.y.dtype) == (np.float32, np.int64)
        assert (batch.x.shape, batch.y.shape) == ((2, 2), (2,))
        assert samples(split) == [(i / 4, -i, i % 3) for i in range(20)]

    def test_regression(self, written):
        split = csv(written(HEADER + ROWS), "regression", "height")
        batch = split.train.take([0, 1])
        assert batch.y.dtype == np.float32
        assert batch.y.shape == (2, 1)
        assert samples(split) == sorted((-i, i % 3, i / 4) for i in range(20))

    @pytest.mark.parametrize("target", ["width", 1, -2])
    def test_the_target_by_name_or_index(self, written, target):
        split = csv(written(HEADER + ROWS), "regression", target)
        assert samples(split) == sorted((i / 4, i % 3, -i) for i in range(20))

    def test_without_a_header(self, written):
        split = csv(written(ROWS), "classification", header=False)
        assert samples(split) == [(i / 4, -i, i % 3) for i in range(20)]

    @pytest.mark.parametrize(
        "content",
        [
            (HEADER + ROWS).replace("\n", "\r\n"),
            b"\xef\xbb\xbf" + (HEADER + ROWS).encode(),
            (HEADER + ROWS).replace("\n", "\n\n") + "\n\n",
            (HEADER + ROWS).rstrip("\n"),
            (HEADER + ROWS).replace("kind", '"kind"').replace(",1\n", ',"1"\n'),
            (HEADER + ROWS).replace(",", ", "),
        ],
        ids=["crlf", "byte order mark", "empty lines", "no last line end", "quotes", "spaces"],
    )
    def test_ways_to_write_the_same(self, written, content):
        plain = csv(written(HEADER + ROWS), "classification")
        other = csv(written(content), "classification")
        assert data_sha256(other.train) == data_sha256(plain.train)
        assert data_sha256(other.test) == data_sha256(plain.test)

    def test_the_delimiter(self, written):
        path = written((HEADER + ROWS).replace(",", "\t"))
        assert len(csv(path, "classification", delimiter="\t").train) == 16

    def test_the_split_is_seeded(self, written):
        path = written(HEADER + ROWS)
        hashes = [
            data_sha256(csv(path, "classification", split_seed=s, test_fraction=0.5).train)
            for s in (0, 0, 1)
        ]
        assert hashes[0] == hashes[1] != hashes[2]

    @given(
        st.integers(2, 5).flatmap(
            lambda width: st.lists(
                st.lists(st.floats(-1e6, 1e6, width=32), min_size=width, max_size=width).map(tuple),
                min_size=2,
                max_size=20,
            )
        )
    )
    def test_numbers_come_back(self, tmp_path_factory, rows):
        text = io.StringIO()
        standard.writer(text).writerows(rows)
        path = tmp_path_factory.mktemp("csv") / "t.csv"
        path.write_text(text.getvalue())
        assert samples(csv(str(path), "regression", header=False, test_fraction=0.5)) == sorted(
            rows
        )


class TestRefusals:
    def refused(self, path, *args, **options):
        with pytest.raises(UsageError) as raised:
            csv(path, *(args or ("classification",)), **options)
        return str(raised.value)

    @pytest.mark.parametrize(
        ("row", "cells"), [("1,2", 2), ("1,2,3,4", 4), ("1", 1), ("1,2,0,", 4)]
    )
    def test_ragged_rows(self, written, row, cells):
        path = written(HEADER + "1,2,0\n3,4,1\n" + row + "\n5,6,1\n")
        message = f"{path}, line 4: has {cells} cells, but the header has 3; give every row as many"
        assert message in self.refused(path)

    def test_ragged_rows_without_a_header(self, written):
        path = written("\n1,2,0\n3,4\n")
        assert f"{path}, line 3: has 2 cells, but the first row has 3" in self.refused(
            path, header=False
        )

    @pytest.mark.parametrize("cell", ["", "abc", "nan", "inf", "-Infinity", "1e999", "1,5", "0x1"])
    def test_what_is_no_number(self, written, cell):
        path = written(f'{HEADER}1,2,0\n3,"{cell}",1\n')
        message = f"{path}, line 3, column 1 (width): {cell!r} is not a finite number; correct it"
        assert message in self.refused(path)

    def test_a_long_cell_is_shown_in_part(self, written):
        message = self.refused(written("1,2\n1," + "x" * 1000 + "\n"), header=False)
        assert f"line 2, column 1: '{'x' * 40}...' is not a finite number" in message

    def test_a_table_whose_header_was_denied(self, written):
        path = written(HEADER + ROWS)
        assert f"{path}, line 1, column 0: 'height' is not a finite" in self.refused(
            path, header=False
        )

    def test_an_oversized_field(self, written):
        path = written(HEADER + "1,2,0\n1," + "9" * 200_000 + ",0\n")
        message = f"{path}, line 3: is not CSV (field larger than field limit (131072)); correct"
        assert message in self.refused(path)

    def test_broken_quotes(self, written):
        assert "line 3: is not CSV (" in self.refused(written(HEADER + '1,2,0\n1,"2"3,0\n'))
        assert "is not CSV (unexpected end of data)" in self.refused(written(HEADER + '1,"2,0\n'))

    def test_old_line_ends(self, written):
        assert "line 1: is not CSV (new-line character seen" in self.refused(
            written((HEADER + ROWS).replace("\n", "\r"))
        )

    def test_line_numbers_count_lines_within_quotes(self, written):
        path = written('"height\nin m",width,kind\n1,2,0\n1,x,0\n')
        assert f"{path}, line 4, column 1 (width): 'x'" in self.refused(path)

    def test_other_encodings(self, written):
        path = written(HEADER.encode() + b"1,2,0\n1,\xb2,0\n")
        assert f"{path}, line 3: byte 2 of the line is not UTF-8 (" in self.refused(path)

    @pytest.mark.parametrize("content", ["", "\n\n"])
    def test_an_empty_file(self, written, content):
        path = written(content)
        for header in (True, False):
            message = f"{path}: has no row of numbers; a table needs at least 2, one to train on"
            assert message in self.refused(path, header=header)

    def test_a_header_alone(self, written):
        assert "has no row of numbers below its header" in self.refused(written(HEADER))

    def test_one_column(self, written):
        message = "has 1 column, but needs a target and at least 1 more; if there are more, give"
        assert message in self.refused(written((HEADER + ROWS).replace(",", ";")))

    @pytest.mark.parametrize("target", [3, -4])
    def test_a_target_out_of_range(self, written, target):
        message = f"there is no column {target} for the target; the 3 columns are numbered from 0 "
        assert message + "to 2, or from -3 to -1" in self.refused(
            written(HEADER + ROWS), "classification", target
        )

    def test_an_unknown_target(self, written):
        message = "0 columns are named 'depth'; the columns are height, width, kind; name one"
        assert message in self.refused(written(HEADER + ROWS), "regression", "depth")

    def test_a_target_named_twice(self, written):
        path = written("a,b,a\n" + ROWS)
        assert "2 columns are named 'a'; the columns are a, b, a" in self.refused(
            path, "regression", "a"
        )

    def test_a_name_without_a_header(self, written):
        message = "target 'kind' is a name, but header = false says that the columns have none"
        assert message in self.refused(written(ROWS), "regression", "kind", header=False)

    @pytest.mark.parametrize("value", ["0.5", "-1", "1e300"])
    def test_targets_that_number_no_classes(self, written, value):
        path = written(f"{HEADER}1,2,0\n\n3,4,{value}\n")
        message = f"{path}, line 4: the target {float(value):g} is not the number of a class (0, 1"
        assert message in self.refused(path)
        assert 'or set task = "regression"' in self.refused(path)

    def test_a_missing_file(self, tmp_path):
        assert "there is no such file" in self.refused(str(tmp_path / "none.csv"))

    @pytest.mark.parametrize(
        ("task", "options", "message"),
        [
            ("sorting", {}, "task must be classification or regression, got 'sorting'"),
            ("regression", {"delimiter": ", "}, "delimiter must be one character, .* got ', '"),
            ("regression", {"delimiter": '"'}, "delimiter must be one character"),
            ("regression", {"test_fraction": 1.0}, "test_fraction 1.0 of 20 samples leaves 20"),
        ],
    )
    def test_bad_arguments(self, written, task, options, message):
        with pytest.raises(ValueError, match=message):
            csv(written(HEADER + ROWS), task, **options)
