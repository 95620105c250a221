"""Accuracy of the faces package on judge photos and rendered heads; prints the tables of docs/faces.md.

    python benchmarks/faces_accuracy.py [../shared/data] [detection turns negatives pose fsanet quality smile]

`fsanet` needs onnxruntime, which the product does not.
"""

from __future__ import annotations

import csv
import sys
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
from heads import HeadModel

from portraitist.faces import topology
from portraitist.faces.pyramid import Pyramid
from portraitist.faces.reader import FaceReader
from portraitist.geometry import bounding_box, box_overlap
from portraitist.placement import Placement
from portraitist.types import Face, Image

JUDGE_SEEDS = range(200, 208)
SIZES = (20, 30, 40, 60, 100, 200, 400)


class Data:
    """The judge photos, decoded to at most 1600 px."""

    def __init__(self, root: Path) -> None:
        self.root = root
        with (root / "SPLIT.csv").open() as file:
            self.files = [row["file"] for row in csv.DictReader(file) if row["split"] == "judge"]

    def photos(self, *prefixes: str, limit: int = 10_000) -> Iterator[tuple[str, Image]]:
        """(file, pixels) of at most `limit` photos, spread evenly."""
        chosen = [f for f in self.files if f.startswith(prefixes) and f.endswith((".jpg", ".png"))]
        for file in chosen[:: max(1, -(-len(chosen) // limit))]:
            image = cv2.imread(str(self.root / file), cv2.IMREAD_COLOR_RGB)
            if image is not None:
                yield file, np.asarray(image, np.uint8)


def detection(data: Data, reader: FaceReader) -> None:
    """Recall and false faces of photos shrunk until the face has a given width, on a 1280 x 960 grey canvas."""
    print("\n| face width, px | photos | found | extra faces |\n|---|---|---|---|")
    photos = [(i, reader.read(i, embed=False)) for _, i in data.photos("faces/london", "albums/", limit=24)]
    for size in SIZES:
        found = extra = total = 0
        for image, faces in photos:
            if len(faces) != 1 or faces[0].width < size:
                continue
            canvas, truth = _on_canvas(image, faces[0], size)
            read = reader.read(canvas, embed=False)
            hits = sum(box_overlap(f.box_xyxy, truth) > 0.5 for f in read)
            found, extra, total = found + (hits > 0), extra + len(read) - min(hits, 1), total + 1
        print(f"| {size} | {total} | {found / max(total, 1):.2f} | {extra} |", flush=True)


def _on_canvas(image: Image, face: Face, size: int) -> tuple[Image, np.ndarray]:
    factor = size / face.width
    small = cv2.resize(image, None, fx=factor, fy=factor, interpolation=cv2.INTER_AREA)
    canvas = np.full((960, 1280, 3), 128, np.uint8)
    offset = face.centre * factor - [760, 400]
    matrix = np.array([[1, 0, -offset[0]], [0, 1, -offset[1]]])
    cv2.warpAffine(small, matrix, (1280, 960), dst=canvas, borderMode=cv2.BORDER_TRANSPARENT)
    return canvas, bounding_box(face.landmarks[:, :2] * np.float32(factor) - offset.astype(np.float32))


def turns(data: Data, reader: FaceReader) -> None:
    """Recall and tilt error of photos turned without telling."""
    print("\n| turned by | photos | found, tilt right to 10 degrees | median tilt error |\n|---|---|---|---|")
    photos = [(i, reader.read(i, embed=False)) for _, i in data.photos("faces/london", "albums/", limit=20)]
    for angle in (-30, 30, 90, 180, -90):
        errors = []
        for image, faces in photos:
            side = int(np.hypot(*image.shape[:2]))
            matrix = cv2.getRotationMatrix2D((image.shape[1] / 2, image.shape[0] / 2), -angle, 1)
            matrix[:, 2] += (side - np.array(image.shape[1::-1])) / 2
            turned = cv2.warpAffine(image, matrix, (side, side), borderMode=cv2.BORDER_REPLICATE)
            read = reader.read(np.asarray(turned, np.uint8), embed=False)
            wanted = faces[0].pose.roll + angle
            errors.append(min((abs((f.pose.roll - wanted + 180) % 360 - 180) for f in read), default=180.0))
        right = np.mean(np.array(errors) < 10)
        print(f"| {angle} | {len(errors)} | {right:.2f} | {np.median(errors):.1f} |", flush=True)


def negatives(data: Data, reader: FaceReader) -> None:
    """Faces found where there is none: judge photos without people, drawings, garments."""
    print("\n| pictures without a photographed face | pictures | with a face found |\n|---|---|---|")
    folders = {"drawing of a lion": [data.root / "hard/azure_mit/no_face_lion_drawing.png"]}
    folders["flat garments"] = sorted((data.root / "garments/flat_cc0").rglob("*.jpg"))[::6]
    for name in ("big-ears", "micah", "open-peeps"):
        folders[f"cartoon heads, {name}"] = sorted((data.root / f"style/dicebear_{name}").rglob("*.png"))[::20]
    for name, paths in folders.items():
        images = [cv2.imread(str(path), cv2.IMREAD_COLOR_RGB) for path in paths]
        wrong = sum(bool(reader.read(np.asarray(image, np.uint8), embed=False)) for image in images)
        print(f"| {name} | {len(images)} | {wrong} |", flush=True)


def pose(data: Data, reader: FaceReader) -> None:
    """Pose of rendered heads of identities that the correction was not fitted on."""
    model = HeadModel.load(data.root / "face3d/ict_facekit")
    print("\n| rendered yaw, pitch | heads | found | median error: yaw | pitch | roll |\n|---|---|---|---|---|---|")
    for yaw, pitch in [(y, 0) for y in (-60, -45, -30, -15, 0, 15, 30, 45, 60)] + [(0, p) for p in (-30, -15, 15, 30)]:
        errors = []
        for seed in JUDGE_SEEDS:
            read = reader.read(model.render(seed, yaw, pitch), embed=False)
            errors += [(abs(f.pose.yaw - yaw), abs(f.pose.pitch - pitch), abs(f.pose.roll)) for f in read[:1]]
        median = np.median(errors, axis=0) if errors else [np.nan] * 3
        cells = " | ".join(f"{value:.1f}" for value in median)
        print(f"| {yaw}, {pitch} | {len(JUDGE_SEEDS)} | {len(errors)} | {cells} |", flush=True)


def fsanet(data: Data, reader: FaceReader) -> None:
    """Against the mean of two FSA-Net networks (its yaw has the other sign), on a crop 1.4 times the mesh's box."""
    import onnxruntime

    folder = data.root / "models/fsanet_headpose"
    networks = [onnxruntime.InferenceSession(str(path)) for path in sorted(folder.glob("*.onnx"))]
    rows = []
    for _, image in data.photos(
        "faces/", "albums/", "hard/azure", "hard/codait", "hard/white", "templates/", limit=110
    ):
        for face in (f for f in reader.read(image, embed=False) if f.width > 50):
            scale = 64 / (1.4 * float((face.box_xyxy[2:] - face.box_xyxy[:2]).max()))
            x, y = 32 - face.centre * scale
            crop = Pyramid(image).warp(np.array([[scale, 0, x], [0, scale, y]]), 64)[..., ::-1].astype(np.float32)
            batch = ((crop - 127.5) / 128).transpose(2, 0, 1)[None]
            theirs = np.mean([n.run(None, {n.get_inputs()[0].name: batch})[0][0] for n in networks], axis=0) * [
                -1,
                1,
                1,
            ]
            rows.append(np.abs(np.array([face.pose.yaw, face.pose.pitch, face.pose.roll]) - theirs))
    median, mean = np.median(rows, axis=0), np.mean(rows, axis=0)
    print("\n| against FSA-Net, faces | yaw | pitch | roll |\n|---|---|---|---|")
    print(f"| {len(rows)}, median difference | {median[0]:.1f} | {median[1]:.1f} | {median[2]:.1f} |")
    print(f"| {len(rows)}, mean difference | {mean[0]:.1f} | {mean[1]:.1f} | {mean[2]:.1f} |")


def quality(data: Data, reader: FaceReader) -> None:
    """Blurred, dark, bright and covered copies of the judge London faces against the originals."""
    print("\n| copies | measure | threshold | originals passed | copies refused |\n|---|---|---|---|---|")
    photos = [i for _, i in data.photos("faces/london", limit=25)]
    originals = [f for i in photos for f in reader.read(i, embed=False)[:1]]
    for name, measure, threshold in COPIES:
        copies = [_spoilt(name, i, f) for i, f in zip(photos, originals, strict=True)]
        read = [getattr(f.quality, measure) for i in copies for f in reader.read(i, embed=False)[:1]]
        kept = np.mean([getattr(f.quality, measure) >= threshold for f in originals])
        refused = (np.array(read) < threshold).sum() + len(copies) - len(read)
        print(f"| {name} | {measure} | {threshold} | {kept:.2f} | {refused / len(copies):.2f} |", flush=True)


COPIES = (
    ("blurred, sigma 2 at 192 px", "sharpness", 0.2),
    ("blurred, sigma 4 at 192 px", "sharpness", 0.2),
    ("dark, x 0.15", "exposure", 0.5),
    ("bright, x 2.6", "exposure", 0.5),
    ("dark glasses drawn", "visibility", 0.5),
    ("mask drawn", "visibility", 0.5),
)


def _spoilt(name: str, image: Image, face: Face) -> Image:
    points, copy = face.landmarks[:, :2], image.copy()
    if name.startswith("blurred"):
        return np.asarray(cv2.GaussianBlur(image, (0, 0), float(name.split()[2]) * face.width / 192), np.uint8)
    if name.startswith(("dark, ", "bright")):
        return np.asarray(cv2.convertScaleAbs(image, alpha=float(name.split()[-1])), np.uint8)
    if name.startswith("dark glasses"):
        for ring in (topology.LEFT_EYE_RING, topology.RIGHT_EYE_RING):
            x, y = points[list(ring)].mean(0).astype(int).tolist()
            cv2.ellipse(copy, (x, y), (int(face.width * 0.19), int(face.width * 0.14)), 0, 0, 360, (25, 25, 28), -1)
        return copy
    ring = (195, 50, 93, 132, 58, 172, 136, 150, 149, 176, 148, 152, 377, 400, 378, 379, 365, 397, 288, 361, 323, 280)
    cv2.fillPoly(copy, [points[list(ring)].astype(np.int32)], (150, 190, 215))
    return copy


def smile(data: Data, reader: FaceReader) -> None:
    """Neutral and smiling judge photos of the London set, split at 0.5."""
    faces = [(file, reader.read(image, embed=False)[0]) for file, image in data.photos("faces/london")]
    right = [(face.expression.smile >= 0.5) == ("smiling" in file) for file, face in faces if face.expression]
    print(f"\n| smile at 0.5 | {len(right)} photos | right {np.mean(right):.2f} |")


def main() -> None:
    parts = [detection, turns, negatives, pose, fsanet, quality, smile]
    names = {part.__name__: part for part in parts}
    chosen = [word for word in sys.argv[1:] if word in names] or list(names)
    root = next((Path(word) for word in sys.argv[1:] if word not in names), Path("../shared/data"))
    data, reader = Data(root), FaceReader.load(Placement(threads=1))
    for name in chosen:
        names[name](data, reader)


if __name__ == "__main__":
    main()
