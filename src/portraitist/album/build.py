"""From shots to an album: who is the sitter, what is a duplicate, what is too poor, what is best."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from portraitist.album.captions import caption
from portraitist.album.config import AlbumConfig
from portraitist.album.coverage import cover, framing_kind
from portraitist.album.crops import head_crop
from portraitist.album.duplicates import keep_best
from portraitist.album.people import Verdict, find_sitter
from portraitist.album.ranking import frontality, quality_of
from portraitist.album.values import AcceptedPhoto, Album, Rejection, Shot, shot_name
from portraitist.album.video import view_of
from portraitist.faces.likeness import likeness
from portraitist.types import Embedding, Face


def build_album(
    folder: Path,
    shots: Sequence[Shot],
    rejected: Sequence[Rejection],
    config: AlbumConfig,
    me: Embedding | None = None,
) -> Album:
    """Judge every shot. `rejected` are those that never became a shot. The order of `shots` does not matter.

    Raises InputError when no person is in most of the photos and `me` is not given.
    """
    ordered = sorted(shots, key=lambda shot: (str(shot.path), shot.time or 0.0))
    distinct, copies = _drop_copies(ordered)
    verdicts = find_sitter(distinct, config, me)
    kept: list[tuple[Shot, Verdict]] = []
    refused = [*rejected, *copies]
    for shot, verdict in zip(distinct, verdicts, strict=True):
        refusal = _refusal(shot, verdict, config)
        if refusal is None:
            kept.append((shot, verdict))
        else:
            refused.append(refusal)
    best, repeats = _drop_repeats(kept, config)
    accepted = _rank([_accept(shot, verdict, config) for shot, verdict in best], config)
    reference = max(accepted, key=lambda p: (p.likeness * p.frontality, p.score), default=None)
    faces = [_sitter_face(shot, verdict) for shot, verdict in best]
    coverage = cover(faces, [shot.size for shot, _ in best], config.top_k)
    refused = sorted([*refused, *repeats], key=lambda r: (r.path, r.time or 0.0))
    return Album(folder, tuple(accepted), tuple(refused), reference, coverage)


def _drop_copies(shots: Sequence[Shot]) -> tuple[list[Shot], list[Rejection]]:
    """The same bytes under two names count once: the first name stays."""
    first: dict[tuple[str, int], Shot] = {}
    copies = []
    for shot in shots:
        original = first.setdefault((shot.digest, shot.index), shot)
        if original is not shot:
            reason = f"is the same file as {original.path.name}"
            copies.append(_reject(shot, "duplicate", reason))
    return [shot for shot in shots if first[(shot.digest, shot.index)] is shot], copies


def _refusal(shot: Shot, verdict: Verdict, config: AlbumConfig) -> Rejection | None:
    measures = {} if verdict.distance is None else {"distance": round(verdict.distance, 4)}
    reason = _reason(shot, verdict, config)
    code = verdict.code
    if reason is None:
        face = _sitter_face(shot, verdict)
        width = face.quality.face_width if face.quality else face.width
        if width < config.min_face:
            code = "small"
            reason = (
                f"the face is {width:.0f} px wide, {config.min_face:.0f} are needed; use the original, not a preview"
            )
        elif quality_of(face) < config.min_quality:
            code, reason = "poor", f"the face is too poor ({_weakest(face)}); quality {quality_of(face):.2f} of 1"
            measures["quality"] = round(quality_of(face), 4)
    return None if reason is None else _reject(shot, code, reason, measures)


def _reject(shot: Shot, code: str, reason: str, measures: Mapping[str, float] | None = None) -> Rejection:
    return Rejection(str(shot.path), code, reason, shot.time, dict(measures or {}), shot.record, shot.index)


def _reason(shot: Shot, verdict: Verdict, config: AlbumConfig) -> str | None:
    many = f" (nearest of {len(shot.faces)} faces)" if len(shot.faces) > 1 else ""
    far = f"{verdict.distance or 0.0:.2f}"
    return {
        "no-face": "no face was found; is it visible, upright and not covered?",
        "small": "the faces are too small to tell who it is; use the original, not a preview",
        "stranger": f"another person: distance {far} to the sitter, at most {config.same_person}{many}",
        "look-alike": f"like the sitter (distance {far}), but more like another person of these photos{many}",
    }.get(verdict.code)


def _weakest(face: Face) -> str:
    quality = face.quality
    if quality is None:
        return "not measured"
    parts = {
        "blurred": quality.sharpness,
        "small": quality.size,
        "too dark or too bright": quality.exposure,
        "covered": quality.visibility,
        "eyes closed": quality.eyes_open,
    }
    return min(parts, key=lambda name: parts[name])


def _sitter_face(shot: Shot, verdict: Verdict) -> Face:
    assert verdict.face is not None
    return shot.faces[verdict.face]


def _drop_repeats(
    kept: Sequence[tuple[Shot, Verdict]], config: AlbumConfig
) -> tuple[list[tuple[Shot, Verdict]], list[Rejection]]:
    if not kept:
        return [], []
    faces = [_sitter_face(shot, verdict) for shot, verdict in kept]
    scores = [quality_of(face) * frontality(face.pose) for face in faces]
    views = np.stack([view_of(face) for face in faces])
    stands_for = keep_best([shot.phash for shot, _ in kept], scores, config.near_duplicate_bits, views)
    repeats = []
    for i, stand_in in enumerate(stands_for):
        if i != stand_in:
            shot, better = kept[i][0], kept[stand_in][0]
            reason = f"nearly the same shot as {shot_name(str(better.path), better.time)}, which is better"
            repeats.append(_reject(shot, "near-duplicate", reason, {"score": round(scores[i], 4)}))
    return [pair for i, pair in enumerate(kept) if stands_for[i] == i], repeats


def _accept(shot: Shot, verdict: Verdict, config: AlbumConfig) -> AcceptedPhoto:
    face = _sitter_face(shot, verdict)
    distance = verdict.distance or 0.0
    return AcceptedPhoto(
        path=str(shot.path),
        digest=shot.digest,
        size=shot.size,
        face=verdict.face or 0,
        record=shot.record,
        index=shot.index,
        likeness=round(likeness(distance), 6),
        quality=round(quality_of(face), 6),
        frontality=round(frontality(face.pose), 6),
        distance=round(distance, 4),
        framing=framing_kind(face, shot.size),
        caption=caption(face, shot.size, config.words),
        crop=head_crop(face, shot.size),
        chosen=False,
        measures=_measures(face),
        others=len(shot.faces) - 1,
        time=shot.time,
    )


def _measures(face: Face) -> dict[str, float]:
    found: dict[str, float] = {"yaw": face.pose.yaw, "pitch": face.pose.pitch, "roll": face.pose.roll}
    if face.quality:
        found |= {
            name: getattr(face.quality, name) for name in ("sharpness", "size", "exposure", "visibility", "face_width")
        }
    if face.expression:
        found |= {name: getattr(face.expression, name) for name in ("smile", "mouth_open", "eyes_open")}
    if face.light:
        found |= {"light": face.light.level, "light_x": face.light.direction[0], "light_y": face.light.direction[1]}
    return {name: round(float(value), 3) for name, value in found.items()}


def _rank(photos: Sequence[AcceptedPhoto], config: AlbumConfig) -> list[AcceptedPhoto]:
    """Best first; ties by path, so that the order is the same on every machine."""
    ranked = sorted(photos, key=lambda p: (-p.score, p.path, p.time or 0.0))
    return [replace(photo, chosen=place < config.top_k) for place, photo in enumerate(ranked)]
