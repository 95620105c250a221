"""Settings of which pairs a student may learn from."""

from __future__ import annotations

from dataclasses import dataclass

from portraitist.errors import ConfigError
from portraitist.options import check, option


@dataclass(frozen=True)
class PairFilterConfig:
    """When a painted face is good enough to be an example. Drawings without a readable face want needs_face off."""

    needs_face: bool = option(True, "a face is found in the photo and in the painting")
    landmarks: float = option(
        0.06, "most the landmarks lie apart on the mean", unit="of the face's width", low=0, high=1
    )
    closest: float = option(0.0, "least distance to the photo's person: below, hardly anything was painted", low=0)
    farthest: float = option(1.2, "largest distance to the photo's person: above, it is somebody else", low=0)

    def __post_init__(self) -> None:
        check(self)
        if self.closest > self.farthest:
            raise ConfigError(
                f"PairFilterConfig: expected closest up to farthest, found {self.closest}, {self.farthest}"
            )
