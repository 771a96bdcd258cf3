"""Which store the demo opens when none is named."""

from __future__ import annotations

import zipfile
from pathlib import Path

import pytest
from fakes import GridBackbone, GridEngine

from fashify import extract_features, load_catalogue
from fashify.data import SAMPLE
from fashify.demo import DemoService, service
from fashify.demo.service import ensure_default_store
from fashify.learning import learn_head
from fashify.retrieval import Retriever
from fashify.store import FeatureStore


@pytest.fixture
def places(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[Path, Path]:
    """Where the settings' store would be, and the sample's; both absent."""
    monkeypatch.setenv("FASHIFY_STORE", str(tmp_path / "mine"))
    monkeypatch.setenv("FASHIFY_CACHE", str(tmp_path / "cache"))
    return tmp_path / "mine", tmp_path / "cache" / "sample-store"


@pytest.fixture(scope="module")
def catalogue():
    """Enough of the sample to learn from, read before the cache is moved."""
    return load_catalogue("sample").sample(80)


@pytest.fixture
def built(monkeypatch: pytest.MonkeyPatch, catalogue) -> list[Path]:
    """The stores that ``ensure_default_store`` builds, by a network that needs no TensorFlow."""
    built = []

    def extract(_, backbone: str, out: Path, **options) -> None:
        built.append(out)
        store_at(out, catalogue, learned=False)

    def taught(path: Path, **options) -> FeatureStore:
        return learn_head(path, **options)

    monkeypatch.setattr(service, "load_catalogue", lambda source: catalogue)
    monkeypatch.setattr(service, "extract_features", extract)
    monkeypatch.setattr(service, "learn_head", taught)
    return built


def store_at(path: Path, catalogue, *, learned: bool) -> None:
    extract_features(catalogue, GridBackbone(), path, engine=GridEngine(), progress=False)
    if learned:
        learn_head(path, method="lda")


@pytest.mark.parametrize("learned", [False, True], ids=["as built", "learned"])
def test_the_settings_store_is_chosen_as_it_is(places, built, catalogue, learned: bool) -> None:
    mine, sample = places
    store_at(mine, catalogue, learned=learned)
    store_at(sample, catalogue, learned=not learned)
    assert ensure_default_store() == mine
    assert (FeatureStore.load(mine).head is not None) == learned
    assert built == []


def test_the_samples_store_once_it_is_there(places, built, catalogue) -> None:
    _, sample = places
    store_at(sample, catalogue, learned=False)
    # What a user has learned on it since is kept, another method than the demo's own too.
    learn_head(sample, method="pca")
    assert ensure_default_store() == sample
    assert FeatureStore.load(sample).head.provenance["method"] == "pca"
    assert built == []


def test_sample_store_built_when_absent(places, built) -> None:
    """The sample's store is built and learned where none is."""
    _, sample = places
    assert ensure_default_store() == sample
    assert built == [sample]
    assert FeatureStore.load(sample).head.provenance["method"] == "lda"
    assert ensure_default_store() == sample
    assert built == [sample]


def test_page_never_opens_sample(tmp_path, catalogue, monkeypatch) -> None:
    """Its examples, photos too, come from the user's own products."""
    shop = tmp_path / "sample shop"
    shop.mkdir()
    for item_id in catalogue.item_ids[:12]:
        (shop / f"{item_id}.jpg").write_bytes(catalogue.image_bytes(item_id))
    extract_features(load_catalogue(shop), "efficientnet-lite0", tmp_path / "s", progress=False)
    opened: list[Path] = []
    real = zipfile.ZipFile

    def noted(file, *arguments, **options):
        opened.append(Path(file))
        return real(file, *arguments, **options)

    monkeypatch.setattr(zipfile, "ZipFile", noted)
    page = DemoService(Retriever.open(tmp_path / "s"))
    assert SAMPLE not in opened
    kinds = [example.query.kind for example in page.examples]
    assert (kinds.count("item"), kinds.count("photo")) == (6, 4)
    photo = next(example.query for example in page.examples if example.query.kind == "photo")
    assert any(item_id in photo.title for item_id in catalogue.item_ids[:12])
    assert photo.picture.shape == (480, 360, 3)
    assert page.facts.catalogue == "sample shop"
    assert DemoService(Retriever.open(tmp_path / "s")).examples[-1].url == page.examples[-1].url


def test_a_cache_that_cannot_be_written_stops_nothing(places, built, monkeypatch, caplog) -> None:
    """The sample's store is built in a temporary folder then, and that is said."""
    mine, _ = places
    mine.parent.mkdir(exist_ok=True)
    (mine.parent / "file").write_text("no folder")
    monkeypatch.setenv("FASHIFY_CACHE", str(mine.parent / "file" / "cache"))
    store = ensure_default_store()
    assert (store / "manifest.json").is_file()
    assert mine.parent not in store.parents
    assert "cannot be written" in caplog.text
