"""AdamW with groups of variables, each with its own rate and decay, and a mean of weights kept.

Loshchilov, Hutter, *Decoupled Weight Decay Regularization*, ICLR 2019. The mean is exponential
with a warm start: after n steps its momentum is n / (n + 50) until that exceeds the wanted one.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import keras
import numpy as np
from keras import ops

#: Steps over which the mean of weights warms up.
_WARM = 50

#: Momenta of gradient and squared gradient, and what keeps the quotient finite (Kingma, Ba, 2015).
_FIRST, _SECOND, _EPSILON = 0.9, 0.999, 1e-7


@dataclass(frozen=True)
class Group:
    """Factor on the learning rate, and weight decay, of a group of variables."""

    rate: float
    decay: float


class GroupedAdamW(keras.optimizers.Optimizer):
    """AdamW on any backend.

    The variables of a group are updated as one vector: a few operations a step instead of a few
    for each of some hundred variables, which on PyTorch, run eagerly, took half of the time.

    Args:
        rate: schedule of the learning rate.
        groups: of the variables, in their order.
        clip: largest norm of all gradients together.
        average: momentum of the mean of weights.
    """

    def __init__(self, rate: Any, groups: Sequence[Group], *, clip: float, average: float) -> None:
        super().__init__(rate)
        self.groups, self.clip, self.average = list(groups), clip, average
        self.places: dict[Group, list[int]] = {}
        for place, group in enumerate(self.groups):
            self.places.setdefault(group, []).append(place)

    def build(self, variables: list) -> None:
        if self.built:
            return
        super().build(variables)
        self.shapes = [tuple(variable.shape) for variable in variables]
        self.states: dict[Group, dict[str, Any]] = {}
        for n, (group, places) in enumerate(self.places.items()):
            flat = _flatten([variables[place] for place in places])
            names = {part: f"{part}_{n}" for part in ("first", "second", "mean")}
            self.states[group] = {
                part: self.add_variable(flat.shape, name=name) for part, name in names.items()
            }
            self.states[group]["mean"].assign(flat)

    @property
    def means(self) -> list[Any]:
        """The mean of each variable, in their order."""
        found: dict[int, Any] = {}
        for group, places in self.places.items():
            found |= self._split(self.states[group]["mean"].value, places)
        return [found[place] for place in range(len(self.shapes))]

    def _backend_update_step(self, grads: list, variables: list, learning_rate: Any) -> None:
        step = ops.cast(self.iterations + 1, "float32")
        gradients = {
            group: _flatten([grads[place] for place in places])
            for group, places in self.places.items()
        }
        norm = ops.sqrt(sum(ops.sum(ops.square(flat)) for flat in gradients.values()))
        shrink = ops.minimum(1.0, self.clip / ops.maximum(norm, 1e-12))
        kept = ops.minimum(step / (step + _WARM), self.average)
        for group, places in self.places.items():
            state, flat = self.states[group], _flatten([variables[place] for place in places])
            rate = ops.cast(learning_rate, "float32") * group.rate
            change = _adam(self, state, gradients[group] * shrink, step)
            flat = flat - rate * (change + group.decay * flat)
            self.assign(state["mean"], state["mean"] * kept + flat * (1 - kept))
            for place, value in self._split(flat, places).items():
                self.assign(variables[place], value)

    def _split(self, flat: Any, places: list[int]) -> dict[int, Any]:
        """Place -> its variable's part of the group's vector, in its shape."""
        lengths = [int(np.prod(self.shapes[place])) for place in places]
        parts = ops.split(flat, np.cumsum(lengths)[:-1].tolist()) if len(places) > 1 else [flat]
        return {
            place: ops.reshape(part, self.shapes[place])
            for place, part in zip(places, parts, strict=True)
        }


def _adam(optimizer: GroupedAdamW, state: dict[str, Any], gradient: Any, step: Any) -> Any:
    """The change of a vector for a rate of 1, its moments brought up to date."""
    first = _FIRST * state["first"] + (1 - _FIRST) * gradient
    second = _SECOND * state["second"] + (1 - _SECOND) * ops.square(gradient)
    optimizer.assign(state["first"], first)
    optimizer.assign(state["second"], second)
    unbiased = ops.sqrt(1 - ops.power(_SECOND, step)) / (1 - ops.power(_FIRST, step))
    return unbiased * first / (ops.sqrt(second) + _EPSILON)


def _flatten(variables: list) -> Any:
    return ops.concatenate([ops.reshape(variable, (-1,)) for variable in variables])
