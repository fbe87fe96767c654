"""Make ``docs/ops.md``: every operator is called, and the page tells what it took and gave.

Run ``python docs/operators.py`` after adding an operator; ``tests/docs/test_operators.py`` compares
the page with what this makes, and fails for an operator without a call in the tables below.
"""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

import distgrad as dg
import distgrad.nn.functional as F
from distgrad import creation, functional, linalg, special

PAGE = Path(__file__).with_name("ops.md")

# Arguments, by the names in `arguments` below, and the operators that are called with them.
FUNCTIONS = {
    "x": """
        abs absolute acos acosh all amax amin aminmax angle any arccos arccosh arcsin arcsinh arctan
        arctanh argmax argmin argsort asin asinh atan atanh atleast_1d atleast_2d atleast_3d
        bitwise_not ceil clone corrcoef cos cosh count_nonzero cov deg2rad diag diagflat diagonal
        diff erf erfc exp exp2 expm1 fix flatten fliplr flipud floor frac histc isfinite isinf isnan
        isneginf isposinf isreal log log10 log1p log2 logical_not logit max mean median min mode
        msort nan_to_num nanmean nanmedian nansum neg negative norm pinverse positive prod rad2deg
        ravel reciprocal relu round rsqrt sgn sigmoid sign signbit sin sinc sinh sort sqrt square
        squeeze std std_mean sum t tan tanh trace tril triu trunc unbind var var_mean argwhere
        diag_embed nonzero unique unique_consecutive
    """,
    "x, y": """
        add allclose arctan2 atan2 bitwise_and bitwise_left_shift bitwise_or bitwise_right_shift
        bitwise_xor cdist copysign div divide eq equal float_power floor_divide fmax fmin fmod gcd
        ge greater greater_equal gt heaviside hypot inner isclose isin kron lcm ldexp le less
        less_equal logaddexp logaddexp2 logical_and logical_or logical_xor lt maximum minimum mul
        multiply ne nextafter not_equal pow remainder rsub sub subtract true_divide xlogy
        broadcast_tensors dist cross
    """,
    "x, 0": "cummax cummin cumprod cumsum log_softmax logcumsumexp logsumexp softmax unsqueeze",
    "x, 1": "chunk kthvalue roll split tensor_split topk repeat_interleave",
    "x, 0, 1": "moveaxis movedim select swapaxes swapdims transpose",
    "x, 0.5": "clamp clamp_max clamp_min clip quantile nanquantile",
    "[x, y]": """
        cat column_stack concat concatenate dstack hstack row_stack stack vstack
    """,
    "x, v[0], m": "block_diag",
    "v, v": "dot ger meshgrid outer vdot",
    "v": "bincount combinations vander cumulative_trapezoid trapezoid trapz",
    "v, v[:2]": "cartesian_prod",
    "x, v": "bucketize",
    "x.ravel(), y": "searchsorted",
    "m": "cholesky cholesky_inverse det inverse logdet matrix_exp slogdet",
    "m, m": "cholesky_solve chain_matmul matmul mm",
    "m, v": "mv",
    "m, 2": "matrix_power",
    "m, m, m": "addmm",
    "m, c, c": "addbmm",
    "c, c, c": "baddbmm",
    "c, c": "bmm",
    "c, 3": "dsplit",
    "v, m, v": "addmv",
    "m, v, v": "addr",
    "m, m, 1": "tensordot",
    "'ij,jk', m, m": "einsum",
    "x, y, x": "addcdiv addcmul",
    "x, y, 0.5": "lerp",
    "x, 1, k": "index_select",
    "x, 0, i": "gather",
    "x, i, 0": "take_along_dim",
    "x, i": "take",
    "x, 0, i, y": "scatter scatter_add",
    "x, 0, i, y, 'amax'": "scatter_reduce",
    "x, 1, k, y[:, :2]": "index_add index_copy",
    "x, 1, k, y[:, :2], 'amax'": "index_reduce",
    "x, 1, k, 1": "index_fill",
    "m, (k,), x": "index_put",
    "x, b, 1": "masked_fill",
    "x, b, y": "masked_scatter",
    "x, b": "masked_select",
    "x, i, y": "put",
    "b, x, y": "where",
    "x, 0, 1, 1": "narrow",
    "x, [1, 1]": "split_with_sizes",
    "x, 1, (3, 1)": "unflatten",
    "x, (6,)": "reshape",
    "x, (1, 0)": "permute",
    "x, (2, 2, 3)": "broadcast_to",
    "x, (2, 1)": "tile",
    "x, (0,)": "flip",
    "x, 1, (0, 1)": "rot90",
    "x, 3": "hsplit",
    "x, 2": "vsplit",
    "x, 2, 0, 1": "renorm",
}
LINALG = {
    "m": """
        cholesky cond det eigh eigvalsh inv matrix_exp matrix_norm matrix_rank pinv qr slogdet svd
        svdvals
    """,
    "x": "diagonal norm vector_norm",
    "x, y": "cross vecdot",
    "m, m": "lstsq matmul solve",
    "m, m, upper=True": "solve_triangular",
    "m, v": "tensorsolve",
    "m, 1": "tensorinv",
    "m, 2": "matrix_power",
    "[m, m]": "multi_dot",
}
SPECIAL = {
    "x": "entr erf erfc exp2 expit expm1 log1p logit ndtr round sinc",
    "x, 0": "log_softmax logsumexp softmax",
    "x, y": "xlog1py xlogy",
}
NETWORK = {
    "x": """
        alpha_dropout celu dropout elu feature_alpha_dropout gelu hardshrink hardsigmoid hardswish
        hardtanh leaky_relu logsigmoid mish normalize relu relu6 rrelu selu sigmoid silu softplus
        softshrink softsign tanh tanhshrink one_hot
    """,
    "x, 1": "gumbel_softmax log_softmax softmax softmin",
    "x[:, :2]": "glu",
    "x, 0.5, 0": "threshold",
    "x, v[0]": "prelu",
    "x, (3,)": "layer_norm rms_norm",
    "x, m": "linear linear_relu",
    "x, y, c": "bilinear",
    "x, x": "dropout_add",
    "i, m": "embedding",
    "k, m, k": "embedding_bag",
    "x, y": """
        binary_cross_entropy binary_cross_entropy_with_logits cosine_similarity huber_loss kl_div
        l1_loss mse_loss pairwise_distance poisson_nll_loss smooth_l1_loss soft_margin_loss
    """,
    "x, t": "cross_entropy multi_margin_loss nll_loss",
    "x, i": "multilabel_margin_loss",
    "x, s": "hinge_embedding_loss multilabel_soft_margin_loss",
    "x, y, s[:, 0]": "cosine_embedding_loss",
    "x, y, s": "margin_ranking_loss",
    "x, y, x": "gaussian_nll_loss triplet_margin_loss triplet_margin_with_distance_loss",
    "image": "dropout2d dropout3d instance_norm",
    "signal": "dropout1d",
    "image, (1, 1)": "pad",
    "image, v4, v4": "batch_norm",
    "image, 2": """
        adaptive_avg_pool2d adaptive_max_pool2d avg_pool2d channel_shuffle group_norm interpolate
        local_response_norm max_pool2d pixel_shuffle unfold upsample upsample_bilinear
        upsample_nearest
    """,
    "signal, 2": "adaptive_avg_pool1d adaptive_max_pool1d avg_pool1d max_pool1d",
    "image, 2, 2": "lp_pool2d",
    "signal, 2, 2": "lp_pool1d",
    "image[..., :4, :4], 2": "pixel_unshuffle",
    "image, kernel": "conv2d conv_transpose2d",
    "signal, kernel[..., 0]": "conv1d conv_transpose1d",
    "image.reshape(1, 16, 9), (4, 4), 2": "fold",
    "*F.max_pool1d(signal, 2, return_indices=True), 2": "max_unpool1d",
    "*F.max_pool2d(image, 2, return_indices=True), 2": "max_unpool2d",
    "c, c, c": "scaled_dot_product_attention",
    "c, c, c, 3, 1, c.reshape(9, -1)[:, :3], v9, None, None, False, 0.0, m, v": (
        "multi_head_attention_forward"
    ),
}
METHODS = {
    "x": "contiguous",
    "x, 2, 2, 3": "expand",
    "x, y": "expand_as reshape_as view_as",
    "x, 6": "view",
    "x, 2, 1": "repeat",
    "x, 1, 2, 1": "unfold",
}

