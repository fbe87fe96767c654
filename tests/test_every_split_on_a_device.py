"""One hash for every way to divide the same work among ranks that compute on the double of a GPU.

The double computes with NumPy: so it is also the hash of the CPU.
"""

import pytest
from helpers.device_jobs import hashes
from helpers.halves import PRECISIONS


@pytest.fixture(scope="module", params=["fp32", *PRECISIONS])
def precision(request) -> str:
    return request.param


@pytest.fixture(scope="module")
def of_the_cpu(precision) -> dict[str, str]:
    return hashes(1, "cpu", "even", precision, "auto")


def test_both_reductions_give_the_same_bits(of_the_cpu):
    kinds = {name.removesuffix(" tree") for name in of_the_cpu if name.endswith(" tree")}
    for kind in kinds:
        assert of_the_cpu[f"{kind} tree"] == of_the_cpu[f"{kind} sharded"], kind


@pytest.mark.parametrize(
    ("ranks", "division", "transport"),
    [(1, "even", "auto"), (3, "random", "ipc"), (4, "last", "staged")],
)
def test_every_split_gives_the_bits_of_one_process_on_the_cpu(
    of_the_cpu, precision, ranks, division, transport
):
    assert hashes(ranks, "double", division, precision, transport) == of_the_cpu


@pytest.mark.parametrize(("ranks", "division"), [(2, "random"), (4, "last")])
def test_in_half_precision_so_does_every_split_on_the_cpu(of_the_cpu, precision, ranks, division):
    if precision == "fp32":
        pytest.skip("tests/test_every_split.py shows it")
    assert hashes(ranks, "cpu", division, precision, "auto") == of_the_cpu
