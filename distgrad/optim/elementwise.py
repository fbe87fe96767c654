"""`ElementwiseOptimizer`: the step of every optimizer that treats each element by itself.

Blocks of neighbouring parameters are joined. Since no element looks at another, the result has the
same bits however the parameters lie and are joined.
"""

from abc import abstractmethod
from functools import partial
from typing import Any

from distgrad.optim.flat_optimizer import FlatOptimizer
from distgrad.optim.optimizer import ParamGroup
from distgrad.optim.plan import Kernel

__all__ = ["ElementwiseOptimizer"]


class ElementwiseOptimizer(FlatOptimizer):
    """Base of the optimizers whose update of an element depends on that element alone.

    A subclass says in `_kernel` how a block is updated.
    """

    @abstractmethod
    def _kernel(self, group: ParamGroup, age: Any) -> Kernel:
        """Return the update of parameters that are updated for the ``age``-th time.

        Where steps are not counted, 2 stands for all times but the first.
        """

    def _update(self) -> None:
        for place, group in enumerate(self.param_groups):
            work = self._prepared(place, group)
            work.plan.run(work.ages, partial(self._kernel, group))
            self._finish(work)
