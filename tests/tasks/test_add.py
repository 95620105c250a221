"""`add` end to end on the two people every machine has, and killed at any moment."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
import pytest

from portraitist.album import store, worker
from portraitist.album.config import AlbumConfig
from portraitist.errors import EngineError, InputError
from portraitist.image import encode_image, open_photo
from portraitist.library import Consent, Library
from portraitist.placement import Placement
from portraitist.progress import Step
from portraitist.tasks.add import add
from portraitist.types import Image

sys.path.insert(0, str(Path(__file__).parents[1] / "album"))
import corpus

ONE = Placement(threads=1)
AGREED = Consent("Anna", "2026-01-01T00:00:00+00:00", "test")
SOURCE = Path(store.__file__).parents[2]


def variants(image: Image, count: int) -> list[Image]:
    """Different shots of one person, as far as one photo allows: crops, mirrored, lit from one side, turned."""
    made = []
    h, w = image.shape[:2]
    for i in range(count):
        shade = np.linspace(0.55 + 0.05 * i, 1.25 - 0.06 * i, w)[None, :, None]
        shot = np.clip(image * shade, 0, 255).astype(np.uint8)
        matrix = cv2.getRotationMatrix2D((w / 2, h / 3), 9.0 * (i - count / 2), 1.0 + 0.05 * i)
        shot = cv2.warpAffine(shot, matrix, (w, h), borderValue=(40 * i % 255, 90, 120))
        made.append(np.ascontiguousarray(shot[:, ::-1] if i % 2 else shot))
    return made


@pytest.fixture(scope="module")
def photos(astronaut: Image, hopper_path: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Six photos of Collins, one of Hopper."""
    folder = tmp_path_factory.mktemp("photos")
    for i, shot in enumerate(variants(astronaut, 6)):
        (folder / f"collins-{i}.jpg").write_bytes(encode_image(shot, "jpeg"))
    shutil.copy(hopper_path, folder / "hopper.jpg")
    return folder


def outcome(folder: Path) -> tuple[object, ...]:
    album = store.load(folder)
    return store.to_json(album)["accepted"], store.to_json(album)["rejected"], store.to_json(album)["coverage"]


def reading_steps(steps: Sequence[Step]) -> list[str]:
    return [step.message for step in steps if step.stage == "reading"]


def test_sitter_is_kept_and_the_stranger_rejected_with_a_distance(photos: Path, tmp_path: Path) -> None:
    library = Library(tmp_path)
    album = add(library, "anna", [photos], consent=AGREED, placement=ONE)
    assert {p.file for p in album.accepted} == {f"collins-{i}.jpg" for i in range(6)}
    (stranger,) = album.rejected
    assert (stranger.file, stranger.code) == ("hopper.jpg", "stranger")
    assert stranger.measures["distance"] > AlbumConfig().same_person
    for photo in album.accepted:
        assert min(photo.likeness, photo.quality, photo.frontality) >= 0
        assert max(photo.likeness, photo.quality, photo.frontality) <= 1
    assert [p.score for p in album.accepted] == sorted((p.score for p in album.accepted), reverse=True)
    assert album.reference is max(album.accepted, key=lambda p: p.likeness * p.frontality)
    assert store.load(library.sitter("anna").album_dir) == album
    page = (album.folder / "report.html").read_text()
    assert "hopper.jpg" in page
    assert "http" not in page.replace("http-equiv", "")
    (reference, *_) = album.references()
    assert reference.face.landmarks.shape == (468, 3)
    inside = reference.face.landmarks[:, :2].mean(0)
    assert (inside > 0).all()
    assert (inside < np.array(reference.picture.size[::-1])).all()
    assert reference.picture.pixels().shape[:2] == reference.picture.size


def test_consent_is_asked_once(photos: Path, tmp_path: Path) -> None:
    library = Library(tmp_path)
    with pytest.raises(InputError, match="who agreed"):
        add(library, "anna", [photos / "collins-0.jpg"], placement=ONE)
    assert not library.has_sitter("anna")
    add(library, "anna", [photos / "collins-0.jpg"], consent=AGREED, placement=ONE)
    add(library, "anna", [photos / "collins-1.jpg"], placement=ONE)
    assert library.sitter("anna").consent == AGREED


