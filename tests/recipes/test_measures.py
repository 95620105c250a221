"""The measures of the evaluation on made-up pictures, features and faces: no weights, no model."""

from __future__ import annotations

from dataclasses import asdict, replace
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

pytest.importorskip("torch")

from portraitist.diffusion.captions import PHRASES, FaceFacts
from portraitist.errors import InputError
from portraitist.faces.topology import mean_face, mirror_index
from portraitist.geometry import bounding_box
from portraitist.library import write_json
from portraitist.types import Face, Pose
from recipes.features import SIDE, EfficientNetLite0, picture_features
from recipes.mini.config import DataConfig
from recipes.mini.evaluate import Evaluation, Real
from recipes.mini.measures.control import control_error, landmark_error
from recipes.mini.measures.distribution import frechet_pca, kid, kid_ratio
from recipes.mini.measures.faces import face_finding, presence_floor
from recipes.mini.measures.judges import judge_accuracy, rated_facts
from recipes.mini.measures.memory import Pair, memorised, nearest_pairs
from recipes.mini.measures.obedience import JUDGED, accepted, obedience, obeyed_by_fact, obeys, phrase_named
from recipes.mini.measures.people import averaging, draw_people, mean_of_pairs
from recipes.mini.measures.reading import Reading
from recipes.mini.measures.shares import share
from recipes.mini.measures.sheet import neighbour_sheet, save_sheet
from recipes.mini.measures.stored import read_or_load
from recipes.mini.measures.variety import pairwise_distances, variety
from recipes.mini.pack import Pack, person_weights

SIZE = 64


def person(seed: int, *, shift: float = 0.0) -> Reading:
    """A picture of soft noise with a mesh in it and a descriptor of about dlib's length."""
    random = np.random.default_rng(seed)
    soft = np.kron(random.integers(40, 216, (8, 8, 3)), np.ones((8, 8, 1))) + random.normal(0, 8, (SIZE, SIZE, 3))
    mesh = (mean_face() * 0.25 + (SIZE / 2 + shift, SIZE / 2, 0)).astype(np.float32)
    face = Face(bounding_box(mesh), mesh, 0.9, 1.0, Pose(0, 0, 0))
    descriptor, mirrored = random.normal(0, 0.13, (2, 128)).astype(np.float32)
    return Reading(soft.clip(0, 255).astype(np.uint8), face, FaceFacts(), descriptor, mirrored, 20.0 + seed)


def features(count: int, seed: int, shift: float = 0.0) -> NDArray[np.float32]:
    """(count, 80) features of unit power."""
    return (np.random.default_rng(seed).normal(size=(count, 80)) + shift).astype(np.float32)


def test_kid_of_one_distribution_is_about_zero_and_of_two_is_not() -> None:
    same = [kid(features(200, seed), features(70, seed + 100), seed=seed) for seed in range(10)]
    assert all(result.low <= 0 <= result.high for result in same)
    assert abs(np.mean([result.value for result in same])) < 0.01
    apart = kid(features(200, 1), features(70, 2, shift=0.5))
    assert apart.low > 0.1
    assert apart.low < apart.value < apart.high
    assert (apart.people_a, apart.people_b) == (200, 70)


def test_kid_is_the_published_estimator() -> None:
    a, b = features(30, 1), features(20, 2)

    def kernel(x: NDArray[np.float32], y: NDArray[np.float32]) -> float:
        return float((float(x @ y) / 80 + 1) ** 3)

    within_a = np.mean([kernel(a[i], a[j]) for i in range(30) for j in range(30) if i != j])
    within_b = np.mean([kernel(b[i], b[j]) for i in range(20) for j in range(20) if i != j])
    across = np.mean([kernel(x, y) for x in a for y in b])
    assert kid(a, b).value == pytest.approx(within_a + within_b - 2 * across, abs=1e-6)


def test_kid_counts_a_person_once() -> None:
    a, b = features(40, 1), features(30, 2)
    many, owners = np.concatenate([b, *[b[:1]] * 50]), [str(i) for i in range(30)] + ["0"] * 50
    assert kid(a, many, people_b=owners).value == pytest.approx(kid(a, b).value, abs=1e-6)
    with pytest.raises(InputError, match="two people"):
        kid(a, b[:1])


def test_kid_ratio_pairs_the_held_out_people() -> None:
    held_out, near, far = features(60, 1), features(150, 2, 0.4), features(150, 3, 0.8)
    ratio = kid_ratio(held_out, near, far)
    assert ratio.value == pytest.approx(kid(held_out, near).value / kid(held_out, far).value)
    assert ratio.low < ratio.value < ratio.high < 1
    assert kid_ratio(held_out, near, near).high == 1


