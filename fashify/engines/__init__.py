"""Inference engines: what runs a backbone's network, and how precisely.

``tensorflow`` is the reference. ``openvino`` runs the same network through Intel's
runtime, in fp32, in bf16 where the processor has it, or quantised to int8. ``auto``
measures and takes the fastest that stays faithful to the reference.
"""

from fashify.engines.base import Engine, ModelSpec
from fashify.engines.fidelity import measure_agreement
from fashify.engines.make import list_engines, make_engine

__all__ = ["Engine", "ModelSpec", "list_engines", "make_engine", "measure_agreement"]