NO_OPERATORS = {
    "LinAlgError",
    "can_cast",
    "finfo",
    "get_default_dtype",
    "iinfo",
    "is_floating_point",
    "is_tensor",
    "linalg",
    "numel",
    "promote_types",
    "result_type",
    "set_default_dtype",
    "special",
}

DIFFERENCES = [
    (
        "Functions made of several operators, such as `F.silu`, of `bfloat16`",
        "Each operator rounds; PyTorch rounds the results of some of them once.",
        "One rule for all operators, and their gradients.",
    ),
    (
        "`sort`, `argsort`, `topk`, `kthvalue`, `mode`, `median`",
        "Equal elements stay in order, whatever `stable` says; PyTorch promises none.",
        "The same bits in every run.",
    ),
    (
        "`aminmax`, `slogdet`, `sort`, `max` and others that return several tensors",
        "Named tuples of classes with names of their own; the fields are PyTorch's.",
        "PyTorch's classes are private.",
    ),
    (
        '`linalg.qr` with `mode="complete"` of more rows than columns',
        "Refused where a gradient is asked for; PyTorch refuses in the backward pass.",
        "The error comes where the call stands.",
    ),
    (
        "`cholesky_solve`, `cholesky_inverse`",
        "The gradient of the triangle that is not read is 0; PyTorch gives it numbers.",
        "It is that of the function.",
    ),
    (
        "`linalg.eigh` and `linalg.eigvalsh`",
        "The gradient is symmetric; PyTorch's need not be where eigenvectors are used.",
        "A symmetric matrix changes symmetrically.",
    ),
    (
        "`nextafter`, `heaviside`, `unique`",
        "Results require no gradient; PyTorch raises in the backward pass.",
        "They have none.",
    ),
    (
        "all",
        "Complex and quantized numbers, sparse and nested tensors are refused.",
        "Training in real numbers is what this is for.",
    ),
]


