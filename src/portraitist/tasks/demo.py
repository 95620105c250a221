"""The demo: two public-domain people, each sitter and template for the other, a head shot, an ID photo, one page."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from portraitist.faces.reader import FaceReader
from portraitist.image import encode_image, open_photo
from portraitist.library import Consent, Library, write_atomic
from portraitist.pages.html import render
from portraitist.pages.sheets import contact_sheet
from portraitist.placement import Placement
from portraitist.progress import Report, Step, silent
from portraitist.provenance import SavedPortrait
from portraitist.retouch.upscale import Upscaler
from portraitist.tasks.add import add
from portraitist.tasks.config import ShootConfig
from portraitist.tasks.shoot import shoot
from portraitist.types import Image

CROP = 192
"""Side of the crop that is super-resolved, in pixels."""
PEOPLE = {"collins": "Eileen Collins (NASA, public domain)", "hopper": "Grace Hopper (US Navy, public domain)"}


@dataclass(frozen=True)
class Demo:
    """What was made: the page, the pictures on it, and how long it took."""

    page: Path
    pictures: tuple[Path, ...]
    seconds: float


def make_demo(out: Path, *, placement: Placement | None = None, report: Report = silent) -> Demo:
    """Make the demo in `out`. The library it needs is temporary: nothing is left in the user's own."""
    placement, start = placement or Placement(), time.perf_counter()
    out.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        photos = _write_people(Path(folder) / "photos")
        library = Library(Path(folder) / "library")
        for name, path in photos.items():
            consent = Consent.now(PEOPLE[name], "public domain photo of a public figure; demo only")
            add(library, name, [path], consent=consent, placement=placement, report=report)
        made = {
            "swap": [_in_template(library, name, photos, out, placement, report) for name in photos],
            "head": [_shoot(library, n, ShootConfig(backdrop="studio-grey"), out, placement, report) for n in photos],
            "id": [_shoot(library, n, ShootConfig(id_photo="us-passport"), out, placement, report) for n in photos],
        }
    bicubic, learned = _enlarged(placement, report)
    crops = [_write(out / "face-bicubic.png", bicubic), _write(out / "face-super-resolved.png", learned)]
    seconds = time.perf_counter() - start
    page = _page(out, made, (bicubic, learned), seconds)
    portraits = [portrait.path for portraits in made.values() for portrait in portraits]
    sheets = sorted(out.glob("*/us-passport*-sheet.png"))
    return Demo(page, (*portraits, *sheets, *crops, _overview(out, made)), seconds)


def collins() -> Image:
    """Eileen Collins, (512, 512, 3): the picture that comes with scikit-image."""
    import skimage.data

    return np.ascontiguousarray(skimage.data.astronaut())


def hopper_path() -> Path:
    """Grace Hopper: the picture that comes with matplotlib."""
    import matplotlib

    return Path(matplotlib.get_data_path()) / "sample_data" / "grace_hopper.jpg"


def _write_people(folder: Path) -> dict[str, Path]:
    collins_path = write_atomic(folder / "collins.png", encode_image(collins(), "png"))
    hopper = write_atomic(folder / "hopper.jpg", hopper_path().read_bytes())
    return {"collins": collins_path, "hopper": hopper}


def _in_template(
    library: Library, name: str, photos: dict[str, Path], out: Path, placement: Placement, report: Report
) -> SavedPortrait:
    template = next(path for other, path in photos.items() if other != name)
    return _shoot(library, name, ShootConfig(templates=(str(template),)), out, placement, report)


def _shoot(
    library: Library, name: str, request: ShootConfig, out: Path, placement: Placement, report: Report
) -> SavedPortrait:
    report(Step("demo", message=name))
    return shoot(library, [name], request, out=out / name, placement=placement, report=report)[0]


def _enlarged(placement: Placement, report: Report) -> tuple[Image, Image]:
    """A 192 px crop of a face, four times as large: bicubic, and by the network."""
    image = collins()
    face = FaceReader.load(placement).read(image, embed=False)[0]
    x, y = (int(np.clip(v - CROP / 2, 0, side - CROP)) for v, side in zip(face.centre, image.shape[1::-1], strict=True))
    crop = np.ascontiguousarray(image[y : y + CROP, x : x + CROP])
    bicubic = cv2.resize(crop, (4 * CROP, 4 * CROP), interpolation=cv2.INTER_CUBIC)
    # Tiles of 106 px with an overlap of 10 cover 192 px twice each way with nothing done twice.
    learned = Upscaler.load(placement=placement)(crop, 4, tile=106, report=report)
    return np.asarray(bicubic, np.uint8), learned


def _write(path: Path, image: Image) -> Path:
    return write_atomic(path, encode_image(image, "png"))


def _pixels(portrait: SavedPortrait) -> Image:
    return open_photo(portrait.path).pixels()


def _overview(out: Path, made: dict[str, list[SavedPortrait]]) -> Path:
    """One picture of everything: what the README shows."""
    pictures = [collins(), *map(_pixels, made["swap"]), open_photo(hopper_path()).pixels()]
    pictures += [*map(_pixels, made["head"]), *map(_pixels, made["id"])]
    captions = ["photo: Eileen Collins (NASA)", "Collins in Hopper's photo", "Hopper in Collins's photo"]
    captions += ["photo: Grace Hopper (US Navy)", "head shot", "head shot", "ID photo", "ID photo"]
    sheet = contact_sheet(pictures, captions, columns=4, cell=(300, 260))
    return write_atomic(out / "demo.jpg", encode_image(sheet, "jpeg", quality=88))


def _page(out: Path, made: dict[str, list[SavedPortrait]], crops: tuple[Image, Image], seconds: float) -> Path:
    rows = {kind: [_shown(portrait) for portrait in portraits] for kind, portraits in made.items()}
    sheets = [open_photo(path).pixels() for path in sorted(out.glob("*/us-passport*-sheet.png"))]
    text = render(
        "demo.html",
        photos=[(PEOPLE["collins"], collins()), (PEOPLE["hopper"], open_photo(hopper_path()).pixels())],
        rows=rows,
        sheets=sheets,
        crops=crops,
        seconds=seconds,
    )
    return write_atomic(out / "index.html", text.encode())


def _shown(portrait: SavedPortrait) -> dict[str, Any]:
    people: Sequence[dict[str, Any]] = portrait.recipe.measures.get("people", ())
    return {
        "image": _pixels(portrait),
        "sitter": ", ".join(portrait.recipe.sitters),
        "likeness": portrait.recipe.likeness,
        "to_source": people[0].get("source_distance") if people else None,
        "to_template": people[0].get("template_distance") if people else None,
        "seconds": portrait.recipe.timings.get("total"),
        "warnings": list(portrait.recipe.details.get("warnings", ())),
    }
