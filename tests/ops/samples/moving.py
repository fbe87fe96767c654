"""Samples of distgrad/ops/moving.py."""

from ops.cases import Row, case

SAMPLES: dict[str, Row] = {
    "to_device": Row(
        [case(shape, device="cpu", origin="cpu") for shape in [(2, 3), (), (0, 2)]],
        lambda x, device, origin: x,
    ),
}