class Facts(NamedTuple):
    """What calls of one operator have shown."""

    name: str
    places: str
    gradients: str
    dtypes: str


DTYPES = ("bool", "uint8", "int64", "float16", "float32", "float64")


def arguments(dtype: str) -> dict[str, Any]:
    """Tensors of many shapes: those of a data type require a gradient where that is possible."""
    floating = "float" in dtype

    def tensor(*shape: int) -> dg.Tensor:
        size = int(np.prod(shape))
        values = np.linspace(0.1, 0.9, size) if floating else np.arange(1, size + 1) % 100
        return dg.Tensor(values.reshape(shape).astype(dtype), requires_grad=floating)

    matrix = np.array([[4.0, 1.0, 0.0], [1.0, 3.0, 1.0], [0.0, 1.0, 2.0]]).astype(dtype)
    return {
        "x": tensor(2, 3),
        "y": tensor(2, 3),
        "v": tensor(3),
        "v4": tensor(4).detach(),
        "v9": tensor(9),
        "c": tensor(3, 3, 3),
        "m": dg.Tensor(matrix, requires_grad=floating),
        "signal": tensor(1, 4, 6),
        "image": tensor(1, 4, 6, 6),
        "kernel": tensor(4, 4, 3, 3),
        "s": dg.Tensor(np.array([[1, -1, 1], [-1, 1, 1]]).astype(dtype)),
        "i": dg.tensor([[0, 1, 0], [1, 0, 1]]),
        "k": dg.tensor([0, 2]),
        "t": dg.tensor([0, 2]),
        "b": dg.tensor([[True, False, True], [False, True, False]]),
        "F": F,
    }


def outcome(function: Callable[..., Any], call: str, dtype: str) -> Any:
    """What a call gives, or None where the data type is refused."""
    given = arguments(dtype)
    try:
        with np.errstate(all="ignore"):
            return eval(f"function({call})", {"function": function, **given}), given
    except (RuntimeError, TypeError, ValueError, OverflowError):
        return None


def tensors(value: Any) -> Iterator[dg.Tensor]:
    """The Tensors in a result."""
    if isinstance(value, dg.Tensor):
        yield value
    elif isinstance(value, list | tuple):
        for part in value:
            yield from tensors(part)


def gradients(value: Any, given: dict[str, Any]) -> str:
    """Whether there are gradients; those of three orders are taken where there are."""
    outputs = [y for y in tensors(value) if y.requires_grad]
    if not outputs:
        return "none"
    leaves = [x for x in given.values() if isinstance(x, dg.Tensor) and x.requires_grad]
    for _ in range(3):
        total = sum((y * y).sum() for y in outputs)
        found = dg.autograd.grad(total, leaves, create_graph=True, allow_unused=True)
        outputs = [g for g in found if g is not None and g.requires_grad]
        if not outputs:
            break
    return "every order"


def dtypes(taken: list[str]) -> str:
    """The data types in words as short as possible."""
    whole = [name for name in taken if "int" in name]
    floating = [name for name in taken if name.startswith("float")]
    words = ["bool"] if "bool" in taken else []
    words += ["integers"] if len(whole) == 2 else whole
    words += ["floats"] if len(floating) == 3 else floating
    return ", ".join(words)


def places(name: str, module: str) -> str:
    """Where an operator is found under this name."""
    found = ["`dg`"] if name in functional.__all__ and module != "Tensor" else []
    found += ["`dg.linalg`"] if name in linalg.__all__ else []
    found += ["`dg.special`"] if name in special.__all__ else []
    found += ["`F`"] if name in F.__all__ else []
    found += ["`Tensor`"] if hasattr(dg.Tensor, name) and module in ("dg", "Tensor") else []
    found += ["in place"] if hasattr(dg.Tensor, f"{name}_") and module == "dg" else []
    return ", ".join(found)


