"""What a translator paints: sheets while it learns, and the pairs it leaves for a student."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import torch
from numpy.typing import NDArray

from portraitist.errors import InputError
from portraitist.pages.sheets import contact_sheet
from portraitist.progress import Report, Step, silent
from portraitist.stylize.crisp import enlarged_crisply, flattened
from portraitist.stylize.domain import Domain, DomainNote
from portraitist.stylize.lift import LIGHT_ENOUGH, lifted, lowered
from portraitist.stylize.pairs import PAINTED, Pair, PairFolder, PairNote, write_note, write_pair
from portraitist.stylize.translate.config import TranslatePreset
from portraitist.stylize.translate.networks import Translator, TranslatorNetworks
from portraitist.training.checkpoint import checkpoints, unpacked
from portraitist.types import Image, Mask

BATCH = 16


def translate(network: Translator, photos: NDArray[np.uint8]) -> Iterator[tuple[Image, Mask | None]]:
    """(n, side, side, 3) -> each painted, with its mask where the network has one."""
    device = next(network.parameters()).device
    for start in range(0, len(photos), BATCH):
        batch = torch.from_numpy(np.ascontiguousarray(photos[start : start + BATCH])).to(device)
        with torch.no_grad():
            made = network(batch.permute(0, 3, 1, 2).float() / 255)
        pictures = (made.picture * 255).round().byte().permute(0, 2, 3, 1).cpu().numpy()
        masks = [None] * len(pictures) if made.mask is None else made.mask[:, 0].cpu().numpy()
        yield from zip(pictures, masks, strict=True)


def paint_photos(
    network: Translator, photos: NDArray[np.uint8], lift: float = LIGHT_ENOUGH
) -> Iterator[tuple[Image, Mask | None]]:
    """`translate` of photos whose faces are lifted to the lightness `lift` (L*) before and darkened again after."""
    light = [lifted(photo, lift) for photo in photos]
    painted = translate(network, np.stack(light)) if light else iter(())
    for photo, raised, (picture, mask) in zip(photos, light, painted, strict=True):
        yield lowered(picture, photo, raised), mask


def translation_sheet(network: Translator, photos: Domain, count: int = 12) -> Image:
    """Photos in the upper of each two rows, what they become below."""
    shown = photos.images[:: max(1, len(photos) // count)][:count]
    painted = [picture for picture, _ in paint_photos(network, shown)]
    rows: list[Sequence[Image]] = [list(part[i : i + 6]) for i in range(0, len(shown), 6) for part in (shown, painted)]
    cell = (2 * photos.side, 2 * photos.side)
    enlarged = [cv2.resize(image, cell, interpolation=cv2.INTER_CUBIC) for row in rows for image in row]
    return contact_sheet(enlarged, columns=min(6, len(shown)), cell=cell)


def trained_networks(folder: Path, preset: TranslatePreset) -> TranslatorNetworks:
    """The averaged weights of the run's newest checkpoint. Raises InputError when there is none, or of another size."""
    found = checkpoints(folder)
    if not found:
        raise InputError(f"{folder}: expected a checkpoint of a translator, found none; train one first")
    tensors = unpacked(found[-1].read_bytes()).tensors
    start = "average."
    networks = TranslatorNetworks(preset.size, preset.training).eval()
    try:
        networks.load_state_dict(
            {name.removeprefix(start): value for name, value in tensors.items() if name.startswith(start)}
        )
    except RuntimeError as error:
        raise InputError(
            f"{found[-1]}: expected a translator of {preset.size} and keeper {preset.training.keeper}, found another "
            f"({str(error).splitlines()[0]}); give its preset and keeper"
        ) from error
    return networks


def trained_translator(folder: Path, preset: TranslatePreset) -> Translator:
    """The way to the style of `trained_networks`."""
    return trained_networks(folder, preset).to_style


def note_of(photos: DomainNote, drawings: DomainNote, style: str, hints: PairNote | None = None) -> PairNote:
    """Of pairs: what holds for anything that was learned from holds for them. hints: of stage 1, where it was run."""
    notes = (photos, drawings) if hints is None else (photos, drawings, hints)
    attributions = [note.attribution for note in (photos, drawings) if note.attribution]
    return PairNote(
        f"{photos.title}, painted like {drawings.title}",
        "unsupervised translation" if hints is None else "translation with hints of a generator",
        "; ".join(dict.fromkeys(part for note in notes for part in note.licence.split("; "))),
        noncommercial=any(note.noncommercial for note in notes),
        style=style,
        stages=("translate",) if hints is None else ("generator", "translate"),
        attributions=tuple(dict.fromkeys((*attributions, *(hints.attributions if hints else ())))),
    )


def write_pairs(
    network: Translator,
    photos: Domain,
    folder: Path,
    note: PairNote,
    side: int,
    *,
    crisp: bool = False,
    lift: float = LIGHT_ENOUGH,
    report: Report = silent,
) -> PairFolder:
    """A pair a photo: the photo as its domain has it, the painting enlarged from the translator's `side` to it.

    crisp: of flat drawings, evened out and with crisp borders (`crisp`); otherwise softly. lift: faces darker than this
    (L*) are painted lighter and darkened again (`lift`); 0 for none.
    """
    small = photos.at(side)
    for number, (painted, mask) in enumerate(paint_photos(network, small.images, lift)):
        name = f"{number:05d}-{Path(photos.names[number]).stem}"
        if not (folder / PAINTED / f"{name}.png").is_file():
            whole = (photos.side, photos.side)
            larger = enlarged_crisply(flattened(painted), photos.side) if crisp else _enlarged(painted, photos.side)
            opacity = None if mask is None else np.asarray(cv2.resize(mask, whole), np.float32)
            write_pair(folder, Pair(name, photos.images[number], larger, opacity))
        report(Step("pairs", number + 1, len(photos), name))
    write_note(folder, replace(note, lift=lift))
    return PairFolder.open(folder)


def _enlarged(picture: Image, side: int) -> Image:
    return np.asarray(cv2.resize(picture, (side, side), interpolation=cv2.INTER_CUBIC), np.uint8)
