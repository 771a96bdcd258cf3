"""Heads and photos: composed views of the catalogue's own products, and curves for both."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from fashify import extract_features, load_catalogue
from fashify.catalogue.photos import load_photos
from fashify.errors import NoLabelsError, QueryError
from fashify.evaluation.trust import measure_trust
from fashify.features.framing import is_photo
from fashify.heads.head import Part
from fashify.heads.strength import Strength, choose_threshold, count_alarms, fit_strength
from fashify.learning import learn_head, methods
from fashify.learning.material import ComposedViews, Material
from fashify.learning.weights import ChosenWeights, _is_as_good, choose_weights
from fashify.retrieval.retriever import Retriever

RNG = np.random.default_rng(0)


def test_a_picture_on_a_shops_plain_ground_is_no_photo() -> None:
    shop = np.full((80, 60, 3), 250, np.uint8)
    shop[20:60, 15:45] = (200, 30, 40)
    assert not is_photo(shop)
    shop[20:, :] = RNG.integers(0, 255, (60, 60, 3))
    assert is_photo(shop)
    assert is_photo(np.full((10, 10, 3), 40, np.uint8))
    assert is_photo(RNG.integers(0, 255, (1, 1, 3), dtype=np.uint8) // 2)


def _curve(beyond: float, photos: Strength | None = None) -> Strength:
    ends = np.array([0.0, 1.0])
    return Strength(ends, ends[::-1].copy(), beyond, 0.7, 9, 0.1, None, photos)


def test_a_photo_goes_by_its_own_curve_and_both_survive_a_file() -> None:
    strength = _curve(0.2, _curve(0.6))
    assert strength.words(0.4) == "nothing similar"
    assert strength.curve(photo=True).words(0.4) == "similar"
    assert strength.curve(photo=False) is strength
    assert _curve(0.2).curve(photo=True) is None
    again = Strength.from_json(strength.to_json())
    assert again.to_json() == strength.to_json()
    assert again.photos is not None
    assert (again.photos.nothing_beyond, again.false_alarms, again.absent_found) == (0.6, 0.1, None)


def test_a_curve_of_the_last_format_is_still_read() -> None:
    for version in (b"1", b"2"):
        text = _curve(0.2).to_json().replace(b'"version": 3', b'"version": ' + version)
        assert Strength.from_json(text).nothing_beyond == 0.2


def test_alarms_counted_by_hand() -> None:
    """Relevant up to 0.3, never beyond: of right first matches at .1, .2, .4 a third is lost."""
    near = np.array([[0.1, 0.2, 0.3, 0.5, 0.6]])
    fitted = fit_strength(near, near <= 0.3)
    assert fitted.nothing_beyond == pytest.approx(0.3)
    told = count_alarms(
        fitted, np.array([0.1, 0.2, 0.4]), np.array([0.2, 0.9]), np.array([0.5, 0.6])
    )
    assert told.false_alarms == pytest.approx(1 / 3)
    assert told.absent_found == pytest.approx(1 / 2)
    assert told.others_found == 1


def test_nothing_similar_begins_where_it_tells_most() -> None:
    """Of twenty right first matches two may be lost, three are too many."""
    near = np.array([[0.1, 0.2, 0.3, 0.5, 0.6]])
    fitted = fit_strength(near, near <= 0.3)
    first = np.append(np.full(17, 0.1), [0.34, 0.5, 0.5])
    told = choose_threshold(fitted, first, np.array([0.2, 0.35, 0.36, 0.37]))
    assert told.nothing_beyond == pytest.approx(0.34)
    assert (told.false_alarms, told.absent_found) == (pytest.approx(0.1), pytest.approx(0.75))
    far = told.scale(2)
    assert far.nothing_beyond == pytest.approx(0.68)
    assert far.probability(0.6) == pytest.approx(told.probability(0.3))


def test_a_match_that_its_neighbours_contradict_counts_as_farther() -> None:
    """Right are the matches that others agree with, whatever their distance."""
    rng = np.random.default_rng(3)
    distances, agreement = rng.uniform(0.1, 0.4, (400, 5)), rng.integers(0, 5, (400, 5)) / 4
    relevant = rng.random((400, 5)) < agreement * (1 - distances)
    sure = np.ones((400, 5))
    fitted = fit_strength(distances, relevant, agreement, sure)
    assert fitted.dissent > 0
    assert fitted.doubt == 0
    assert fitted.probability(0.2, 1.0) > fitted.probability(0.2, 0.25) + 0.3
    assert Strength.from_json(fitted.to_json()).dissent == pytest.approx(fitted.dissent, abs=1e-6)


def test_confidence_is_the_largest_share_of_a_posterior(labelled) -> None:
    out, _ = labelled
    store = learn_head(out, method="none")
    vectors = np.asarray(store.vectors[:4])
    (part,) = (part for part in store.head.parts if part.name == "category")
    (kernel, bias), posterior = part.layers[0], part.posteriors[0]
    embedded = store.features[:4] @ kernel + bias
    embedded /= np.linalg.norm(embedded, axis=1, keepdims=True)
    expected = np.square(posterior(embedded)).max(axis=1)
    np.testing.assert_allclose(store.head.confidence(vectors), expected, rtol=1e-3)
    assert (store.head.confidence(vectors, "season") == 1).all()


def _axis(name: str, column: int) -> Part:
    kernel = np.zeros((4, 2), np.float32)
    kernel[2 * column, 0] = kernel[2 * column + 1, 1] = 1
    return Part(name, ("deep",), ((kernel, np.zeros(2, np.float32)),))


def _two_sided() -> Material:
    """Of pictures the first part knows the type, of views of them only the second does."""
    n = 60
    types = np.arange(n) % 2
    known = np.eye(2)[types]
    noise = RNG.normal(size=(n, 2))
    views = ComposedViews(
        np.arange(40, n),
        np.full(20, "validation"),
        {"deep": np.concatenate([noise, known], axis=1)[40:].astype(np.float32)},
    )
    split = np.where(np.arange(n) < 40, "train", "validation")
    labels = {"article_type": np.array(["A", "B"], object)[types]}
    deep = np.concatenate([known, known], axis=1) + RNG.normal(size=(n, 4)) * 0.01
    return Material({"deep": deep.astype(np.float32)}, labels, split, np.arange(n), views=views)


def test_weights_are_chosen_on_both_kinds_of_query() -> None:
    parts = [_axis("first", 0), _axis("second", 1)]
    chosen = choose_weights(parts, _two_sided())
    assert chosen.weights["second"] > 0.5
    assert chosen.composed["article_type"] > 0.9
    assert chosen.measured["article_type"] == 1


def test_weights_that_harm_photos_are_worth_nothing() -> None:
    parts, material = [_axis("first", 0), _axis("second", 1)], _two_sided()
    good = ChosenWeights({}, {"article_type": 1.0}, {"article_type": 0.99})
    assert choose_weights(parts, material, grid=[(0.9, 0.1)], replaced=good).worth == 0
    worse = ChosenWeights({}, {"article_type": 1.0}, {"article_type": 0.9})
    assert choose_weights(parts, material, replaced=worse).worth > 0


def test_weights_that_harm_products_are_worth_nothing() -> None:
    parts, material = [_axis("first", 0), _axis("second", 1)], _two_sided()
    worse_on_views = {"article_type": 0.1}
    # Precision and its macro mean add up, so that one may pay for the other.
    better = ChosenWeights({}, {"article_type": 1.1, "article_type, macro": 1.0}, worse_on_views)
    assert choose_weights(parts, material, replaced=better).worth == 0


def test_a_macro_mean_of_views_may_be_lost_within_chance() -> None:
    before = ChosenWeights({}, {}, {"article_type": 0.8, "article_type, macro": 0.6})
    assert _is_as_good({}, {"article_type": 0.81, "article_type, macro": 0.596}, before)
    assert not _is_as_good({}, {"article_type": 0.81, "article_type, macro": 0.594}, before)
    assert not _is_as_good({}, {"article_type": 0.79, "article_type, macro": 0.62}, before)


def test_views_follow_their_products_through_splits_and_leaving_out() -> None:
    material = _two_sided()
    whole = material.with_views()
    assert len(whole.split) == 80
    assert list(whole.labels["article_type"][60:]) == list(material.labels["article_type"][40:])
    left_out = np.arange(60) < 50
    assert material.without(left_out).views.rows.min() == 50


@pytest.fixture(scope="module")
def labelled(tmp_path_factory):
    """Sixty drawn pictures of two types and colours, labelled, as a store of fashify-lite."""
    folder = tmp_path_factory.mktemp("labelled")
    (folder / "images").mkdir()
    lines = ["item_id,article_type,base_colour"]
    for number in range(60):
        kind, tone = number % 2, [(200, 30, 40), (30, 40, 200), (20, 150, 60)][number % 3]
        picture = np.full((80, 60, 3), 255, np.uint8)
        top, left = RNG.integers(5, 15, 2)
        height, width = (60, 20) if kind else (25, 40)
        picture[top : top + height, left : left + width] = tone
        Image.fromarray(picture).save(folder / "images" / f"{number}.png")
        lines.append(
            f"{number},{['Shirts', 'Trousers'][kind]},{['Red', 'Blue', 'Green'][number % 3]}"
        )
    (folder / "items.csv").write_text("\n".join(lines) + "\n")
    catalogue = load_catalogue(folder)
    out = folder / "store"
    extract_features(catalogue, "fashify-lite", out, index="exact", progress=False)
    return out, catalogue


def test_learn_calibrates_photos_and_keeps_the_networks_parts_of_few_products(labelled) -> None:
    out, catalogue = labelled
    store = learn_head(out, catalogue=catalogue)
    assert store.head.names == ("category", "colour", "instance")
    assert store.head.provenance["method"] == "shipped"
    assert store.head.provenance["composed_precision_at_5"]
    assert store.strength.photos is not None
    shirt = catalogue.image(store.item_ids[0])
    match = Retriever.open(out).by_image(shirt)[0]
    told = _known(out, store, shirt)
    assert match.probability == pytest.approx(float(store.strength.probability(*told)))
    scene = np.tile(shirt // 2, (2, 2, 1))
    match = Retriever.open(out).by_image(scene)[0]
    photos, told = store.strength.photos, _known(out, store, scene)
    assert match.probability == pytest.approx(float(photos.probability(*told)), abs=1e-6)
    assert photos.basis == "composed photos, 1.5 times as far"
    assert photos.others_found is not None


def _known(out, store, picture) -> tuple[float, float, float]:
    """Distance, agreement and confidence of a picture's first match, worked out by hand."""
    retriever = Retriever.open(out)
    reading = retriever.read_photo(picture)
    first, *others = retriever.by_reading(reading, 5)
    agreed = np.mean([other.article_type == first.article_type for other in others])
    return first.distance, agreed, store.head.confidence(reading.vector[None])[0]


