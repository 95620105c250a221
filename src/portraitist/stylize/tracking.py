"""Faces followed through a video: found now and then, followed by the mesh in between, held steady."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np

from portraitist.faces.mesh import crop_of
from portraitist.faces.pose import estimate_pose
from portraitist.faces.pyramid import Pyramid
from portraitist.faces.reader import PRESENCE, FaceReader
from portraitist.geometry import bounding_box, box_overlap, fit_within
from portraitist.stylize.config import VideoConfig
from portraitist.stylize.one_euro import OneEuro
from portraitist.types import Face, Image, Mask

_SEARCH_SIDE = 640
"""Longer side at which a frame is searched."""
_SAME = 0.3
"""Overlap of two boxes from which they are one face."""
_MASK_SECONDS = 0.12
"""A region's border follows within so long."""


@dataclass
class Track:
    """One face over time. face: as followed. steady: as it is painted, landmarks filtered."""

    face: Face
    steady: Face
    smoother: OneEuro
    region: Mask | None = None

    def follow(self, face: Face, time: float) -> None:
        """The face of the next frame. Speed counts in face widths, so that a near face is followed as a far one is."""
        width = max(float(np.ptp(face.landmarks[:, 0])), 1.0)
        points = np.asarray(self.smoother(face.landmarks, time, width), np.float32)
        self.face, self.steady = face, replace(face, landmarks=points, box_xyxy=bounding_box(points))


@dataclass
class FaceTracker:
    """Call it with one frame after another. searches: how many frames were searched, for the figures."""

    reader: FaceReader
    config: VideoConfig
    tracks: list[Track] = field(default_factory=list)
    frames: int = 0
    searches: int = 0
    _last: float | None = None
    _passed: float = 0.0

    def __call__(self, image: Image, time: float) -> list[Track]:
        """The faces of this frame, the largest first. time: seconds, rising."""
        self._passed = 0.0 if self._last is None else max(0.0, time - self._last)
        self._last = time
        levels = Pyramid(image)
        count = len(self.tracks)
        self.tracks = [track for track in self.tracks if self._follows(track, levels, time)]
        if self.frames % self.config.detect_every == 0 or len(self.tracks) < count:
            self._search(image, time)
        self.frames += 1
        self.tracks.sort(key=lambda track: -track.face.width)
        del self.tracks[self.config.people :]
        return self.tracks

    def steadied(self, index: int, region: Mask) -> Mask:
        """A face's region mixed with what it was before: segmentation flickers at hair and shoulders."""
        track = self.tracks[index]
        if track.region is not None and track.region.shape == region.shape:
            old = np.float32(np.exp(-self._passed / _MASK_SECONDS))
            region = np.asarray(old * track.region + (1 - old) * region, np.float32)
        track.region = region
        return region

    def _follows(self, track: Track, levels: Pyramid, time: float) -> bool:
        points, presence = self.reader.mesh.fit(levels, *crop_of(track.face.landmarks))
        if presence < PRESENCE:
            return False
        box = bounding_box(points)
        if box_overlap(box, track.face.box_xyxy) < 0.1:
            return False
        face = Face(box, points, track.face.score, presence, estimate_pose(points))
        track.follow(face, time)
        return True

    def _search(self, image: Image, time: float) -> None:
        """New faces join; one that is followed already stays as it is."""
        self.searches += 1
        small = fit_within(image, _SEARCH_SIDE)
        scale = max(image.shape[:2]) / max(small.shape[:2])
        for found in self.reader.read(small, embed=False):
            face = found.scaled(scale)
            if all(box_overlap(face.box_xyxy, track.face.box_xyxy) < _SAME for track in self.tracks):
                track = Track(face, face, OneEuro(self.config.steadiness, self.config.quickness))
                track.follow(face, time)
                self.tracks.append(track)
