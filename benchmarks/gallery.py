"""Pictures of docs/gallery: only sitters and templates that are CC0 or in the public domain.

    python benchmarks/gallery.py --data ../shared/data [--out docs/gallery]

Sitter: Lisa DeBruine's own photos (CC0). Templates: paintings whose painters died over 90 years ago, NASA and US Navy
portraits.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import matplotlib
import numpy as np
from PIL import Image as PillowImage

from portraitist.compose.backdrop import compose_backdrop
from portraitist.compose.config import ComposeConfig
from portraitist.compose.engine import ComposeItem, build
from portraitist.faces.reader import FaceReader
from portraitist.geometry import fit_within
from portraitist.image import encode_image, open_photo
from portraitist.pages.sheets import contact_sheet
from portraitist.placement import Placement
from portraitist.provenance import source_type_xmp
from portraitist.scenes.slots import find_slots
from portraitist.scenes.values import BackdropScene
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
    args = parser.parse_args()
    args.out.mkdir(parents=True, exist_ok=True)
    reader, engine = FaceReader.load(Placement()), build(ComposeConfig(), Placement())
    photos = [open_photo(path) for path in sorted((args.data / "albums/lisa_cc0").glob("*.jpg"))]
    references = [Reference(photo, widest(photo, reader)) for photo in photos]
    templates = sorted((args.data / "templates/public_domain").glob("*.jpg"))
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
    write(contact_sheet(images, captions, columns=6, cell=(200, 200)), args.out / "templates.jpg")
    frontal = max(references, key=lambda r: -abs(r.face.pose.yaw))
    shots = [
        compose_backdrop(BackdropScene(name), frontal).image
        for name in ("studio-grey", "studio-warm", "own-blurred", "white")
    ]
    write(
        contact_sheet(shots, ["studio-grey", "studio-warm", "own-blurred", "white"], columns=4, cell=(300, 240)),
        args.out / "headshots.jpg",
    )


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
