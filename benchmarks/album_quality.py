"""How well the album tells the sitter from strangers: mixed albums drawn from shared/data.

    python benchmarks/album_quality.py --split judge

Each album: one sitter (50-80 % of the photos), strangers half from the nearest look-alikes of the pool and half at
random; 20 % of all photos blurred, darkened, with drawn sunglasses, or shrunk to a 60 px face. Thresholds are fitted on
`--split tune` (`--sweep`); the judge split is for the table only.
"""

from __future__ import annotations

import argparse
import csv
import tempfile
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import cv2
import numpy as np

from portraitist.album.build import build_album
from portraitist.album.config import AlbumConfig
from portraitist.album.reading import reading_options
from portraitist.album.records import shots_from_json
from portraitist.album.scan import scan
from portraitist.album.store import Records
from portraitist.album.values import Shot
from portraitist.album.worker import read_all
from portraitist.errors import InputError
from portraitist.faces.reader import FaceReader
from portraitist.image import encode_image, open_photo
from portraitist.placement import Placement
from portraitist.types import Face, Image

DATA = Path(__file__).parents[2] / "shared" / "data"
KINDS = ("blurred", "dark", "sunglasses", "60 px")
POOL = ("albums/", "faces/london", "synthetic_faces/omi512", "templates/facechain_poses", "templates/easyphoto")
DEGRADED = ("albums/", "faces/london")
FEWEST_PHOTOS = 5


@dataclass(frozen=True)
class Entry:
    """One photo of the pool, as it is or degraded."""

    person: str
    source: str
    kind: str
    shot: Shot


@dataclass
class Tally:
    """Counts over albums. Outcomes are rejection codes, `accepted` for those in the album or dropped as a repeat."""

    sitter: Counter[tuple[str, str]]
    stranger: Counter[tuple[str, str]]
    undecided: int = 0

    def wrong_person_rejection(self) -> float:
        """Share of the strangers that are not in the album."""
        return 1 - _count(self.stranger, "accepted") / max(1, sum(self.stranger.values()))

    def false_rejection(self, kinds: Sequence[str] = ("plain", *KINDS)) -> float:
        """Share of the sitter's photos that were taken for another person or for no face."""
        wrong = sum(_count(self.sitter, code, kinds) for code in ("stranger", "look-alike", "no-face"))
        return wrong / max(1, sum(n for (kind, _), n in self.sitter.items() if kind in kinds))


def degrade(image: Image, face: Face, kind: str, rng: np.random.Generator) -> Image:
    """One of the four ways a photo of the sitter can be bad."""
    if kind == "blurred":
        return np.asarray(cv2.GaussianBlur(image, (0, 0), face.width * 0.02), np.uint8)
    if kind == "dark":
        return np.clip(image * 0.2 + rng.normal(0, 3, image.shape), 0, 255).astype(np.uint8)
    if kind == "60 px":
        factor = 60 / face.width
        return np.asarray(cv2.resize(image, None, fx=factor, fy=factor, interpolation=cv2.INTER_AREA), np.uint8)
    return draw_sunglasses(image, face)


def draw_sunglasses(image: Image, face: Face) -> Image:
    """Two dark lenses with a bridge over the eyes of the mesh."""
    drawn = image.copy()
    points = face.landmarks
    for outer, inner in ((33, 133), (263, 362)):
        centre = (points[outer, :2] + points[inner, :2]) / 2
        eye = float(np.linalg.norm(points[outer, :2] - points[inner, :2]))
        axes = (round(eye * 0.85), round(eye * 0.62))
        cv2.ellipse(
            drawn, tuple(np.int32(centre).tolist()), axes, face.pose.roll, 0, 360, (15, 15, 18), -1, cv2.LINE_AA
        )
    ends = [tuple(np.int32(points[i, :2]).tolist()) for i in (133, 362)]
    cv2.line(drawn, *ends, (15, 15, 18), max(2, round(face.width * 0.03)), cv2.LINE_AA)
    return drawn


def pool_files(split: str) -> list[tuple[str, str]]:
    """(file, person) of the split's photos of one person. Files without a person's own name are strangers by file."""
    with (DATA / "SPLIT.csv").open() as table:
        rows = [row for row in csv.DictReader(table) if row["split"] == split and row["file"].startswith(POOL)]
    named = ("albums/", "faces/london")
    return [
        (r["file"], r["person"] if r["file"].startswith(named) else r["file"])
        for r in rows
        if r["file"].endswith((".jpg", ".png"))
    ]


def write_pool(split: str, folder: Path, reader: FaceReader, config: AlbumConfig) -> dict[Path, tuple[str, str, str]]:
    """Copies and degraded copies of every photo in `folder`; returns (person, source, kind) by path."""
    rng = np.random.default_rng(0)
    written = {}
    for number, (file, person) in enumerate(pool_files(split)):
        image = open_photo(DATA / file).pixels(config.read_side)
        faces = reader.read(image, embed=False)
        kinds = KINDS if file.startswith(DEGRADED) and faces else ()
        for kind in ("plain", *kinds):
            worse = image if kind == "plain" else degrade(image, max(faces, key=lambda f: f.width), kind, rng)
            path = folder / f"{number:04d}-{kind.replace(' ', '-')}.jpg"
            path.write_bytes(encode_image(worse, "jpeg"))
            written[path] = (person, file, kind)
    return written


