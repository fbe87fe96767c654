"""`Shard`: the slice of all parameters and of their mean gradient that one rank steps."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

from distgrad.autograd.op_node import new_version
from distgrad.backend import Array, array_namespace
from distgrad.flat import FlatLayout, FlatSegment
from distgrad.nn import Parameter
from distgrad.tensor import Tensor

__all__ = ["Piece", "Shard", "ShardedGradient"]


class ShardedGradient(Tensor):
    """Stands for a gradient that lies in slices on all ranks: whatever looks at it is refused."""

    __slots__ = ()

    def __init__(self) -> None:
        self.grad = None
        self.node = None
        self.version = new_version()
        self.view_of = None

    @property
    def data(self) -> Array:
        """Refused.

        Raises:
            RuntimeError: Always, with the ways to what a gradient is read for.
        """
        raise RuntimeError(
            'with reduction="sharded" a gradient lies in slices on all ranks, and .grad cannot be '
            "read: clip with model.clip_grad_norm_(), step with ShardedOptimizer, and drop it with "
            'zero_grad() before loss.backward(); or use reduction="tree"'
        )

    def __repr__(self) -> str:
        return "<gradient in slices on all ranks>"

    def __reduce__(self) -> Any:
        return ShardedGradient, ()

    def __deepcopy__(self, memo: dict[int, Any]) -> "ShardedGradient":
        return ShardedGradient()


class Piece(NamedTuple):
    """What of one parameter lies in the slice: vectors, empty for many parameters.

    Attributes:
        segment: Where the whole parameter lies.
        part: Where the piece lies, in the same flat array.
        tensor: Its values; its ``.grad`` is what `Shard.follow` made it.
        gradient: Its mean gradient.
    """

    segment: FlatSegment
    part: slice
    tensor: Parameter
    gradient: Tensor

    def cut(self, array: Array) -> Array:
        """Return a copy of what an array of the parameter's shape has where the piece lies."""
        offset = self.segment.offset
        piece: Array = array.reshape(-1)[self.part.start - offset : self.part.stop - offset]
        return piece.copy()


class Shard:
    """The slice of all parameters, and of their mean gradient, that one rank steps.

    Args:
        rank: This rank.
        layout: Where each parameter lies.
        parameters: The parameters, in the order of the layout.
        values: The flat array in which they lie.
        bounds: Rank r keeps the elements bounds[r] to bounds[r + 1].
        gather: Brings an array up to date of which each rank has changed its slice.

    Attributes:
        kept: Where the slice lies in a flat array.
        gradient: The slice of the flat gradient.
        pieces: For each parameter its piece.
    """

    def __init__(
        self,
        rank: int,
        layout: FlatLayout,
        parameters: Sequence[Parameter],
        values: Array,
        bounds: Sequence[int],
        gather: Callable[[Array], None],
    ) -> None:
        self._layout = layout
        self._values = values
        self._gather = gather
        start, stop = bounds[rank], bounds[rank + 1]
        self.kept = slice(start, stop)
        self._xp = array_namespace(values)
        self.gradient: Array = self._xp.zeros(stop - start, layout.dtype)
        parts = layout.parts_within(start, stop)
        self.pieces: dict[Any, Piece] = {
            parameter: Piece(
                segment,
                part,
                Parameter(values[part]),
                Tensor(self.gradient[part.start - start : part.stop - start]),
            )
            for parameter, segment, part in zip(parameters, layout, parts, strict=True)
        }

    def piece(self, parameter: Tensor) -> Piece:
        """Return the piece of a parameter.

        Raises:
            ValueError: If the model has no such parameter.
        """
        if parameter not in self.pieces:
            raise ValueError(
                f"a tensor of shape {parameter.shape} is not a parameter that the model had when "
                "DataParallel was built; give the optimizer parameters of the model, all of which "
                "are there before"
            )
        return self.pieces[parameter]

    def follow(self) -> None:
        """Give the pieces of those parameters a gradient that have one, and the others none.

        Raises:
            RuntimeError: If a parameter or a gradient is not where `DataParallel` put it.
        """
        for parameter, piece in self.pieces.items():
            if parameter.data.base is not self._values:
                raise RuntimeError(
                    f"parameter {piece.segment.name!r} does not lie where DataParallel put it; "
                    "change its values in place, by copy_() or load_state_dict(), and not by "
                    "giving it other .data"
                )
            if not isinstance(parameter.grad, ShardedGradient | None):
                raise RuntimeError(
                    f"the gradient of {piece.segment.name!r} was not reduced over the ranks; end "
                    "the step with model.accumulate(), model.reduce() or a loss.backward() "
                    "outside no_sync()"
                )
            piece.tensor.grad = piece.gradient if parameter.grad is not None else None

    def gather_values(self) -> None:
        """Bring the parameters up to date on all ranks, each of which changed its own slice."""
        self._gather(self._values)

    def gathered(self, arrays: Mapping[Any, Array]) -> dict[Any, Array]:
        """Return whole arrays, shaped as the parameters, of the pieces that each rank has.

        Args:
            arrays: For some parameters, the same on all ranks, a vector as long as the piece.
        """
        flat = self._layout.zeros(self._xp)
        for parameter, array in arrays.items():
            flat[self.pieces[parameter].part] = array
        self._gather(flat)
        wholes = zip(self.pieces, self._layout.views(flat), strict=True)
        return {parameter: whole for parameter, whole in wholes if parameter in arrays}