def test_learn_calibrates_by_peoples_photos_where_they_are_given(labelled, tmp_path) -> None:
    """Thirty photos, the products before a backdrop; a set that nothing answers is refused."""
    out, catalogue = labelled
    lines = ["image,article_type,person"]
    for number in range(30):
        picture = catalogue.image(str(number)).copy()
        picture[(picture == 255).all(axis=2)] = (90, 110, 60)
        Image.fromarray(picture).save(tmp_path / f"{number}.png")
        lines.append(f"{number}.png,{['Shirts', 'Trousers'][number % 2]},{number % 3}")
    (tmp_path / "photos.csv").write_text("\n".join(lines) + "\n")
    store = learn_head(out, method="none", catalogue=catalogue, photos=load_photos(tmp_path))
    assert store.strength.photos.basis == "people's photos"
    assert store.strength.photos.n == 30 * 5
    (tmp_path / "photos.csv").write_text(lines[0] + "\n0.png,Hats,1\n")
    with pytest.raises(NoLabelsError, match="Shirts, Trousers"):
        learn_head(out, method="none", catalogue=catalogue, photos=load_photos(tmp_path))


def test_trained_parts_take_the_place_of_the_networks_only_where_photos_allow(
    labelled, monkeypatch
) -> None:
    """Of few products by discriminants, which take no time."""
    out, catalogue = labelled
    monkeypatch.setattr(methods, "LEAST_TO_TELL", 5)
    store = learn_head(out, catalogue=catalogue)
    assert store.head.names == ("category", "colour", "instance")
    assert store.head.dim <= 512
    assert store.head.provenance["composed_precision_at_5"]
    own = learn_head(out, method="none", catalogue=catalogue)
    assert own.head.provenance["method"] == "shipped"