def facts(module: str, functions: Any, table: dict[str, str]) -> Iterator[tuple[Any, Facts]]:
    """The function and what calls of it show, for each name in a table."""
    for call, names in table.items():
        for name in names.split():
            function = getattr(functions, name)
            results = {dtype: outcome(function, call, dtype) for dtype in DTYPES}
            taken = [dtype for dtype, result in results.items() if result is not None]
            if not taken:
                raise ValueError(f"{module}.{name}({call}) takes no data type: is the call right?")
            exact = results["float64"]
            order = "none" if exact is None else gradients(*exact)
            yield function, Facts(name, places(name, module), order, dtypes(taken))


def rows(module: str, functions: Any, table: dict[str, str]) -> Iterator[str]:
    """The rows of the page, one for all names of a function."""
    groups: dict[Any, list[str]] = {}
    for function, found in sorted(facts(module, functions, table), key=lambda pair: pair[1].name):
        groups.setdefault((id(function), *found[1:]), []).append(f"`{found.name}`")
    for (_, *found), names in groups.items():
        yield f"| {', '.join(names)} | {' | '.join(found)} | NumPy, CuPy |"


HEAD = """\
<!-- Made by docs/operators.py from the operators themselves: change it there. -->

# Operators

What is called in PyTorch's words, as `dg.NAME`, as a method of [`Tensor`](api/distgrad.Tensor.md),
under `dg.linalg`, `dg.special` and `dg.nn.functional`, here `F`. *in place* means that a Tensor has
the method `NAME_`, too. Each row was found by calls with tensors of `bool`, `uint8`, `int64`,
`float16`, `float32` and `float64`.

- Gradients of *every order*: each rule is made of operators that have rules, so that
  `create_graph=True` records them. Where the table says *none*, results require no gradient.
- *integers* are all of them; *floats* are `float16`, `float32` and `float64`, and, but for
  quantiles, `bfloat16` where `ml_dtypes` is installed. Of that an operator computes in float32, and
  rounds its result once, to the nearest of two numbers, or the even one; so do its gradients.
  Beside an integer or a Python number it stays `bfloat16`; with float16 or float32 it becomes
  float32.
- Functions and rules are written once, over any array library. Each row is computed and tested with
  NumPy, and by `tests/functional/test_on_device.py` on a strict double of CuPy, with the same
  results; on a GPU they have not been run yet. Random numbers are drawn on the CPU and moved. Where
  shapes or choices depend on values, a GPU is waited for: `unique`, `nonzero`, masks as indices,
  checks of indices and targets, the scaling in `matrix_exp`.
"""


TABLES = (
    ("Operators of `dg` and `Tensor`", "dg", functional, FUNCTIONS),
    ("Methods of `Tensor` alone", "Tensor", dg.Tensor, METHODS),
    ("Linear algebra, `dg.linalg`", "linalg", linalg, LINALG),
    ("Special functions, `dg.special`", "special", special, SPECIAL),
    ("Neural networks, `dg.nn.functional`", "F", F, NETWORK),
)
"""For each table of the page its title, where its functions are, and the calls of them."""


def page() -> str:
    """The text of the page."""
    parts = [HEAD]
    table = (
        "\n| operator | as | gradients | data types | backends |\n| --- | --- | --- | --- | --- |\n"
    )
    for title, module, functions, calls in TABLES:
        parts.append(f"\n## {title}\n{table}" + "\n".join(rows(module, functions, calls)) + "\n")
    made = " ".join(f"`{name}`" for name in sorted(creation.__all__))
    parts.append(f"\n## Creation\n\nWithout gradients, in all data types: {made}\n")
    parts.append(
        "\n## Differences from PyTorch\n\n| what | difference | why |\n| --- | --- | --- |\n"
    )
    parts += [f"| {' | '.join(difference)} |\n" for difference in DIFFERENCES]
    return "".join(parts)


def missing() -> set[str]:
    """Public operators that no table has, and names in the tables that are none."""
    public = {*functional.__all__, *linalg.__all__, *special.__all__, *F.__all__} - NO_OPERATORS
    tables = (FUNCTIONS, LINALG, SPECIAL, NETWORK)
    called = {name for table in tables for names in table.values() for name in names.split()}
    return public ^ called


if __name__ == "__main__":
    if names := missing():
        raise SystemExit(f"give these a call in {__file__}, or remove them: {sorted(names)}")
    PAGE.write_text(page(), encoding="utf-8")
