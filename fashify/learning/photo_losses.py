"""The losses of a network for photos, in ``keras.ops``, each a mean over what it can judge."""

from __future__ import annotations

from typing import Any

#: Stands for minus infinity where a logit is left out.
_OUT = -1e4


def label_loss(logits: Any, codes: Any) -> Any:
    """Cross entropy of (n, c) logits and (n,) codes; rows without a label, -1, count as 0."""
    from keras import ops

    known = ops.cast(codes >= 0, "float32")
    one_hot = ops.one_hot(ops.maximum(codes, 0), logits.shape[1])
    return ops.mean(-ops.sum(ops.log_softmax(logits) * one_hot, axis=1) * known)


def photo_loss(logits: Any, answers: Any) -> Any:
    """Minus the log of the summed posterior of all types that answer each photo.

    Args:
        logits: (p, c) of the article types.
        answers: (p, c) 1 for a type that answers the photo, else 0.
    """
    from keras import ops

    answered = ops.log_softmax(logits) + (1 - answers) * _OUT
    return -ops.mean(ops.logsumexp(answered, axis=1))


def instance_loss(clean: Any, composed: Any, groups: Any, temperature: float) -> Any:
    """InfoNCE both ways between two views of products, at unit length.

    van den Oord et al., arXiv:1807.03748. Other products of a product's group are neither right
    nor wrong: they are left out.

    Args:
        clean: (n, d) views of n products; those without a composed view are wrong answers more.
        composed: (m, d) other views of the first m of them.
        groups: (n,) equal within a group.
        temperature: cosines are divided by it.
    """
    from keras import ops

    m, n = composed.shape[0], clean.shape[0]
    same = ops.cast(ops.expand_dims(groups[:m], 1) == ops.expand_dims(groups, 0), "float32")
    itself = ops.eye(m, n)
    logits = ops.matmul(composed, ops.transpose(clean)) / temperature
    logits = logits + (same - itself) * _OUT
    ways = (logits, ops.transpose(logits[:, :m]))
    right = (ops.sum(ops.log_softmax(way) * itself[:, : way.shape[1]], axis=1) for way in ways)
    return -sum(ops.mean(one) for one in right) / 2


def text_loss(texts: Any, views: Any, fits: Any, named: Any, scale: Any) -> Any:
    """InfoNCE between t texts and v views, (t, d) and (v, d) at unit length.

    From texts to views, and from views to those texts that are names: an attribute fits many
    pictures and says little of which.

    Args:
        fits: (t, v) 1 where the text fits the view; a row of zeros is no text.
        named: (t,) 1 where the text is a name.
        scale: of the cosines.
    """
    from keras import ops

    logits = scale * ops.matmul(texts, ops.transpose(views))
    found = _contrast(logits, fits)
    by_name = ops.expand_dims(named, 0)
    back = ops.transpose(logits) + (1 - by_name) * _OUT
    return (found + _contrast(back, ops.transpose(fits) * by_name)) / 2


def _contrast(logits: Any, fits: Any) -> Any:
    """Minus the log share of what fits, mean over the rows in which anything does."""
    from keras import ops

    able = ops.cast(ops.any(fits > 0, axis=1), "float32")
    right = ops.logsumexp(logits + (1 - fits) * _OUT, axis=1)
    lost = ops.logsumexp(logits, axis=1) - right
    return ops.sum(lost * able) / ops.maximum(ops.sum(able), 1.0)
