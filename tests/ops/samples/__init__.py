"""One row of samples for each op: inputs, attributes, and a reference that is not the op itself.

The inputs keep away from kinks and ties, where a numeric difference means nothing; those have tests
of their own. Arrays are float64 unless they are meant to be something else. The files mirror those
of `distgrad.ops`.
"""

from ops.cases import Row
from ops.samples import elementwise, index, linalg, loss, reduce, shape

SAMPLES: dict[str, Row] = {
    **elementwise.SAMPLES,
    **index.SAMPLES,
    **linalg.SAMPLES,
    **loss.SAMPLES,
    **reduce.SAMPLES,
    **shape.SAMPLES,
}
