"""Pictures of docs/gallery: only sitters and templates that are CC0 or in the public domain.

    python benchmarks/gallery.py --data ../shared/data [--out docs/gallery] [--only painters]

Sitter: Lisa DeBruine's own photos (CC0). Templates: paintings whose painters died over 90 years ago, NASA and US Navy
portraits.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from tempfile import TemporaryDirectory

import matplotlib
import numpy as np
from PIL import Image as PillowImage

from portraitist.compose.backdrop import compose_backdrop
from portraitist.compose.config import ComposeConfig
from portraitist.compose.engine import ComposeItem, build
from portraitist.faces.reader import FaceReader
from portraitist.geometry import fit_within
from portraitist.image import encode_image, open_photo
from portraitist.library import Library
from portraitist.pages.sheets import contact_sheet
from portraitist.placement import Placement
from portraitist.provenance import source_type_xmp
from portraitist.scenes.slots import find_slots
from portraitist.scenes.values import BackdropScene
from portraitist.stylize.config import PaintConfig
from portraitist.stylize.engine import PaintItem
from portraitist.tasks.painters import painters
from portraitist.types import Face, Image, Picture, Reference


def widest(picture: Picture, reader: FaceReader) -> Face:
    return max(reader.read(picture.pixels()), key=lambda face: face.width)


def head(image: Image, face: Face) -> Image:
    reach = face.width
    low = np.maximum(np.round(face.centre - reach), 0).astype(int)
    high = np.round(face.centre + reach).astype(int)
    return image[low[1] : high[1], low[0] : high[0]]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--out", type=Path, default=Path("docs/gallery"))
    parser.add_argument("--only", nargs="+", choices=tuple(SHEETS), default=tuple(SHEETS))
    args = parser.parse_args()
    args.out.mkdir(parents=True, exist_ok=True)
    reader = FaceReader.load(Placement())
    photos = [open_photo(path) for path in sorted((args.data / "albums/lisa_cc0").glob("*.jpg"))]
    references = [Reference(photo, widest(photo, reader)) for photo in photos]
    for name in args.only:
        write(SHEETS[name](references, reader, args.data), args.out / f"{name}.jpg")


def in_templates(references: list[Reference], reader: FaceReader, data: Path) -> Image:
    """Photo, template and portrait, side by side."""
    engine = build(ComposeConfig(), Placement())
    templates = sorted((data / "templates/public_domain").glob("*.jpg"))
    templates += [Path(matplotlib.get_data_path()) / "sample_data" / "grace_hopper.jpg"]
    images, captions = [], []
    for path in templates:
        scene = find_slots(open_photo(path), reader)
        slot = max(scene.slots, key=lambda s: s.face.width)
        portrait = next(iter(engine(ComposeItem(scene, {slot.number: references}), seed=0)))
        used = next(r for r in references if r.picture.digest in portrait.sources)
        images += [
            head(used.picture.pixels(), used.face),
            head(scene.picture.pixels(), slot.face),
            head(portrait.image, slot.face),
        ]
        captions += ["photo", "template", "portrait"]
    return contact_sheet(images, captions, columns=6, cell=(200, 200))


def as_head_shots(references: list[Reference], reader: FaceReader, data: Path) -> Image:
    """On four backdrops."""
    names = ("studio-grey", "studio-warm", "own-blurred", "white")
    shots = [compose_backdrop(BackdropScene(name), most_frontal(references)).image for name in names]
    return contact_sheet(shots, names, columns=4, cell=(300, 240))


def painted(references: list[Reference], reader: FaceReader, data: Path) -> Image:
    """By every painter that is here."""
    sitter, placement = most_frontal(references), Placement()
    photo = sitter.picture.pixels()
    images, captions = [head(photo, sitter.face)], ["photo"]
    with TemporaryDirectory() as folder:
        for painter in painters(Library(Path(folder))):
            item = PaintItem(photo, [sitter.face])
            images.append(head(next(painter.build(PaintConfig(), placement)(item)).image, sitter.face))
            captions.append(painter.name)
    return contact_sheet(images, captions, columns=4, cell=(260, 260))


def most_frontal(references: list[Reference]) -> Reference:
    return max(references, key=lambda r: -abs(r.face.pose.yaw))


SHEETS = {"templates": in_templates, "headshots": as_head_shots, "painters": painted}


def write(image: Image, path: Path) -> None:
    """Under 200 KB, marked as a composite."""
    for quality in (85, 75, 65, 55):
        data = encode_image(fit_within(image, 1300), "jpeg", quality=quality, xmp=source_type_xmp("composite"))
        if len(data) < 200_000:
            break
    path.write_bytes(data)
    PillowImage.open(path).verify()


if __name__ == "__main__":
    main()
