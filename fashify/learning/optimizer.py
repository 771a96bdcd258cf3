"""AdamW with groups of variables, each with its own rate and decay, and a mean of weights kept.

Loshchilov, Hutter, *Decoupled Weight Decay Regularization*, ICLR 2019. The mean is exponential
with a warm start: after n steps its momentum is n / (n + 50) until that exceeds the wanted one.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import keras
from keras import ops

#: Steps over which the mean of weights warms up.
_WARM = 50


@dataclass(frozen=True)
class Group:
    """Factor on the learning rate, and weight decay, of a group of variables."""

    rate: float
    decay: float


class GroupedAdamW(keras.optimizers.Adam):
    """AdamW on any backend.

    Args:
        rate: schedule of the learning rate.
        groups: of the variables, in their order.
        clip: largest norm of all gradients together.
        average: momentum of the mean of weights.

    Attributes:
        means: the mean of each variable, in their order.
    """

    def __init__(self, rate: Any, groups: Sequence[Group], *, clip: float, average: float) -> None:
        super().__init__(rate, global_clipnorm=clip)
        self.groups, self.average = list(groups), average
        self.means: list[Any] = []

    def build(self, variables: list) -> None:
        if self.built:
            return
        super().build(variables)
        self.means = [self.add_variable_from_reference(one, "mean") for one in variables]
        for mean, variable in zip(self.means, variables, strict=True):
            # A copy: JAX may not be given one buffer under two names.
            mean.assign(ops.multiply(variable, 1.0))

    def update_step(self, gradient: Any, variable: Any, learning_rate: Any) -> None:
        place = self._get_variable_index(variable)
        group, mean = self.groups[place], self.means[place]
        rate = ops.cast(learning_rate, variable.dtype) * group.rate
        if group.decay:
            self.assign_sub(variable, ops.multiply(variable, rate * group.decay))
        super().update_step(gradient, variable, rate)
        step = ops.cast(self.iterations + 1, variable.dtype)
        kept = ops.minimum(step / (step + _WARM), self.average)
        self.assign(mean, mean * kept + variable * (1 - kept))