def test_a_resampled_person_is_not_paired_with_themself() -> None:
    counts = draw_people(12, 400, np.random.default_rng(0))
    values = np.ones((12, 12)) + 100 * np.eye(12)
    assert np.allclose(mean_of_pairs(values, counts), 1)
    assert averaging(["a", "b", "a"]).tolist() == [[0.5, 0, 0.5], [0, 1, 0]]


def test_frechet_of_a_set_with_itself_is_zero_and_grows_with_a_shift() -> None:
    reference, held_out = features(300, 0), features(70, 1)
    assert frechet_pca(reference, held_out, held_out, draws=3).value == pytest.approx(0, abs=1e-6)
    near, far = (frechet_pca(reference, held_out, features(200, 2, shift), draws=5) for shift in (0.0, 1.0))
    assert 0 < near.value < far.value
    assert (near.people, near.components) == (70, 48)
    assert 0.6 < near.explained < 1
    with pytest.raises(InputError, match="over 48 people"):
        frechet_pca(reference, held_out[:48], reference)


def test_frechet_is_the_known_distance_of_two_gaussians() -> None:
    random = np.random.default_rng(0)
    a, b = random.normal(0, 1, (20000, 2)).astype(np.float32), random.normal(2, 3, (20000, 2)).astype(np.float32)
    # |m|^2 + 2 (1 + 9 - 2 * 3), where the axes are any rotation.
    assert frechet_pca(a, a, b, components=2, draws=1).value == pytest.approx(8 + 8, rel=0.03)


def test_memory_finds_an_exact_copy_a_mirrored_one_and_a_crop() -> None:
    training = [person(seed) for seed in range(6)]
    exact = training[3]
    mirrored = flipped(training[4])
    moved = replace(training[5], image=np.roll(training[5].image, 6, axis=1), face=person(5, shift=6).face)
    pairs = nearest_pairs([exact, person(50), Reading(exact.image), mirrored, moved], training)
    assert [pair.picture for pair in pairs] == [0, 1, 3, 4], "a picture without a face has no neighbour"
    assert [pair.is_copy for pair in pairs] == [True, False, True, True]
    assert [pair.training for pair in pairs if pair.is_copy] == [3, 4, 5]
    assert [pair.mirrored for pair in pairs if pair.is_copy] == [False, True, False]
    memory = memorised(pairs)
    assert memory.copies.value == 0.75
    assert memory.worst[-1].picture == 1


def flipped(reading: Reading) -> Reading:
    """The same picture and person, mirrored."""
    assert reading.face is not None
    mesh = reading.face.landmarks[mirror_index()] * np.float32([-1, 1, 1]) + np.float32([SIZE - 1, 0, 0])
    return replace(
        reading,
        image=np.ascontiguousarray(reading.image[:, ::-1]),
        face=replace(reading.face, landmarks=mesh),
        descriptor=reading.mirrored,
        mirrored=reading.descriptor,
    )


def test_memory_needs_both_the_face_and_the_pixels_and_can_pass_over_a_person() -> None:
    training = [person(0), person(1)]
    same_face = replace(person(7), descriptor=training[0].descriptor)
    same_pixels = replace(training[1], descriptor=person(8).descriptor, mirrored=person(8).mirrored)
    assert not any(pair.is_copy for pair in nearest_pairs([same_face, same_pixels], training))
    own = nearest_pairs(training, training, people=["a", "b"], people_training=["a", "b"])
    assert [pair.training for pair in own] == [1, 0]


def test_variety_is_one_for_the_data_itself_and_falls_when_faces_are_alike() -> None:
    data = [person(seed) for seed in range(60)]
    assert variety(data, data).ratio == 1
    alike = [replace(p, descriptor=p.descriptor * np.float32(0.5)) for p in data if p.descriptor is not None]
    result = variety(alike, data)
    assert result.ratio == pytest.approx(0.5, abs=1e-6)
    assert result.low < 0.5 < result.high
    assert variety([*data, data[0]], data, [*map(str, range(60)), "0"]).ratio == pytest.approx(1, abs=1e-6)
    rows = np.random.default_rng(0).normal(size=(5, 128)).astype(np.float32)
    assert pairwise_distances(rows)[1, 3] == pytest.approx(np.linalg.norm(rows[1] - rows[3]), abs=1e-5)
    with pytest.raises(InputError, match="two people"):
        variety([Reading(data[0].image)], data)


