"""Who is who: the person most photos show is the sitter; everyone else is told apart by distance.

Distances are Euclidean between raw descriptors. A face is judged by its distance to the *middle* of the sitter's
faces (the mean descriptor, leaving the face itself out): a mean of many photos is steadier than any one of them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.cluster.hierarchy import fcluster, linkage

from portraitist.album.config import AlbumConfig
from portraitist.album.values import Shot
from portraitist.errors import InputError
from portraitist.types import Embedding, Face

Vectors = NDArray[np.float32]

_LINK = 0.45
"""Average-linkage distance under which faces are first taken for one person: strict, so that look-alikes stay apart."""
_SAMPLE = 1500
"""Most faces that are clustered (memory grows with the square); the sharpest and largest come first."""
_ROUNDS = 4


@dataclass(frozen=True)
class Person:
    """The middle of a person's faces: `total` is the sum of `count` descriptors."""

    total: NDArray[np.float64]
    count: int

    def distance(self, vector: Vectors, *, is_member: bool) -> float:
        """From a face to the middle of the person's *other* faces (a lone member is at 0)."""
        if not is_member:
            return float(np.linalg.norm(self.total / self.count - vector))
        if self.count == 1:
            return 0.0
        return float(np.linalg.norm((self.total - vector) / (self.count - 1) - vector))


@dataclass(frozen=True)
class Verdict:
    """What became of one shot. face: index of the sitter's face, None when the sitter is not in it.

    distance: of the face nearest to the sitter, None without a face. code: as in `Rejection`, "" when accepted.
    """

    face: int | None
    distance: float | None
    code: str = ""


def find_sitter(shots: Sequence[Shot], config: AlbumConfig, me: Embedding | None = None) -> list[Verdict]:
    """One verdict a shot.

    Raises InputError when no person is in enough of the photos and `me` does not say who is meant.
    """
    table = _Table.of(shots)
    if len(table.vectors) == 0:
        return [Verdict(None, None, "no-face") for _ in shots]
    labels = _cluster(table)
    core = _core_of_me(table, me, config) if me is not None else _majority(table, labels, config)
    others = _others(table, labels, core, config)
    foreign = frozenset(row for rows, _ in others for row in rows)
    members = _grow(table, core, foreign, config)
    people = [person for _, person in others]
    sitter = person_of(table.vectors, sorted(members))
    return [
        _judge(shot, rows, table, (sitter, members), people, config)
        for shot, rows in zip(shots, table.rows_of, strict=True)
    ]


@dataclass(frozen=True)
class _Table:
    """Every embedded face: (n, d) descriptors, the shot and face each belongs to, and how far to trust it."""

    vectors: Vectors
    shot: NDArray[np.intp]
    face: NDArray[np.intp]
    trust: NDArray[np.float32]
    rows_of: tuple[tuple[int, ...], ...]

    @classmethod
    def of(cls, shots: Sequence[Shot]) -> _Table:
        rows: list[tuple[int, int, Face]] = []
        for s, shot in enumerate(shots):
            rows += [(s, f, face) for f, face in enumerate(shot.faces) if face.embedding is not None]
        recognisers = {face.embedding.recogniser for _, _, face in rows if face.embedding is not None}
        if len(recognisers) > 1:
            raise InputError(
                f"photos were read with different recognisers ({', '.join(sorted(recognisers))}); add them again"
            )
        rows_of: list[list[int]] = [[] for _ in shots]
        for row, (s, _, _) in enumerate(rows):
            rows_of[s].append(row)
        vectors = [face.embedding.vector for _, _, face in rows if face.embedding is not None]
        return cls(
            np.stack(vectors) if vectors else np.empty((0, 0), np.float32),
            np.array([s for s, _, _ in rows], np.intp),
            np.array([f for _, f, _ in rows], np.intp),
            np.array([_trust(face) for _, _, face in rows], np.float32),
            tuple(map(tuple, rows_of)),
        )


def _trust(face: Face) -> float:
    quality = face.quality
    return 0.0 if quality is None else quality.sharpness * quality.size * (0.2 + 0.8 * quality.exposure)


def _cluster(table: _Table) -> NDArray[np.intp]:
    """(n,) cluster of each face, -1 for faces beyond the sample."""
    labels = np.full(len(table.vectors), -1, np.intp)
    sample = np.argsort(-table.trust, kind="stable")[:_SAMPLE]
    if len(sample) == 1:
        labels[sample] = 0
        return labels
    labels[sample] = fcluster(linkage(table.vectors[sample], "average"), _LINK, "distance")
    return labels


