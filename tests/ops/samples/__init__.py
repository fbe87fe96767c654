"""One row of samples for each op: inputs, attributes, and a reference that is not the op itself.

The inputs keep away from kinks and ties, where a numeric difference means nothing; those have tests
of their own. Arrays are float64 unless they are meant to be something else. The files mirror those
of `distgrad.ops`.
"""

from ops.cases import Row
from ops.samples import (
    activation,
    attention,
    conv,
    einstein,
    elementwise,
    embedding,
    error_function,
    index,
    join,
    linalg,
    logic,
    loss,
    norm,
    pool,
    reduce,
    selection,
    shape,
)

SAMPLES: dict[str, Row] = {
    **activation.SAMPLES,
    **attention.SAMPLES,
    **conv.SAMPLES,
    **einstein.SAMPLES,
    **elementwise.SAMPLES,
    **embedding.SAMPLES,
    **error_function.SAMPLES,
    **index.SAMPLES,
    **join.SAMPLES,
    **linalg.SAMPLES,
    **logic.SAMPLES,
    **loss.SAMPLES,
    **norm.SAMPLES,
    **pool.SAMPLES,
    **reduce.SAMPLES,
    **selection.SAMPLES,
    **shape.SAMPLES,
}
