"""Options of the album. Standard library only: flags, forms and HTTP schemas are generated from these fields."""

from __future__ import annotations

from dataclasses import dataclass

from portraitist.options import check, option


@dataclass(frozen=True)
class AlbumConfig:
    """How photos are read, culled and ranked. Where a default was fitted, docs/album.md says on what."""

    top_k: int = option(15, "photos chosen for the engines", unit="photos", low=1, high=1000)
    max_files: int = option(20_000, "files looked at in one add", unit="files", low=1)
    max_bytes: int = option(200_000_000, "largest photo file", unit="bytes", low=1)
    max_pixels: int = option(120_000_000, "largest photo", unit="pixels", low=1, high=178_000_000)
    max_video_bytes: int = option(4_000_000_000, "largest video file", unit="bytes", low=1)
    max_frames: int = option(12, "frames kept of one video", unit="frames", low=1, high=200)
    max_samples: int = option(120, "frames of one video that are looked at", unit="frames", low=1, high=5000)
    read_side: int = option(1000, "photos are read at this longer side", unit="pixels", low=256, high=8192)
    min_face: float = option(40.0, "smallest face kept, measured in the original photo", unit="pixels", low=16)
    min_quality: float = option(0.05, "lowest overall face quality kept", low=0, high=1)
    same_person: float = option(
        0.47, "largest distance to the middle of the sitter's faces", unit="distance", low=0, high=2
    )
    majority: float = option(0.34, "least share of the photos that the sitter must be in", low=0, high=1)
    near_duplicate_bits: int = option(
        6, "differing bits of 64 up to which two photos are the same shot", unit="bits", low=0, high=32
    )
    workers: int = option(
        0, "processes that read photos; 0 chooses by the number of photos and threads", unit="processes", low=0, high=64
    )
    words: str = option("", "words of your own for the captions, such as 'a woman with red hair'")

    def __post_init__(self) -> None:
        check(self)


DEFAULT_ALBUM = AlbumConfig()
