"""The samples and the model that a configuration names, built and tried on each other."""

from distgrad.autograd import no_grad
from distgrad.backend import Array
from distgrad.data import Split, TensorDataset
from distgrad.errors import UsageError
from distgrad.nn import Module
from distgrad.tensor import Tensor
from distgrad.training.component import ModelConfig, SourceConfig

__all__ = ["build_model", "build_split", "check_fit"]


def build_split(source: SourceConfig) -> Split:
    """Return the samples of a source.

    Raises:
        UsageError: If the source fails, or if what it returns cannot be trained on.
    """
    split = source.build()
    if not isinstance(split, Split):
        raise UsageError(f"source {source.name}: must return a distgrad.data.Split, got {split!r}")
    for part, dataset in split._asdict().items():
        if not isinstance(dataset, TensorDataset) or not {"x", "y"} <= dataset.arrays.keys():
            raise UsageError(
                f"source {source.name}: the {part} part must be a TensorDataset with the fields x "
                f"and y, got {dataset!r}"
            )
        if not len(dataset):
            raise UsageError(
                f"source {source.name}: the {part} part is empty; a run needs at least 1 sample "
                "to train on and 1 to test on"
            )
    return split


def build_model(model: ModelConfig) -> Module:
    """Return a model, its initial parameters drawn from the current random scope.

    Raises:
        UsageError: If the component fails, or if what it returns is no model.
    """
    module = model.build()
    if not isinstance(module, Module):
        raise UsageError(f"model {model.name}: must return a distgrad.nn.Module, got {module!r}")
    return module


def check_fit(module: Module, split: Split, *, classes: bool) -> None:
    """Run one sample through the model and compare what comes out with the targets of all.

    Args:
        module: Its output is (N, classes, ...), or has the shape of the targets.
        split: The samples.
        classes: Whether the targets number the classes, or are what the output should be.

    Raises:
        UsageError: If the model does not take the samples, or if its output and a target do not
            belong together.
    """
    output = _output_of_one(module, split.train)
    for part, dataset in split._asdict().items():
        targets = dataset.arrays["y"]
        found = (
            f"the model's output has shape {_batched(output)} and y of the {part} part is "
            f"{targets.dtype} of shape {_batched(targets)}"
        )
        if classes:
            _check_labels(part, output, targets, found)
        elif output.shape[1:] != targets.shape[1:]:
            raise UsageError(f"mse takes an output and targets of one shape; {found}")


def _output_of_one(module: Module, dataset: TensorDataset) -> Tensor:
    x = dataset.take([0]).x
    training = module.training
    module.eval()
    try:
        with no_grad():
            output = module(x)
    except (ValueError, TypeError, IndexError, RuntimeError) as error:
        raise UsageError(
            f"the model does not take x of shape {x.shape} (one sample): {error}"
        ) from error
    finally:
        module.train(training)
    if not isinstance(output, Tensor) or output.shape[:1] != (1,):
        shape = getattr(output, "shape", type(output).__name__)
        raise UsageError(f"the model's output for one sample must have shape (1, ...), got {shape}")
    return output


def _check_labels(part: str, output: Tensor, labels: Array, found: str) -> None:
    if output.ndim < 2 or labels.shape[1:] != output.shape[2:] or labels.dtype.kind not in "iu":
        raise UsageError(
            "cross_entropy takes an output of shape (N, classes, ...) and integer labels of shape "
            f"(N, ...); {found}"
        )
    classes = output.shape[1]
    least, most = int(labels.min()), int(labels.max())
    if least < 0 or most >= classes:
        wider = "" if least < 0 else f"give the model {most + 1} outputs, or "
        raise UsageError(
            f"the model's {classes} outputs take labels from 0 to {classes - 1}, but y of the "
            f"{part} part has labels from {least} to {most}; {wider}number the labels from 0"
        )


def _batched(array: Array | Tensor) -> str:
    """Return the shape with N for the number of samples."""
    return f"(N,{','.join(f' {length}' for length in array.shape[1:])})"
