"""What the ways of pooling share: kernel, stride and padding."""

from distgrad.nn.functional.sliding import IntOrPair, Pair, Sliding

__all__ = ["pooling_sizes"]


def pooling_sizes(
    slide: Sliding,
    kernel_size: IntOrPair,
    stride: IntOrPair | None,
    padding: IntOrPair,
) -> tuple[Pair, Pair, tuple[Pair, Pair]]:
    """Return kernel, stride and padding (above, below), (left, right).

    Args:
        slide: Of the calling function.
        kernel_size: Length of the window along each axis.
        stride: Step from window to window; None, or nothing in a tuple, for the kernel size.
        padding: How far windows stand out on both sides.

    Raises:
        ValueError: If they are no such numbers, or the padding is more than half of the kernel.
    """
    kernel = slide.pair("kernel_size", kernel_size, least=1)
    strides = kernel
    if stride is not None and stride not in ((), []):
        strides = slide.pair("stride", stride, least=1)
    rows, columns = slide.pair("padding", padding, least=0)
    if 2 * rows > kernel[0] or 2 * columns > kernel[1]:
        raise ValueError(
            f"{slide.function}: padding must be at most half of the kernel size, got "
            f"{(rows, columns)[: slide.axes]} for {kernel[: slide.axes]}"
        )
    return kernel, strides, ((rows, rows), (columns, columns))
