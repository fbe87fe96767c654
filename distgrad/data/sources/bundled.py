"""The data sets that come with scikit-learn."""

from typing import Any

from numpy.typing import NDArray

from distgrad.errors import UsageError

__all__ = ["bundled"]


def bundled(name: str) -> tuple[NDArray[Any], NDArray[Any]]:
    """Return inputs (n, features) and targets (n,) of the data set that ``load_NAME`` loads.

    Raises:
        UsageError: If scikit-learn is not installed.
    """
    try:
        import sklearn.datasets as datasets
    except ModuleNotFoundError as error:
        raise UsageError(
            f"the {name} dataset comes with scikit-learn, which is not installed; run "
            "`pip install 'distgrad[datasets]'`"
        ) from error
    inputs, targets = getattr(datasets, f"load_{name}")(return_X_y=True)
    return inputs, targets
