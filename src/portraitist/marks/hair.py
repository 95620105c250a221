"""Beards and strands told from skin by their texture, where no mask says where they are."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from portraitist.faces.regions import oval_mask
from portraitist.marks.anchor import anchor_of, is_visible, place
from portraitist.marks.density import LUMINANCE
from portraitist.marks.mark import PointMark
from portraitist.marks.site import CORE, Site, spot_site
from portraitist.marks.surface import skin_frame
from portraitist.types import Face, Image, Mask

_CHEEKS_AND_FOREHEAD = (50, 280, 151)
"""Vertices where almost everybody's skin is bare."""
_WINDOW_MM = 2.5
"""Mark diameter that texture is measured for; a larger mark has its own."""
_LEAST = 0.2
"""Density. On eleven tune faces bare cheeks had 0.03 to 0.11, beards 0.23 to 0.33."""
_TIMES = 2.5
"""Times as rough as the person's bare skin: a noisy picture is no beard."""


@dataclass(frozen=True, eq=False)
class Hairiness:
    """Tells hair in one picture. usable: (h, w), 1 where pixels tell of skin; bare: of those, the ones on the face, for
    its outline is no texture. limit: density."""

    image: Image
    face: Face
    usable: Mask
    bare: Mask
    limit: float

    def covers(self, mark: PointMark, at: NDArray[np.floating]) -> bool:
        """Whether the skin around a mark at (2,) pixels `at` is too rough to be bare."""
        frame = skin_frame(mark.anchor, self.face)
        diameter = max(mark.diameter_mm, _WINDOW_MM)
        site = spot_site(self.image, at, frame, diameter, self.usable)
        return _roughness(site, self.bare) > self.limit


def hairiness_of(image: Image, face: Face, usable: Mask) -> Hairiness:
    """What counts as hair in a picture of `face`. usable: (h, w), 0 on eyes, brows, lips and what is known to cover."""
    on_face = usable * oval_mask(face, (image.shape[0], image.shape[1]))
    found = [_roughness(site, on_face) for site in _bare_sites(image, face, usable)]
    return Hairiness(image, face, usable, on_face, max(_LEAST, _TIMES * float(np.median(found)) if found else 0.0))


def _bare_sites(image: Image, face: Face, usable: Mask) -> list[Site]:
    anchors = [anchor_of(face.landmarks[vertex, :2] + np.float32(0.25), face) for vertex in _CHEEKS_AND_FOREHEAD]
    places = [(anchor, place(anchor, face)) for anchor in anchors if anchor is not None and is_visible(anchor, face)]
    h, w = usable.shape
    inside = [(anchor, at) for anchor, at in places if 0 <= at[0] < w and 0 <= at[1] < h]
    return [spot_site(image, at, skin_frame(anchor, face), _WINDOW_MM, usable) for anchor, at in inside]


def _roughness(site: Site, skin: Mask) -> float:
    """Deviation (by the median) of the luminance density around a mark from the smooth skin there."""
    rest = np.abs((site.seen - site.skin) @ LUMINANCE)
    around = site.radius > CORE
    on_face = around & (skin[site.rows] > 0.5)
    chosen = rest[on_face] if on_face.sum() >= 16 else rest[around]
    return 1.48 * float(np.median(chosen)) if len(chosen) else 0.0
