"""Functions and methods stand where PyTorch has them, under its names."""

import pytest

import distgrad as dg

torch = pytest.importorskip("torch")

INDEXING = """
    gather scatter scatter_add scatter_reduce index_select index_add index_copy index_fill index_put
    index_reduce masked_fill masked_select masked_scatter take_along_dim take put select narrow tril
    triu diag diagonal diag_embed diagflat sort argsort msort topk kthvalue unbind
"""
SHAPE = """
    reshape view view_as reshape_as flatten unflatten ravel permute transpose swapaxes swapdims t T
    mT movedim moveaxis squeeze unsqueeze expand expand_as broadcast_to broadcast_tensors repeat
    tile repeat_interleave cat concat concatenate stack hstack vstack dstack column_stack split
    split_with_sizes chunk tensor_split hsplit vsplit dsplit roll flip fliplr flipud rot90 unfold
    clone contiguous meshgrid diff atleast_1d atleast_2d atleast_3d
"""
LINEAR_ALGEBRA = """
    matmul mm bmm mv dot vdot outer ger inner addmm addbmm addmv addr baddbmm tensordot einsum kron
    cross cdist inverse det slogdet logdet cholesky matrix_power
"""
FURTHER = """
    absolute acosh allclose aminmax angle arccos arccosh arcsin arcsinh arctan arctan2 arctanh
    argwhere asinh atanh bitwise_and bitwise_left_shift bitwise_not bitwise_or bitwise_right_shift
    bitwise_xor block_diag chain_matmul cholesky_inverse cholesky_solve clip corrcoef count_nonzero
    cov cumulative_trapezoid deg2rad dist divide equal fix float_power gcd greater greater_equal
    heaviside isin isneginf isposinf isreal lcm ldexp less less_equal logaddexp2 logit matrix_exp
    mode multiply nanmedian nanquantile negative nextafter nonzero not_equal pinverse positive
    quantile rad2deg renorm row_stack sgn signbit sinc subtract trapezoid trapz unique
    unique_consecutive
"""
LINALG = """
    cholesky cond cross det diagonal eigh eigvalsh inv lstsq matmul matrix_exp matrix_norm
    matrix_power matrix_rank multi_dot norm pinv qr slogdet solve solve_triangular svd svdvals
    tensorinv tensorsolve vecdot vector_norm LinAlgError
"""


@pytest.mark.parametrize("name", (INDEXING + SHAPE + LINEAR_ALGEBRA + FURTHER).split())
def test_functions_and_methods(name: str) -> None:
    assert hasattr(dg, name) == hasattr(torch, name)
    assert hasattr(dg.Tensor, name) == hasattr(torch.Tensor, name)


def test_linear_algebra() -> None:
    assert sorted(LINALG.split()) == sorted(dg.linalg.__all__)
    assert all(hasattr(torch.linalg, name) for name in LINALG.split())