def test_without_pictures_nothing_is_trained_that_could_harm_photos(labelled, monkeypatch) -> None:
    out, _ = labelled
    monkeypatch.setattr(methods, "LEAST_TO_TELL", 5)
    monkeypatch.setattr("fashify.learning.serve_head.compose_views", lambda *a, **b: None)
    store = learn_head(out)
    assert store.head.provenance["method"] == "shipped"
    assert store.strength.photos is None


def test_trust_holds_curves_against_products_and_photos(labelled, tmp_path) -> None:
    out, catalogue = labelled
    lines = ["image,article_type,person"]
    for number in range(12):
        Image.fromarray(catalogue.image(str(number)) // 2).save(tmp_path / f"{number}.png")
        lines.append(f"{number}.png,{['Shirts', 'Trousers'][number % 2]},{number % 3}")
    (tmp_path / "photos.csv").write_text("\n".join(lines) + "\n")
    learn_head(out, method="none", catalogue=catalogue)
    retriever = Retriever.open(out)
    report = measure_trust(retriever, load_photos(tmp_path), split="all")
    kinds = report.alarms.set_index("kind")
    assert kinds["queries"].to_dict() == {"products": 60, "photos": 12}
    for kind, rows in report.reliability.groupby("kind"):
        assert rows["n"].sum() == 5 * kinds["queries"][kind]
        mean = (rows["observed"] * rows["n"]).sum() / rows["n"].sum()
        assert mean == pytest.approx(kinds["observed"][kind])
    assert kinds[["false_alarms", "absent_found"]].notna().all(axis=None)
    assert kinds["others_found"].notna()["photos"]
    assert len(report.conclusions()) == 2
    assert set(report.to_dict()) == {"reliability", "alarms"}


def test_trust_of_a_store_without_a_curve_is_refused(tmp_path) -> None:
    Image.new("RGB", (60, 80), "red").save(tmp_path / "a.png")
    Image.new("RGB", (60, 80), "blue").save(tmp_path / "b.png")
    store = extract_features(
        load_catalogue(tmp_path), "fashify-lite", tmp_path / "s", index="exact", progress=False
    )
    with pytest.raises(QueryError, match="fashify learn"):
        measure_trust(Retriever.open(store.path))


def test_many_products_with_labels_that_the_network_was_taught_train_nothing(monkeypatch) -> None:
    monkeypatch.setattr(methods, "FEW", 30)
    monkeypatch.setattr(methods, "LEAST_TO_TELL", 10)
    backbone = {"name": "fashify-lite", "weights": "shipped"}
    material = _two_sided()
    assert methods.is_trained("auto", material, backbone)
    taught = np.array(["Shirts", "Jeans"], object)[np.arange(60) % 2]
    known = Material(material.inputs, {"article_type": taught}, material.split, material.groups)
    assert not methods.is_trained("auto", known, backbone)
    assert methods.is_trained("softmax", known, backbone)
