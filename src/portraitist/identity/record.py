"""An identity on disk: the LoRA in two spellings, the record of how it was learned, its face, its card."""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from portraitist.diffusion.lora import Lora
from portraitist.diffusion.lora_formats import read_lora, write_kohya, write_lora
from portraitist.errors import ConfigError, InputError
from portraitist.identity.choose import fusion_sentence
from portraitist.image import encode_image
from portraitist.library import read_json, write_atomic, write_json
from portraitist.options import from_mapping
from portraitist.types import Image

RECORD, WEIGHTS, KOHYA = "identity.json", "identity.safetensors", "kohya.safetensors"
FACE, CARD = "face.png", "README.md"
_CONSENT = "Made for the person in the photos, with their consent on record. It draws their face."


@dataclass(frozen=True)
class IdentityRecord:
    """How an identity was learned and what it measured.

    base, family: what it is laid on. data: digest of the training data. sources: digests of the photos learned from;
    likeness is never taken against them. steps: weights of the checkpoints in it by step. chosen_by: `likeness`,
    `validation loss` or `last step`. distance: mean of the validation portraits in words to photos that were not
    learned from, template_distance: of those in templates; None where none was kept back. report_distance,
    report_template_distance: the same on photos that neither trained nor chose. bare_distance: of the base alone in
    words. fusion_distance, single_distance: what the fusion and the best single checkpoint measured, over both kinds;
    None where nothing was fused. rank_loss: relative error of the fusion's rank. licence: of the base.
    distance_before_reward: what `distance` was before the reward stage, None without one.
    prior: digest of the LoRA that training began from.
    """

    base: str
    family: str
    trigger: str
    data: str
    sources: tuple[str, ...]
    rank: int
    steps: Mapping[str, float]
    chosen_by: str
    distance: float | None
    template_distance: float | None
    report_distance: float | None
    report_template_distance: float | None
    bare_distance: float | None
    fusion_distance: float | None
    single_distance: float | None
    validation_loss: float | None
    rank_loss: float
    is_fused: bool
    licence: str
    noncommercial: bool
    reward_rounds: int = 0
    reward_rounds_kept: int = 0
    distance_before_reward: float | None = None
    prior: str | None = None
    sha256: str = ""


def write_identity(folder: Path, lora: Lora, record: IdentityRecord, face: Image | None) -> IdentityRecord:
    """Write all of it beside what is there, then put it in place: until then an older identity stays whole. Returns
    the record with its digest."""
    new, facts = folder / "new", _metadata(record)
    shutil.rmtree(new, ignore_errors=True)
    new.mkdir(parents=True)
    path = write_lora(new / WEIGHTS, lora, facts)
    write_kohya(new / KOHYA, lora, facts)
    if face is not None:
        write_atomic(new / FACE, encode_image(face, "png"))
    # Read back: nothing is called learned that cannot be used.
    read_lora(path)
    whole = IdentityRecord(**{**asdict(record), "sha256": hashlib.sha256(path.read_bytes()).hexdigest()})
    write_atomic(new / CARD, card(whole).encode())
    write_json(new / RECORD, asdict(whole))
    (folder / FACE).unlink(missing_ok=True)
    # The record last, as it names the weights.
    for name in (WEIGHTS, KOHYA, FACE, CARD, RECORD):
        if (new / name).exists():
            (new / name).replace(folder / name)
    new.rmdir()
    return whole


def read_identity(folder: Path) -> IdentityRecord:
    """The record. Raises InputError where there is none, where another version wrote it, or where the weights are not
    those it was written with."""
    if not (folder / RECORD).is_file():
        raise InputError(f"{folder}: no identity here; learn one with 'portraitist train NAME'")
    try:
        record = from_mapping(IdentityRecord, read_json(folder / RECORD))
    except ConfigError as error:
        raise InputError(
            f"{folder / RECORD}: written by another version ({error}); learn again: 'portraitist train NAME --fresh'"
        ) from error
    path = folder / WEIGHTS
    if not path.is_file() or hashlib.sha256(path.read_bytes()).hexdigest() != record.sha256:
        raise InputError(f"{path}: missing or changed since it was learned; run 'portraitist train' again")
    return record


def _metadata(record: IdentityRecord) -> dict[str, str]:
    kept = ("base", "family", "trigger", "data", "rank", "distance", "licence", "noncommercial")
    begun = {} if record.prior is None else {"prior": record.prior}
    return {name: str(getattr(record, name)) for name in kept} | {"steps": ", ".join(record.steps)} | begun


def card(record: IdentityRecord) -> str:
    """The card, in Markdown."""
    steps = ", ".join(f"{step} ({share:.0%})" for step, share in record.steps.items())
    fusion = fusion_sentence(record.fusion_distance, record.single_distance, record.rank_loss, is_kept=record.is_fused)
    rows: list[tuple[str, Any]] = [
        ("base", record.base),
        ("trigger word", record.trigger),
        ("photos learned from", len(record.sources)),
        ("training data", f"sha256 {record.data}"),
        ("begun from", "nothing" if record.prior is None else f"a LoRA of sha256 {record.prior}"),
        ("rank", record.rank),
        ("checkpoints, by step", f"{steps}{', fused' if record.is_fused else ''}"),
        ("chosen by", record.chosen_by),
        ("fusion against the best single checkpoint", fusion),
        ("distance to photos that chose, in words", _number(record.distance)),
        ("the same, in templates", _number(record.template_distance)),
        ("distance to photos kept for this report, in words", _number(record.report_distance)),
        ("the same, in templates", _number(record.report_template_distance)),
        ("distance of the base alone, in words", _number(record.bare_distance)),
        ("reward stage", reward_sentence(record)),
        ("validation loss", _number(record.validation_loss)),
        ("licence of the base", record.licence + (", not for commercial use" if record.noncommercial else "")),
    ]
    lines = ["# Identity", "", "| | |", "|---|---|", *(f"| {name} | {value} |" for name, value in rows)]
    return "\n".join([*lines, "", _CONSENT, ""])


def reward_sentence(record: IdentityRecord) -> str:
    """What the reward stage changed, in words."""
    if not record.reward_rounds:
        return "none"
    before, after = _number(record.distance_before_reward), _number(record.distance)
    return f"{record.reward_rounds_kept} of {record.reward_rounds} rounds kept; distance {before} before, {after} after"


def _number(value: float | None) -> str:
    return "not measured" if value is None else f"{value:.3f}"
