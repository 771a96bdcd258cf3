"""The extraction benchmark: contenders in processes of their own, one that cannot run left out."""

from __future__ import annotations

import pytest

from fashify.bench import extraction as bench
from fashify.bench.contenders import ENGINES, PerImage, Subject
from fashify.errors import EngineError

SUBJECT = Subject("sample", 16, "efficientnet-lite0", "imagenet")


def test_contender_has_own_process():
    """A contender has a process and memory of its own."""
    with bench._start_process("openvino fp32", SUBJECT) as there:
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
        bench._start_process("openvino fp32", subject) as there,
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
    benches, left_out = bench._start_benches(ENGINES, SUBJECT, None)
    assert list(benches) == ["tensorflow fp32", "openvino fp32", "openvino int8"]
    assert [one["name"] for one in left_out] == ["openvino bf16"]
    assert "bfloat16" in left_out[0]["reason"]


def test_ratios_are_taken_within_a_turn():
    class Known:
        def __init__(self, rate):
            self.rate = rate

        def ask(self, what, *_):
            import numpy as np

            return np.eye(8, dtype=np.float32) if what == "features" else 123.4

    names = ["predict, each image", "tensorflow fp32"]
    rates = {
        names[0]: {"forward": [1.0, 2.0, 4.0], "from_files": [1.0, 1.0, 1.0]},
        names[1]: {"forward": [5.0, 10.0, 20.0], "from_files": [4.0, 9.0, 19.0]},
    }
    limits = bench.np.array([10.0, 20.0, 40.0])
    records = bench._make_records({name: Known(1) for name in names}, rates, limits, True)
    assert records[1]["ratio_forward"] == 5
    assert records[1]["from_files_of_forward"] == 0.9
    assert records[1]["of_matmul_limit"] == 0.5
    assert records[1]["peak_mb"] == 123


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
