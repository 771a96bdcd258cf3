"""What the processor would allow: its matrix product against a network's operations."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import keras


def matmul_gflops(n: int = 1024, repeats: int = 8) -> float:
    """fp32 product of two (n, n) matrices on all cores, billions of operations a second."""
    import tensorflow as tf

    a = tf.random.normal((n, n))
    seconds = []
    for _ in range(repeats):
        start = time.perf_counter()
        tf.matmul(a, a).numpy()
        seconds.append(time.perf_counter() - start)
    return 2 * n**3 / min(seconds) / 1e9


def gflops_per_image(model: keras.Model) -> float:
    """Operations of the network's graph for one image, billions, as TensorFlow counts them."""
    import tensorflow as tf

    shape = (1, *model.input_shape[1:])
    graph = tf.function(model).get_concrete_function(tf.TensorSpec(shape, tf.float32)).graph
    builder = tf.compat.v1.profiler.ProfileOptionBuilder
    silent = builder(builder.float_operation()).with_empty_output().build()
    return tf.compat.v1.profiler.profile(graph, options=silent).total_float_ops / 1e9
