"""The public names: those that are listed exist, and those that exist are listed."""

import importlib
import inspect
import pkgutil
from types import ModuleType

import pytest

import distgrad as dg

MODULES = sorted(
    module.name
    for module in pkgutil.walk_packages(dg.__path__, "distgrad.")
    if not module.name.endswith("__main__")
)


def load(name: str) -> ModuleType:
    try:
        return importlib.import_module(name)
    except ImportError as error:
        if (error.name or "distgrad").split(".")[0] == "distgrad":
            raise
        pytest.skip(f"{error.name} is not installed")


@pytest.mark.parametrize("name", ["distgrad", *MODULES])
def test_listed_names_exist_once(name: str) -> None:
    module = load(name)
    listed = getattr(module, "__all__", [])
    assert len(set(listed)) == len(listed)
    for public in listed:
        assert hasattr(module, public), f"{name}.__all__ lists {public!r}, which does not exist"


@pytest.mark.parametrize("name", ["distgrad", *MODULES])
def test_every_module_and_public_name_is_documented(name: str) -> None:
    module = load(name)
    assert module.__doc__, f"{name} has no docstring"
    if name == "distgrad.ops":
        return  # NumPy's names with NumPy's meaning
    for public in getattr(module, "__all__", []):
        value = getattr(module, public)
        ours = getattr(value, "__module__", "").startswith("distgrad")
        if ours and (inspect.isclass(value) or inspect.isfunction(value)):
            assert value.__doc__, f"{name}.{public} has no docstring"


AROUND = {"TYPE_CHECKING", "import_module"}
"""What the package needs for itself."""


def test_the_package_lists_all_that_it_shows() -> None:
    shown = {
        name
        for name, value in vars(dg).items()
        if name[0] != "_" and not inspect.ismodule(value) and name not in AROUND
    }
    listed = {name for name in dg.__all__ if not inspect.ismodule(getattr(dg, name))}
    assert listed - {"__version__"} == shown


def test_star_import_gives_the_listed_names() -> None:
    names: dict[str, object] = {}
    exec("from distgrad import *", names)
    assert set(names) - {"__builtins__"} == set(dg.__all__)


def test_what_users_of_pytorch_look_for_is_there() -> None:
    expected = """
        Tensor tensor as_tensor from_numpy zeros ones full zeros_like ones_like arange linspace rand
        randn manual_seed no_grad enable_grad set_grad_enabled is_grad_enabled autograd
        float16 float32 float64 int32 int64 bool_
        abs add all any argmax div dot exp flatten isfinite log matmul max mean mul neg norm pow
        relu reshape sqrt sub sum tanh transpose
        argmin cat chunk clamp einsum erf logsumexp maximum min minimum permute sigmoid softmax
        split squeeze stack std unsqueeze var where
        acos addcdiv addcmul asin atan atan2 ceil clamp_max clamp_min copysign cos cosh erfc exp2
        expm1 floor floor_divide fmax fmin fmod frac hypot lerp log10 log1p log2 logaddexp
        nan_to_num reciprocal remainder round rsqrt rsub sign sin sinh square tan true_divide trunc
        xlogy
        eq ge gt isclose isinf isnan le logical_and logical_not logical_or logical_xor lt ne
        amax amin cummax cummin cumprod cumsum linalg log_softmax logcumsumexp median nanmean nansum
        prod std_mean trace var_mean
    """
    assert set(expected.split()) <= set(dg.__all__)
    assert dg.__version__