def read_pool(split: str, config: AlbumConfig) -> list[Entry]:
    """Every photo through the album's own reader."""
    with tempfile.TemporaryDirectory() as name:
        photos, album = Path(name, "photos"), Path(name, "album")
        photos.mkdir()
        labels = write_pool(split, photos, FaceReader.load(Placement()), config)
        records = Records(album, reading_options(config))
        entries = []
        for read in read_all(scan([photos], config).files, album, config, Placement()):
            record = records.load(read.digest) if read.digest else None
            if record is not None and record["shots"]:
                entries.append(Entry(*labels[read.file.path], shots_from_json(record, read.file.path)[0]))
    return sorted(entries, key=lambda e: str(e.shot.path))


def middles(entries: Sequence[Entry]) -> dict[str, np.ndarray]:
    """Mean descriptor of each person over the photos as they are."""
    vectors = defaultdict(list)
    for entry in entries:
        known = [face for face in entry.shot.faces if face.embedding is not None]
        if entry.kind == "plain" and known:
            face = max(known, key=lambda f: f.width)
            assert face.embedding is not None
            vectors[entry.person].append(face.embedding.vector)
    return {person: np.mean(list_, axis=0) for person, list_ in vectors.items()}


def draw_albums(entries: Sequence[Entry], each: int, rng: np.random.Generator) -> Iterator[tuple[str, list[Entry]]]:
    """`each` albums for every person with enough photos."""
    variants: dict[tuple[str, str], dict[str, Entry]] = defaultdict(dict)
    for entry in entries:
        variants[(entry.person, entry.source)][entry.kind] = entry
    photos = defaultdict(list)
    for (person, _), kinds in variants.items():
        if "plain" in kinds:
            photos[person].append(kinds)
    centres = middles(entries)
    for sitter in sorted(p for p in photos if len(photos[p]) >= FEWEST_PHOTOS):
        near = sorted((p for p in photos if p != sitter), key=lambda p: np.linalg.norm(centres[p] - centres[sitter]))
        for _ in range(each):
            own = [photos[sitter][i] for i in rng.permutation(len(photos[sitter]))[: rng.integers(FEWEST_PHOTOS, 21)]]
            count = max(2, round(len(own) * (1 / rng.uniform(0.5, 0.8) - 1)))
            alike = [kinds for person in near for kinds in photos[person][:2]][: -(-count // 2)]
            rest = [kinds for person in near for kinds in photos[person] if not any(kinds is a for a in alike)]
            strangers = alike + [rest[i] for i in rng.permutation(len(rest))[: count // 2]]
            yield sitter, [_variant(kinds, rng) for kinds in own + strangers]


def _variant(kinds: dict[str, Entry], rng: np.random.Generator) -> Entry:
    kind = KINDS[rng.integers(4)] if rng.random() < 0.2 else "plain"
    return kinds.get(kind, kinds["plain"])


def judge_albums(entries: Sequence[Entry], config: AlbumConfig, each: int, seed: int = 0) -> Tally:
    """Outcome of every photo of every album."""
    tally = Tally(Counter(), Counter())
    for sitter, album in draw_albums(entries, each, np.random.default_rng(seed)):
        try:
            built = build_album(Path("."), [entry.shot for entry in album], (), config)
        except InputError:
            tally.undecided += 1
            continue
        codes = {r.path: r.code for r in built.rejected if r.code not in ("duplicate", "near-duplicate")}
        for entry in album:
            counts = tally.sitter if entry.person == sitter else tally.stranger
            counts[(entry.kind, codes.get(str(entry.shot.path), "accepted"))] += 1
    return tally


def _count(counts: Counter[tuple[str, str]], code: str, kinds: Sequence[str] = ("plain", *KINDS)) -> int:
    return sum(n for (kind, found), n in counts.items() if found == code and kind in kinds)


def print_tally(tally: Tally) -> None:
    """The table of docs/album.md."""
    print(f"wrong-person rejection {tally.wrong_person_rejection():.2%} of {sum(tally.stranger.values())}")
    print(f"false rejection {tally.false_rejection():.2%} of {sum(tally.sitter.values())}")
    print(f"albums without a majority person: {tally.undecided}")
    codes = ("accepted", "stranger", "look-alike", "no-face", "small", "poor")
    print("| photos | " + " | ".join(codes) + " |\n|---|" + "---|" * len(codes))
    for name, counts in (("sitter", tally.sitter), ("stranger", tally.stranger)):
        for kind in ("plain", *KINDS):
            print(f"| {name}, {kind} | " + " | ".join(str(_count(counts, code, (kind,))) for code in codes) + " |")


def main() -> None:
    """Read the pool, draw the albums, print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--split", choices=("tune", "judge"), default="judge")
    parser.add_argument("--each", type=int, default=20, help="albums a sitter")
    parser.add_argument("--sweep", action="store_true", help="try limits (tune only)")
    arguments = parser.parse_args()
    config = AlbumConfig()
    entries = read_pool(arguments.split, config)
    if arguments.sweep and arguments.split == "tune":
        for limit in np.arange(0.44, 0.605, 0.02):
            tally = judge_albums(entries, replace(config, same_person=float(limit)), arguments.each)
            right, wrong = tally.wrong_person_rejection(), tally.false_rejection()
            print(f"{limit:.2f}: wrong-person rejection {right:.2%}, false rejection {wrong:.2%}")
    print_tally(judge_albums(entries, config, arguments.each))


if __name__ == "__main__":
    main()