def test_adding_one_photo_reads_one_photo(photos: Path, tmp_path: Path) -> None:
    library, steps = Library(tmp_path / "library"), list[Step]()
    mine = tmp_path / "mine"
    mine.mkdir()
    for i in range(4):
        shutil.copy(photos / f"collins-{i}.jpg", mine)
    add(library, "anna", [mine], consent=AGREED, placement=ONE, report=steps.append)
    assert len(reading_steps(steps)) == 4
    steps.clear()
    album = add(library, "anna", [mine], placement=ONE, report=steps.append)
    assert (reading_steps(steps), len(album.accepted)) == ([], 4)
    # One more, given alone: the others stay in the album and are not read.
    album = add(library, "anna", [photos / "collins-4.jpg"], placement=ONE, report=steps.append)
    assert (reading_steps(steps), len(album.accepted)) == (["collins-4.jpg"], 5)
    steps.clear()
    # A file that is gone leaves the album; one that changed is read again.
    (mine / "collins-0.jpg").unlink()
    shutil.copy(photos / "collins-5.jpg", mine / "collins-1.jpg")
    album = add(library, "anna", [mine], placement=ONE, report=steps.append)
    assert reading_steps(steps) == ["collins-1.jpg"]
    assert {p.file for p in album.accepted} == {f"collins-{i}.jpg" for i in range(1, 5)}


