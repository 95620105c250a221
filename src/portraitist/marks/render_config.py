"""Options of rendered marks. Two settings: what a detector learns from, and what it is judged on.

Ranges are (low, high); lengths are millimetres with the eyes 63 mm apart. Densities are optical densities of the green
channel in natural units: the skin's linear light is multiplied by exp(-density).
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass, field

from portraitist.errors import ConfigError
from portraitist.options import check, option

Range = tuple[float, float]


def _check_ranges(config: object) -> None:
    """Raises ConfigError for a (low, high) that is not two finite numbers from 0 up, in order."""
    for entry in dataclasses.fields(config):  # type: ignore[arg-type]
        value = getattr(config, entry.name)
        if isinstance(value, tuple) and not (len(value) == 2 and 0 <= value[0] <= value[1] < float("inf")):
            owner = f"{type(config).__name__}.{entry.name}"
            raise ConfigError(f"{owner}: expected two numbers from 0 up, the lower first; found {value}")


@dataclass(frozen=True)
class CameraConfig:
    """What happens to the picture after the marks are on the skin, in the photo's own pixels."""

    shrink: tuple[float, float] = option((0.75, 1.0), "size of the photo this camera makes, part of the real one's")
    blur: tuple[float, float] = option((0.2, 0.7), "standard deviation of the lens's blur", unit="px of the photo")
    lens: str = option("round", "form of the blur", choices=("round", "smeared"))
    noise: tuple[float, float] = option((0.0, 0.008), "noise of mid grey, part of white in linear light")
    grain: str = option("fine", "noise of each pixel alone, or shared by neighbours", choices=("fine", "coarse"))
    sharpen: tuple[float, float] = option((0.0, 0.0), "strength of the camera's sharpening")
    quality: tuple[float, float] = option((70, 97), "JPEG quality")
    saves: int = option(1, "how often it is saved as JPEG", low=1, high=4)
    enlarge: str = option("cubic", "how the photo is enlarged to the view", choices=("cubic", "lanczos"))

    def __post_init__(self) -> None:
        check(self)
        _check_ranges(self)


@dataclass(frozen=True)
class RenderConfig:
    """How many marks are rendered, and how they look."""

    outline: str = option("waves", "boundary: waves on a circle, or lobes grown together", choices=("waves", "lobes"))
    edge: str = option("logistic", "fall of the pigment at the boundary", choices=("logistic", "power"))
    path: str = option("waves", "how a crease leaves its usual line", choices=("waves", "walk"))
    crease: str = option("gauss", "cross section of a crease", choices=("gauss", "lorentz"))
    moles: tuple[int, int] = option((1, 6), "moles of a face")
    spots: tuple[int, int] = option((0, 5), "single spots of a face")
    freckle_groups: tuple[int, int] = option((0, 1), "groups of freckles of a face")
    freckles: tuple[int, int] = option((4, 14), "freckles of a group")
    pimples: tuple[int, int] = option((0, 4), "pimples of a face")
    scars: tuple[int, int] = option((0, 2), "scars of a face")
    wrinkles: tuple[int, int] = option((1, 6), "creases of a face")
    hairs: tuple[int, int] = option((0, 3), "loose hairs on the skin, which are no marks")
    mole_mm: tuple[float, float] = option((0.8, 3.6), "diameter of a mole", unit="mm")
    mole_density: tuple[float, float] = option((0.4, 1.8), "pigment of a mole")
    mole_softness: tuple[float, float] = option((0.05, 0.28), "part of the radius over which a mole fades")
    spot_mm: tuple[float, float] = option((0.7, 2.6), "diameter of a spot", unit="mm")
    spot_density: tuple[float, float] = option((0.3, 0.9), "pigment of a spot")
    spot_softness: tuple[float, float] = option((0.15, 0.4), "part of the radius over which a spot fades")
    pimple_mm: tuple[float, float] = option((1.2, 3.6), "diameter of a pimple with its halo", unit="mm")
    pimple_density: tuple[float, float] = option((0.22, 0.7), "redness of a pimple")
    scar_mm: tuple[float, float] = option((1.2, 5.0), "length of a scar, or diameter of a pit", unit="mm")
    scar_density: tuple[float, float] = option((0.4, 1.1), "how much paler, redder or darker a scar is")
    wrinkle_mm: tuple[float, float] = option((7.0, 34.0), "length of a crease", unit="mm")
    wrinkle_width_mm: tuple[float, float] = option((0.45, 1.5), "full width of a crease at half its depth", unit="mm")
    wrinkle_density: tuple[float, float] = option((0.15, 0.8), "shadow in the middle of a crease")
    hollow: tuple[float, float] = option((0.25, 0.75), "shade of the hollow around a crease, part of the crease's own")
    hollow_mm: tuple[float, float] = option((1.2, 3.2), "how far the hollow reaches to each side", unit="mm")
    irregular: tuple[float, float] = option((0.05, 0.25), "how far a boundary is from round")
    mottled: tuple[float, float] = option((0.05, 0.35), "how unevenly pigment lies")
    raised: float = option(0.5, "part of the moles that are raised", low=0, high=1)
    two_toned: float = option(0.35, "part of the moles with a darker part", low=0, high=1)
    hairy: float = option(0.12, "part of the moles with a hair across", low=0, high=1)
    relief: tuple[float, float] = option((0.6, 1.8), "shading of raised and sunken skin, 1 as measured on the face")
    red: tuple[float, float] = option((0.6, 0.84), "density of brown pigment in red, part of that in green")
    blue: tuple[float, float] = option((1.05, 1.3), "density of brown pigment in blue, part of that in green")
    camera: CameraConfig = field(default_factory=CameraConfig)

    def __post_init__(self) -> None:
        check(self)
        _check_ranges(self)


TRAINING = RenderConfig()
"""What a detector learns from."""
JUDGING = RenderConfig(
    outline="lobes",
    edge="power",
    path="walk",
    crease="lorentz",
    moles=(2, 5),
    spots=(1, 6),
    pimples=(0, 3),
    scars=(0, 1),
    wrinkles=(2, 5),
    freckles=(5, 10),
    mole_mm=(0.9, 3.0),
    mole_density=(0.55, 1.7),
    mole_softness=(0.08, 0.35),
    spot_mm=(0.9, 3.2),
    spot_density=(0.25, 0.65),
    spot_softness=(0.1, 0.32),
    pimple_mm=(1.4, 4.2),
    pimple_density=(0.28, 0.6),
    scar_mm=(1.4, 4.2),
    scar_density=(0.5, 0.95),
    wrinkle_mm=(9.0, 28.0),
    wrinkle_width_mm=(0.6, 1.8),
    wrinkle_density=(0.2, 0.6),
    hollow=(0.4, 0.9),
    hollow_mm=(1.5, 3.6),
    irregular=(0.1, 0.4),
    mottled=(0.1, 0.45),
    raised=0.35,
    two_toned=0.5,
    hairy=0.08,
    relief=(0.8, 1.5),
    red=(0.66, 0.9),
    blue=(1.02, 1.22),
    camera=CameraConfig(
        shrink=(0.85, 1.0),
        blur=(0.3, 0.9),
        lens="smeared",
        noise=(0.001, 0.006),
        grain="coarse",
        sharpen=(0.0, 0.6),
        quality=(70, 94),
        saves=2,
        enlarge="lanczos",
    ),
)
"""What it is judged on: other outlines, edges, paths and sections, other sizes, colours and counts, another camera."""