def test_faces_are_counted_and_presence_is_compared_with_real_pictures() -> None:
    real = [person(seed) for seed in range(100)]
    floor = presence_floor(real)
    assert floor == 24
    found = face_finding([person(1), person(50), Reading(real[0].image), person(60)], floor)
    assert (found.found.value, found.present.value) == (0.75, 0.5)
    weighted = presence_floor(real, ["one"] * 50 + [str(i) for i in range(50)])
    assert weighted > floor, "fifty pictures of one person are one person"


def test_the_judge_s_limit_lies_midway_between_phrases() -> None:
    left, ahead, right = (phrase_named(text) for text in ("turned left", "facing the camera", "turned right"))
    assert accepted(left).high == accepted(ahead).low == (left.high + ahead.low) / 2
    assert accepted(right).low == accepted(ahead).high == (right.low + ahead.high) / 2
    dark, light = phrase_named("dark background"), phrase_named("light background")
    assert accepted(dark).high == accepted(light).low == (dark.high + light.low) / 2
    assert accepted(phrase_named("glasses")).low == pytest.approx(0.5)
    assert accepted(phrase_named("glasses")).high == np.inf
    assert accepted(phrase_named("close-up")) == phrase_named("close-up")
    for phrase in PHRASES:
        wider = accepted(phrase)
        assert wider.low <= phrase.low, phrase
        assert wider.high >= phrase.high, phrase
    with pytest.raises(InputError, match="not in the vocabulary"):
        phrase_named("pirate")


def test_obedience_counts_those_asked_and_what_happens_unasked() -> None:
    facts = [FaceFacts(smile=s) for s in (0.9, 0.5, 0.1, 0.9)] + [None]
    pictures = [replace(person(i), facts=f) for i, f in enumerate(facts)]
    smiling, serious = obedience([["smiling"], ["smiling"], ["serious"], ["glasses"], ["serious"]], pictures)[:2]
    assert (smiling.phrase, smiling.obeyed.value, smiling.obeyed.of) == ("smiling", 1.0, 2)
    assert (serious.obeyed.value, serious.obeyed.of) == (0.5, 2), "no facts: not obeyed"
    assert smiling.unasked is not None
    assert (smiling.unasked.value, smiling.unasked.of) == (1.0, 1)
    assert smiling.high is None
    assert obeyed_by_fact([smiling, serious]) == {"smile": 0.75}
    assert not obeys("smiling", FaceFacts())
    assert set(JUDGED) <= {phrase.text for phrase in PHRASES}


def test_judges_are_measured_on_clear_faces_only(tmp_path: Path) -> None:
    readings = [replace(person(i), facts=FaceFacts(smile=s)) for i, s in enumerate((0.9, 0.2, 0.5, 0.8, 0.9))]
    truths = [FaceFacts(smile=s) for s in (1.0, 1.0, 0.45, 0.0)] + [None]
    smiling, serious = judge_accuracy(readings, truths, "somebody")
    assert smiling.seen is not None
    assert smiling.mistaken is not None
    assert serious.seen is not None
    assert (smiling.seen.value, smiling.mistaken.value, serious.seen.value) == (0.5, 1.0, 0.0)
    (tmp_path / "r.csv").write_text("stimulus,happy,long-haired,hair-color\n7,61,20,55\n")
    (tmp_path / "l.csv").write_text("stimulus,glasses,beard\n7,1,\n")
    rated = rated_facts(tmp_path / "r.csv", ["omi256/7.jpg", "omi256_variants/7_age_1.jpg"], tmp_path / "l.csv")
    assert rated == [FaceFacts(smile=1.0, long_hair=0.0, glasses=1.0), None]
    with pytest.raises(InputError, match="found nothing there"):
        rated_facts(tmp_path / "none.csv", [])


def test_control_error_is_the_shift_of_the_mesh() -> None:
    still, moved = person(0), person(0, shift=3)
    assert still.face is not None
    assert moved.face is not None
    width = float(np.ptp(still.face.landmarks[:, 0]))
    assert landmark_error(moved.face.landmarks, still.face.landmarks) == pytest.approx(3 / width, rel=1e-4)
    conditions = [still.face.landmarks] * 3
    result = control_error([still, moved, Reading(still.image)], conditions)
    assert result.mean == pytest.approx(1.5 / width, rel=1e-4)
    assert (result.missing, result.within.of) == (1, 3)
    assert result.within.value == pytest.approx(1 / 3)
    with pytest.raises(InputError, match="condition"):
        control_error([still], [])


