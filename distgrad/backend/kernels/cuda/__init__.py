"""The column of kernels in CUDA C, for arrays of CuPy.

``sources/`` holds the kernels, by what they compute. Each module beside it launches those of one
family: functions with the signatures of the kernels that they stand in for, and a ``COLUMN`` that
says which. They name no array library, so that a double can run them on the host; nothing is
compiled before it is used.
"""

from distgrad.backend.kernels.table import Column

__all__ = ["load_column"]


def load_column() -> Column:
    """Return the column.

    Example:
        >>> sorted(load_column())[:2]
        ['adam_update', 'attention']
    """
    from distgrad.backend.kernels.cuda import (
        attention,
        draws,
        elementwise,
        embedding,
        images,
        loss,
        normalization,
        optimizers,
        products,
        sums,
        tree,
    )

    families = (
        attention,
        draws,
        elementwise,
        embedding,
        images,
        loss,
        normalization,
        optimizers,
        products,
        sums,
        tree,
    )
    return {name: launcher for family in families for name, launcher in family.COLUMN.items()}
