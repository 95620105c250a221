"""The pictures a painter is made from: framed, counted, and each that cannot be used named."""

from __future__ import annotations

from pathlib import Path

from portraitist.errors import InputError
from portraitist.faces.reader import FaceReader
from portraitist.image import open_photo
from portraitist.stylize.domain import FEW, DomainNote, save_domain
from portraitist.stylize.framing import PICTURES, Crop, FaceFrame, Frame, frame_folder
from portraitist.tasks.make_painter import PainterWork

LOOKED_AT = 20
"""Pictures on which it is decided whether the drawings' faces can be read."""


def prepare(work: PainterWork, images: Path, photos: Path, note: DomainNote, photos_note: DomainNote) -> None:
    """`drawings.npz` and `photos.npz`, those already there kept.

    Fewer than `FEW` drawings are said, and lead to the few-shot preset. Raises InputError when a folder has no usable
    picture.
    """
    reader = FaceReader.load()
    if not work.drawings.is_file():
        frame = _framing(work, images, reader)
        drawings = frame_folder(images, frame, work.config.side, note, name=work.name, report=work.report)
        save_domain(work.drawings, drawings)
        if drawings.is_few_shot:
            work.say(
                f"{len(drawings)} drawings, fewer than {FEW}: the few-shot preset is used; more would paint better"
            )
    if not work.photos.is_file():
        faces = FaceFrame(reader, least_part=0.3)
        save_domain(
            work.photos, frame_folder(photos, faces, work.config.side, photos_note, name="photos", report=work.report)
        )


def _framing(work: PainterWork, images: Path, reader: FaceReader) -> Frame:
    """By the face's mesh where most drawings have one that can be read, by the middle square elsewhere."""
    asked = work.config.framing
    if asked == "auto":
        asked = "face" if _share_with_face(images, reader) > 0.5 else "square"
        work.say(f"drawings are framed by their {asked}; --framing changes it")
    return FaceFrame(reader, least_part=0.2) if asked == "face" else Crop()


def _share_with_face(images: Path, reader: FaceReader) -> float:
    """Of the first readable pictures."""
    seen, found = 0, 0
    for path in sorted(p for p in images.iterdir() if p.suffix.lower() in PICTURES)[:LOOKED_AT]:
        try:
            picture = open_photo(path).pixels(1024)
        except InputError:
            continue
        seen, found = seen + 1, found + bool(reader.read(picture, embed=False))
    return found / max(seen, 1)