def test_controls_are_not_judged_on_mirrored_meshes() -> None:
    """In a mirrored picture a reader finds each vertex on the other side: a perfect control would look like chance."""
    random = np.random.default_rng(0)
    images = random.integers(0, 255, (5, SIZE, SIZE, 3), dtype=np.uint8)
    landmarks = np.repeat((mean_face()[None, :, :2] * 0.25 + 0.5).astype(np.float32), 5, axis=0)
    people = tuple("abcde")
    pack = Pack(images, landmarks, (FaceFacts(),) * 5, person_weights(people), people, people)
    seen: list[NDArray[np.float32]] = []

    def read(image: NDArray[np.uint8]) -> Reading:
        return person(int(image[0, 0, 0]))

    def paint(name: str, meshes: NDArray[np.float32], pictures: NDArray[np.uint8]) -> list[NDArray[np.uint8]]:
        seen.append(meshes)
        return list(pictures)

    held_out = Real(pack, [], features(5, 0))
    evaluation = Evaluation(held_out, held_out, read, None)  # type: ignore[arg-type]
    evaluation.controls(paint, ["mesh"], 24, DataConfig(side=SIZE), SIZE)
    left, right = 33, 263
    assert (seen[0][:, left, 0] < seen[0][:, right, 0]).all()
    assert {"control real", "control mesh"} <= set(evaluation.table.figures)


def test_a_share_knows_how_sure_it_is() -> None:
    assert share([False] * 74).high == pytest.approx(0.0494, abs=1e-3)
    assert share([True, True, False], ["a", "a", "b"]).value == 0.5
    with pytest.raises(InputError, match="at least one"):
        share([])


def test_results_are_rows_and_json(tmp_path: Path) -> None:
    readings = [person(seed) for seed in range(4)]
    assert readings[0].face is not None
    results = [
        kid(features(5, 0), features(5, 1), resamples=20),
        kid_ratio(features(5, 0), features(5, 1), features(5, 2), resamples=20),
        frechet_pca(features(50, 0), features(9, 1), features(9, 2), components=4, draws=2),
        memorised(nearest_pairs(readings, readings)),
        variety(readings, readings, resamples=20),
        face_finding(readings, 3.0),
        control_error(readings, [readings[0].face.landmarks] * 4),
        *obedience([["smiling"]] * 4, readings),
    ]
    for result in results:
        name, value, remark = result.row()
        assert name
        assert value
        assert "|" not in name + value + remark
    write_json(tmp_path / "results.json", [asdict(result) for result in results])


def test_sheet_fits_the_limit(tmp_path: Path) -> None:
    training = [person(seed) for seed in range(3)]
    pictures = [*training, Reading(training[0].image)]
    sheet = neighbour_sheet(pictures, [Pair(i, 2 - i, 0.2, 0.9, i == 0) for i in range(3)], training, columns=2)
    path = save_sheet(tmp_path / "sheet.jpg", sheet, most_bytes=30_000)
    assert path.stat().st_size <= 30_000
    with pytest.raises(InputError, match="fewer pictures"):
        save_sheet(path, sheet, most_bytes=100)


def test_features_have_their_shape() -> None:
    network = EfficientNetLite0().eval()
    assert sum(p.numel() for p in network.parameters()) == 4_652_008
    rows = picture_features(network, [person(0).image, person(1).image[:50]], batch=1)
    assert rows.shape == (2, 1280)
    assert rows.dtype == np.float32
    assert picture_features(network, []).shape == (0, 1280)
    assert SIDE == 224


def test_readings_are_stored_and_read_again_when_the_pictures_change(tmp_path: Path) -> None:
    pictures = [replace(person(1), facts=FaceFacts(yaw=3.5)), Reading(person(2).image), person(3)]
    by_image = {id(p.image): p for p in pictures}
    asked: list[int] = []

    def read(image: NDArray[np.uint8]) -> Reading:
        asked.append(id(image))
        return by_image[id(image)]

    path, images = tmp_path / "readings.npz", [p.image for p in pictures]
    read_or_load(path, "pack 1", images, read)
    again = read_or_load(path, "pack 1", images, read)
    assert len(asked) == 3
    assert again[1].face is None
    for one, other in zip(pictures, again, strict=True):
        assert one.facts == other.facts
        assert one.presence == other.presence
        if one.face is not None and other.face is not None:
            assert np.array_equal(one.face.landmarks, other.face.landmarks)
            assert np.array_equal(
                np.stack([one.descriptor, one.mirrored]), np.stack([other.descriptor, other.mirrored])
            )
    read_or_load(path, "pack 2", images, read)
    assert len(asked) == 6
    path.write_bytes(path.read_bytes()[:200])
    read_or_load(path, "pack 2", images, read)
    assert len(asked) == 9
