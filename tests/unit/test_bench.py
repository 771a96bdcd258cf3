"""The extraction benchmark: contenders in processes of their own, one that cannot run left out."""

from __future__ import annotations

import pytest

from fashify.bench import extraction as bench
from fashify.bench.contenders import ENGINES, PerImage, Subject
from fashify.bench.handles import start_process
from fashify.errors import EngineError

SUBJECT = Subject("sample", 16, "efficientnet-lite0", "imagenet")


def test_contender_has_own_process():
    """A contender has a process and memory of its own."""
    with start_process("openvino fp32", SUBJECT) as there:
        assert there.ask("from_files_seconds", 0, 16) > 0
        assert there.ask("features").shape == (16, 1280)
        assert 200 < there.ask("peak_mb") < 8000
        assert there.ask("facts")["backbone"] == "efficientnet-lite0"


def test_too_few_pictures_refused():
    """Too few pictures to agree on are refused before any work."""
    with pytest.raises(EngineError, match="more than 5 pictures"):
        bench.compare_engines("sample", images=5)


def test_trouble_in_a_process_is_told_here():
    subject = Subject("sample", 16, "no-such-network", "imagenet")
    with (
        start_process("openvino fp32", subject) as there,
        pytest.raises(Exception, match="no-such-network"),
    ):
        there.ask("features")


def test_unsupported_engine_left_out(monkeypatch):
    """An engine this processor lacks is left out and said."""

    class Lame:
        def __init__(self, name, _subject):
            if "bf16" in name:
                raise EngineError("a processor with bfloat16", "one without", "use fp32")

        def ask(self, what, *_):
            return 1.0

    monkeypatch.setattr(bench, "LocalBench", Lame)
    other = Subject("sample", 16, "fashify-lite", None)
    race, left_out = bench._start_benches(bench._list_entries([SUBJECT, other], ENGINES), None)
    engines = ["tensorflow fp32", "openvino fp32", "openvino int8"]
    assert [turns.entry.label for turns in race] == [
        "predict, each image",
        "predict, batches of 32",
        *(f"{name}, {one}" for name in ("efficientnet-lite0", "fashify-lite") for one in engines),
    ]
    assert [one["name"] for one in left_out] == [
        "efficientnet-lite0, openvino bf16", "fashify-lite, openvino bf16",
    ]  # fmt: skip
    assert "bfloat16" in left_out[0]["reason"]


def test_ratios_are_taken_within_a_turn():
    class Known:
        def __init__(self, cosine):
            self.cosine = cosine

        def ask(self, what, *_):
            import numpy as np

            features = np.eye(8, dtype=np.float32)
            features[:, 0] += self.cosine
            facts = {"backbone": "known", "weights": "random"}
            return {"features": features, "facts": facts, "gflops_per_image": 2.0}.get(what, 123.4)

    names = ["predict, each image", "tensorflow fp32", "openvino bf16", "openvino int8"]
    forward = [[1.0, 2.0, 4.0], [5.0, 10.0, 20.0], [9.0, 9.0, 9.0], [99.0, 99.0, 99.0]]
    files = [[1.0, 1.0, 1.0], [4.0, 9.0, 19.0], [1.0, 1.0, 1.0], [1.0, 1.0, 1.0]]
    race = [
        bench.Turns(
            bench.Entry(name, SUBJECT, name),
            Known(0.9 if "bf16" in name else 0.0),
            {"forward": forward[n], "from_files": files[n]},
        )
        for n, name in enumerate(names)
    ]
    gflops = bench.np.array([20.0, 40.0, 80.0])
    network, records = bench._judge_network(SUBJECT, race, race[0], gflops)
    assert records[1]["ratio_forward"] == 5
    assert records[1]["from_files_of_forward"] == 0.9
    assert records[1]["of_matmul_limit"] == 0.5
    assert records[1]["peak_mb"] == 123
    assert (network["matmul_limit"], network["backbone"]) == (20, "known")
    # Neither what rounds too much nor int8, which is taken only when asked for.
    assert network["fastest_faithful"] == "tensorflow fp32"


def test_baseline_takes_nearest_pixels():
    """The baseline takes the nearest pixels one picture at a time."""
    calls = []

    class Model:
        def predict(self, batch, **_):
            calls.append(batch.shape)
            return batch.reshape(len(batch), -1)[:, :4]

    class Known:
        keras_model = Model()

        class spec:
            input_size = (8, 6)

    from fashify import load_catalogue

    catalogue = load_catalogue("sample")
    baseline = PerImage(Known(), catalogue.storage)
    assert baseline.from_files(list(catalogue.table["path"][:3])).shape == (3, 4)
    assert calls == [(1, 8, 6, 3)] * 3
