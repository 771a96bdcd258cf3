"""How a network for photos is trained: sizes, rates, weights of the losses."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any

from fashify.errors import ConfigError

#: Version of the recipe; a checkpoint of another version cannot be continued.
RECIPE = 4

#: Weight of each level's task; colour has an embedding of its own.
TASKS = {
    "article_type": 1.0,
    "sub_category": 0.3,
    "gender": 0.7,
    "usage": 0.3,
    "season": 0.2,
    "base_colour": 1.0,
}

#: The level whose posteriors answer photos, and the one of the colour embedding.
TYPE_LEVEL, COLOUR_LEVEL = "article_type", "base_colour"

#: Lengths of the projections: category, colour, instance, text.
LENGTHS = {"cat": 256, "col": 64, "ins": 256, "txt": 256}

#: Directions of an embedding that are served, and products that they are found from at most.
BASES, BASIS_PRODUCTS = {"cat": 96, "col": 32, "ins": 192}, 4_000


@dataclass(frozen=True)
class TrainingPlan:
    """What is trained and how long; the defaults are for a GPU.

    Attributes:
        input_size: (height, width) the network takes, pixels.
        epochs: passes over the products of the training split.
        products: clean views per step; half as many composed views and five sixteenths as many
            photos come along.
        rates: peak learning rates of network and heads at 512 products per step; of fewer they are
            smaller by the root of the ratio. They rise for an epoch, then fall along a cosine.
        decays: weight decay of both; norms and biases have none.
        clip: largest norm of the gradients together.
        drop: stochastic depth of the last block; that of earlier ones is smaller in proportion.
        dropout: share of the features left out before the heads.
        average: momentum of the mean of weights that is kept.
        prior: share of the article types' log prior that is added to their logits.
        scale: of the cosines to the proxies.
        temperature: of the instance loss.
        photo, instance, names: weights of these losses.
        named: share of the texts that are a product's name; the others are made of its labels.
        frozen: how many of the network's first layers stay as they are; 0 trains it whole.
        seed: of everything drawn.
    """

    input_size: tuple[int, int] = (160, 120)
    epochs: int = 24
    products: int = 512
    rates: tuple[float, float] = (7.2e-4, 1.8e-3)
    decays: tuple[float, float] = (2e-2, 1e-2)
    clip: float = 5.0
    drop: float = 0.1
    dropout: float = 0.2
    average: float = 0.998
    prior: float = 0.5
    scale: float = 16.0
    temperature: float = 0.07
    photo: float = 0.5
    instance: float = 1.0
    names: float = 0.5
    named: float = 0.6
    frozen: int = 0
    seed: int = 0
    tasks: dict[str, float] = field(default_factory=lambda: dict(TASKS))

    def __post_init__(self) -> None:
        if min(self.input_size) < 32 or self.epochs < 1 or self.products < 4:
            raise ConfigError(
                "an input of 32 x 32 or more, an epoch or more, 4 products a step or more",
                f"{self.input_size}, {self.epochs} and {self.products}",
                "use larger ones",
            )

    @property
    def composed(self) -> int:
        """Composed views per step."""
        return self.products // 2

    @property
    def photos(self) -> int:
        """Photos a step, where there are any."""
        return max(1, self.products * 5 // 16)

    def to_dict(self) -> dict[str, Any]:
        """The plan as JSON-ready values."""
        return (
            {"recipe": RECIPE}
            | asdict(self)
            | {
                "input_size": list(self.input_size),
                "rates": list(self.rates),
                "decays": list(self.decays),
            }
        )