def _majority(table: _Table, labels: NDArray[np.intp], config: AlbumConfig) -> NDArray[np.intp]:
    """Rows of the cluster that is in the most photos; raises InputError when that is too few or a tie."""
    known = labels >= 0
    photos = {int(label): len(set(table.shot[labels == label].tolist())) for label in np.unique(labels[known])}
    ranked = sorted(photos, key=lambda label: (-photos[label], -float(table.trust[labels == label].sum())))
    with_face = len(set(table.shot[known].tolist()))
    best = photos[ranked[0]]
    runner_up = photos[ranked[1]] if len(ranked) > 1 else 0
    if best == runner_up or best < config.majority * with_face:
        raise InputError(
            f"no person is in most of the {with_face} photos with a face (the two most frequent are in {best} and "
            f"{runner_up}); name the sitter with --me PHOTO, a photo of that person alone"
        )
    return np.flatnonzero(labels == ranked[0])


def _core_of_me(table: _Table, me: Embedding, config: AlbumConfig) -> NDArray[np.intp]:
    distances = np.linalg.norm(table.vectors - me.vector, axis=1)
    core = np.flatnonzero(distances < config.same_person)
    if len(core) == 0:
        raise InputError(
            f"the person of the 'me' photo is in none of the photos (nearest distance {distances.min():.2f}, "
            f"limit {config.same_person}); choose another 'me' photo"
        )
    return core


def _grow(table: _Table, core: NDArray[np.intp], foreign: frozenset[int], config: AlbumConfig) -> frozenset[int]:
    """Members of the sitter: the core, then again and again every shot's nearest face within the limit.

    foreign: rows of people known to be somebody else, who must not pull the middle towards themselves.
    """
    members = frozenset(_one_a_shot(table, core, person_of(table.vectors, core)))
    for _ in range(_ROUNDS):
        person = person_of(table.vectors, sorted(members))
        distances = distances_to(person, table.vectors, members)
        distances[sorted(foreign)] = np.inf
        grown = frozenset(_one_a_shot(table, np.flatnonzero(distances <= config.same_person), person))
        if grown == members or not grown:
            break
        members = grown
    return members


def _one_a_shot(table: _Table, rows: NDArray[np.intp], person: Person) -> list[int]:
    """Nobody is twice in a photo: of each shot only the nearest row stays."""
    nearest: dict[int, tuple[float, int]] = {}
    for row in rows.tolist():
        candidate = (person.distance(table.vectors[row], is_member=False), row)
        shot = int(table.shot[row])
        nearest[shot] = min(nearest.get(shot, candidate), candidate)
    return sorted(row for _, row in nearest.values())


def person_of(vectors: Vectors, rows: Sequence[int] | NDArray[np.intp]) -> Person:
    """The middle of some rows."""
    chosen = vectors[np.asarray(rows, np.intp)].astype(np.float64)
    return Person(chosen.sum(0), len(chosen))


def distances_to(person: Person, vectors: Vectors, members: frozenset[int]) -> NDArray[np.float64]:
    """(n,) distance of each row to the person, leaving a member's own descriptor out."""
    distances = np.linalg.norm(person.total / person.count - vectors, axis=1)
    for row in members:
        distances[row] = person.distance(vectors[row], is_member=True)
    return np.asarray(distances, np.float64)


def _others(
    table: _Table, labels: NDArray[np.intp], core: NDArray[np.intp], config: AlbumConfig
) -> list[tuple[list[int], Person]]:
    """Everyone else who is in at least two photos: rows and middle.

    The middle of two photos is steadier than one face, so a look-alike whose single face comes within the limit is
    still told apart by a middle that does not.
    """
    sitter = person_of(table.vectors, core)
    people = []
    for label in np.unique(labels[labels >= 0]):
        rows = np.flatnonzero(labels == label).tolist()
        person = person_of(table.vectors, rows)
        far = sitter.distance((person.total / person.count).astype(np.float32), is_member=False) > config.same_person
        if far and len(set(table.shot[rows].tolist())) >= 2 and not set(rows) & set(core.tolist()):
            people.append((rows, person))
    return people


def _judge(
    shot: Shot,
    rows: tuple[int, ...],
    table: _Table,
    known: tuple[Person, frozenset[int]],
    others: Sequence[Person],
    config: AlbumConfig,
) -> Verdict:
    if not rows:
        return Verdict(None, None, "small" if shot.faces else "no-face")
    sitter, members = known
    measured = [(sitter.distance(table.vectors[row], is_member=row in members), row) for row in rows]
    distance, row = min(measured)
    if distance > config.same_person:
        return Verdict(None, distance, "stranger")
    vector = table.vectors[row]
    nearest_other = min((float(np.linalg.norm(o.total / o.count - vector)) for o in others), default=np.inf)
    if nearest_other < distance:
        return Verdict(None, distance, "look-alike")
    return Verdict(int(table.face[row]), distance)
