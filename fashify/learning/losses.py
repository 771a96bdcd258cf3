"""Losses over cosines between embeddings and one proxy per class; items without label count 0."""

from __future__ import annotations

from typing import Any

#: Normalised softmax: what cosines are multiplied with before the softmax.
SCALE = 16.0

#: Proxy anchor: sharpness and margin, as in the paper.
SHARPNESS, MARGIN = 32.0, 0.1


def normalised_softmax(codes: Any, cosines: Any) -> Any:
    """Cross entropy over scaled cosines: (b,) from codes (b,), -1 for none, cosines (b, c).

    Zhai and Wu, *Classification is a strong baseline for deep metric learning*, BMVC 2019.
    """
    import keras

    labelled = keras.ops.cast(codes >= 0, "float32")
    chosen = keras.ops.maximum(codes, 0)
    loss = keras.losses.sparse_categorical_crossentropy(chosen, SCALE * cosines, from_logits=True)
    return labelled * loss


def proxy_anchor(codes: Any, cosines: Any) -> Any:
    """Proxies as anchors, all items of a batch as their positives and negatives: a scalar.

    Kim et al., *Proxy anchor loss for deep metric learning*, CVPR 2020, equation 4.
    """
    import keras

    ops = keras.ops
    n_classes = cosines.shape[-1]
    labelled = ops.cast(codes >= 0, "float32")[:, None]
    positive = ops.one_hot(ops.maximum(codes, 0), n_classes) * labelled
    negative = (1 - positive) * labelled
    pull = ops.sum(positive * ops.exp(-SHARPNESS * (cosines - MARGIN)), axis=0)
    push = ops.sum(negative * ops.exp(SHARPNESS * (cosines + MARGIN)), axis=0)
    present = ops.cast(ops.any(positive > 0, axis=0), "float32")
    return ops.sum(ops.log1p(pull)) / ops.maximum(ops.sum(present), 1) + ops.mean(ops.log1p(push))


LOSSES = {"softmax": normalised_softmax, "proxy-anchor": proxy_anchor}