def test_a_copy_is_hashed_but_not_read_again(photos: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    mine, library, read = tmp_path / "mine", Library(tmp_path / "library"), list[str]()
    mine.mkdir()
    shutil.copy(photos / "collins-0.jpg", mine / "a.jpg")
    shutil.copy(photos / "collins-0.jpg", mine / "b.jpg")
    original = worker.read_file
    monkeypatch.setattr(worker, "read_file", lambda path, *rest: (read.append(path.name), original(path, *rest))[1])
    album = add(library, "anna", [mine], consent=AGREED, placement=ONE)
    assert read == ["a.jpg"]
    assert [(r.file, r.code) for r in album.rejected] == [("b.jpg", "duplicate")]


def test_bad_files_are_rejected_each_with_a_reason_and_the_good_ones_kept(
    photos: Path, astronaut: Image, tmp_path: Path
) -> None:
    mine = tmp_path / "mine"
    mine.mkdir()
    for i in range(6):
        shutil.copy(photos / f"collins-{i}.jpg", mine)
    bad = corpus.bad_files(cv2.resize(astronaut, (160, 200)))
    for name, data in bad.items():
        (mine / name).write_bytes(data)
    odd = corpus.odd_entries(mine)
    album = add(Library(tmp_path / "library"), "anna", [mine], consent=AGREED, placement=ONE)
    assert {p.file for p in album.accepted} == {f"collins-{i}.jpg" for i in range(6)}
    reasons = {r.file: r for r in album.rejected}
    assert set(reasons) == set(bad) | set(odd)
    assert len(reasons) >= 60
    assert all(r.code in ("unreadable", "duplicate") and len(r.reason) > 10 for r in reasons.values())


def test_exotic_good_files_are_one_shot_of_the_sitter(astronaut: Image, tmp_path: Path) -> None:
    mine = tmp_path / "mine"
    mine.mkdir()
    good = corpus.good_files(np.ascontiguousarray(astronaut[:400, 60:400]))
    for name, data in good.items():
        (mine / name).write_bytes(data)
    album = add(Library(tmp_path / "library"), "anna", [mine], consent=AGREED, placement=Placement(threads=2))
    assert len(album.accepted) == 1
    assert {r.code for r in album.rejected} <= {"near-duplicate", "duplicate"}
    assert len(album.rejected) == len(good) - 1
    for file in album.folder.rglob("*"):
        assert not file.is_file() or b"SECRETCAMERA" not in file.read_bytes()


def test_me_names_the_sitter_where_there_is_no_majority(photos: Path, tmp_path: Path) -> None:
    library, two = Library(tmp_path), [photos / "collins-0.jpg", photos / "hopper.jpg"]
    with pytest.raises(InputError, match="--me"):
        add(library, "grace", two, consent=AGREED, placement=ONE)
    album = add(library, "grace", two, me=photos / "hopper.jpg", placement=ONE)
    assert [p.file for p in album.accepted] == ["hopper.jpg"]
    # The choice is remembered.
    assert [p.file for p in add(library, "grace", two, placement=ONE).accepted] == ["hopper.jpg"]


def test_two_processes_give_the_same_album_as_one(photos: Path, tmp_path: Path) -> None:
    one = add(Library(tmp_path / "1"), "anna", [photos], AlbumConfig(workers=1), consent=AGREED, placement=ONE)
    two = add(Library(tmp_path / "2"), "anna", [photos], AlbumConfig(workers=2), consent=AGREED, placement=ONE)
    assert outcome(one.folder) == outcome(two.folder)


def test_a_worker_that_dies_costs_only_the_file_it_died_on(
    photos: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def ask(child: worker._Child, file: worker.FoundFile) -> dict[str, object] | None:
        if file.path.name == "collins-2.jpg":
            child._process.kill()
        return original(child, file)

    original = worker._Child.ask
    monkeypatch.setattr(worker._Child, "ask", ask)
    album = add(Library(tmp_path), "anna", [photos], AlbumConfig(workers=2), consent=AGREED, placement=ONE)
    assert len(album.accepted) == 5
    assert {(r.file, r.code) for r in album.rejected} == {("collins-2.jpg", "unreadable"), ("hopper.jpg", "stranger")}
    assert "crashed" in next(r.reason for r in album.rejected if r.file == "collins-2.jpg")


def test_workers_that_cannot_start_blame_no_photo(
    photos: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "executable", shutil.which("false"))
    with pytest.raises(EngineError, match="could not start"):
        add(Library(tmp_path), "anna", [photos], AlbumConfig(workers=2), consent=AGREED, placement=ONE)


PROGRAM = """
import sys
from portraitist.album.config import AlbumConfig
from portraitist.library import Consent, Library
from portraitist.placement import Placement
from portraitist.tasks.add import add
add(Library(sys.argv[1]), "anna", [sys.argv[2]], AlbumConfig(workers=int(sys.argv[3])), placement=Placement(threads=1),
    consent=Consent("Anna", "2026-01-01T00:00:00+00:00", "test"),
    report=lambda step: print(step.stage, step.done, flush=True))
"""


def start(library: Path, photos: Path, workers: int) -> subprocess.Popen[str]:
    environment = {**os.environ, "PYTHONPATH": str(SOURCE)}
    command = [sys.executable, "-c", PROGRAM, str(library), str(photos), str(workers)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, env=environment)


@pytest.mark.parametrize(("workers", "kills"), [(1, (0, 1, 3, 6)), (2, (1, 4))])
def test_killed_at_any_moment_it_completes_and_is_the_same(
    workers: int, kills: tuple[int, ...], photos: Path, tmp_path: Path
) -> None:
    whole = add(Library(tmp_path / "whole"), "anna", [photos], consent=AGREED, placement=ONE)
    library = tmp_path / "killed"
    for after in kills:
        child = start(library, photos, workers)
        assert child.stdout is not None
        lines = 0
        while lines < after and child.stdout.readline():
            lines += 1
        # Somewhere inside the next photo, another moment each time.
        time.sleep(0.05 + 0.06 * after)
        child.send_signal(signal.SIGKILL)
        child.wait()
        child.stdout.close()
    records = list((library / "sitters" / "anna" / "album").glob("records/*.json"))
    assert all(json.loads(record.read_text())["version"] == 1 for record in records)
    steps: list[Step] = []
    finished = add(Library(library), "anna", [photos], placement=ONE, consent=AGREED, report=steps.append)
    assert outcome(finished.folder) == outcome(whole.folder)
    # What was read before the last kill was not read again, but for the photo that was in work.
    assert len(reading_steps(steps)) <= 7 - max(kills) + workers


def test_damaged_records_are_read_again(photos: Path, tmp_path: Path) -> None:
    library, steps = Library(tmp_path), list[Step]()
    first = add(library, "anna", [photos], consent=AGREED, placement=ONE)
    records = sorted((first.folder / "records").glob("*.json"))
    records[0].write_bytes(records[0].read_bytes()[:500])
    records[1].unlink()
    with (first.folder / "seen.jsonl").open("ab") as log:
        log.write(b'["torn')
    again = add(library, "anna", [photos], placement=ONE, report=steps.append)
    assert len(reading_steps(steps)) == 2
    assert outcome(again.folder) == outcome(first.folder)
    (first.folder / "album.json").write_text("{}")
    with pytest.raises(InputError, match="not an album"):
        store.load(first.folder)


def test_originals_are_never_touched_and_changed_ones_are_noticed(photos: Path, tmp_path: Path) -> None:
    mine = tmp_path / "mine"
    shutil.copytree(photos, mine)
    before = {path.name: path.read_bytes() for path in mine.iterdir()}
    album = add(Library(tmp_path / "library"), "anna", [mine], consent=AGREED, placement=ONE)
    assert {path.name: path.read_bytes() for path in mine.iterdir()} == before
    Path(album.accepted[0].path).write_bytes(before["hopper.jpg"])
    with pytest.raises(InputError, match="changed since"):
        album.references()
    Path(album.accepted[0].path).unlink()
    with pytest.raises(InputError, match="moved or removed"):
        album.references()


def test_photos_of_real_albums(shared_data: Path, tmp_path: Path) -> None:
    own = sorted((shared_data / "albums" / "lisa_cc0").glob("*.jpg"))
    others = [shared_data / "faces" / "london" / f"{n}_neutral.jpg" for n in ("001", "003")]
    album = add(Library(tmp_path), "lisa", [*own, *others], consent=AGREED, placement=Placement(threads=2))
    kept = {p.path for p in album.accepted} | {r.path for r in album.rejected if r.code == "near-duplicate"}
    assert kept == {str(path) for path in own}
    assert {r.path for r in album.rejected if r.code == "stranger"} == {str(path) for path in others}
    assert open_photo(album.accepted[0].path).digest == album.accepted[0].digest
