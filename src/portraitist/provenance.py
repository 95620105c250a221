"""Where a portrait comes from: its recipe, the IPTC digital source type in XMP, and an optional C2PA signature.

A saved portrait is two files beside each other, `NAME.png` and `NAME.json`. The recipe is written first: a portrait
without a recipe cannot exist, and a recipe whose picture is missing is a kill half-way and is not listed.
"""

from __future__ import annotations

import importlib.metadata
import platform
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any
from xml.sax.saxutils import quoteattr

from portraitist import __version__
from portraitist.errors import ConfigError, InputError
from portraitist.library import read_json, write_atomic, write_json
from portraitist.types import Image, Pixels

SOURCE_TYPES = {
    "composite": "http://cv.iptc.org/newscodes/digitalsourcetype/compositeWithTrainedAlgorithmicMedia",
    "generated": "http://cv.iptc.org/newscodes/digitalsourcetype/trainedAlgorithmicMedia",
}
"""IPTC NewsCodes, "Digital Source Type": `composite` has pixels of photos in it, `generated` has none."""

_SUFFIX = {"png": ".png", "jpeg": ".jpg", "webp": ".webp"}
_PACKAGES = ("numpy", "scipy", "opencv-python-headless", "pillow", "ai-edge-litert", "dlib-bin", "ncnn")
_DRAWING = ("torch", "diffusers", "transformers", "peft")


@dataclass(frozen=True)
class Input:
    """A picture that went in. role: `album`, `template`, `backdrop`; of a painting also `photo`, `portrait`, `video`,
    `camera`. sitter: whose face it brought, if any.

    path is where it was then; the digest (sha256 of the file) is what counts.
    """

    role: str
    digest: str
    path: str = ""
    sitter: str | None = None


@dataclass(frozen=True)
class Recipe:
    """Everything that replays to the same image, and what was measured on it.

    output: sha256 of the pixels before encoding. likeness: None when it is not measurable. timings in seconds.
    """

    task: str
    engine: str
    config: Mapping[str, Any]
    seed: int
    index: int
    sitters: tuple[str, ...]
    inputs: tuple[Input, ...]
    weights: Mapping[str, str] = field(default_factory=dict)
    timings: Mapping[str, float] = field(default_factory=dict)
    versions: Mapping[str, str] = field(default_factory=dict)
    source_type: str = "composite"
    likeness: float | None = None
    measures: Mapping[str, Any] = field(default_factory=dict)
    details: Mapping[str, Any] = field(default_factory=dict)
    output: str = ""
    file: str = ""
    created: str = ""

    def to_json(self) -> dict[str, Any]:
        """JSON-ready mapping."""
        return asdict(self)

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Recipe:
        """The inverse of `to_json`; raises ConfigError for unknown or missing keys."""
        if not isinstance(value, Mapping) or not {"task", "engine", "config", "inputs", "sitters"} <= set(value):
            raise ConfigError("recipe: expected task, engine, config, sitters and inputs; found no recipe of ours")
        unknown = sorted(set(value) - {f.name for f in fields(cls)})
        if unknown:
            raise ConfigError(f"recipe: unknown {', '.join(unknown)}; was it written by a newer version?")
        inputs = tuple(Input(**entry) for entry in value["inputs"])
        return cls(**{**value, "inputs": inputs, "sitters": tuple(value["sitters"])})


@dataclass(frozen=True)
class SavedPortrait:
    """A portrait on disk: the picture, its recipe file, and the recipe."""

    path: Path
    recipe_path: Path
    recipe: Recipe


def versions(*, drawn: bool = False) -> dict[str, str]:
    """Versions of this package, Python, and what computes pixels: a replay under others may differ.

    drawn: with the packages of diffusion and torch's threads, whose number changes the last bits of a sum.
    """
    found = {"portraitist": __version__, "python": platform.python_version(), "machine": platform.machine()}
    for package in (*_PACKAGES, *(_DRAWING if drawn else ())):
        try:
            found[package] = importlib.metadata.version(package)
        except importlib.metadata.PackageNotFoundError:
            found[package] = "not installed"
    if drawn:
        import torch

        found["threads"] = str(torch.get_num_threads())
    return found


def source_type_xmp(kind: str) -> bytes:
    """An XMP packet that says what the picture is: Iptc4xmpExt:DigitalSourceType and nothing about the person.

    Raises ConfigError for a kind other than `composite` or `generated`.
    Source: IPTC Photo Metadata Standard 2023.2, "Digital Source Type"; XMP specification part 1, section 7.
    """
    if kind not in SOURCE_TYPES:
        raise ConfigError(f"source type '{kind}': expected one of {', '.join(SOURCE_TYPES)}")
    return (
        '<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?>'
        '<x:xmpmeta xmlns:x="adobe:ns:meta/">'
        '<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
        '<rdf:Description rdf:about=""'
        ' xmlns:Iptc4xmpExt="http://iptc.org/std/Iptc4xmpExt/2008-02-29/"'
        ' xmlns:xmp="http://ns.adobe.com/xap/1.0/"'
        f" xmp:CreatorTool={quoteattr(f'portraitist {__version__}')}"
        f" Iptc4xmpExt:DigitalSourceType={quoteattr(SOURCE_TYPES[kind])}/>"
        '</rdf:RDF></x:xmpmeta><?xpacket end="w"?>'
    ).encode()


def save_portrait(
    image: Image,
    recipe: Recipe,
    folder: Path,
    name: str,
    *,
    format: str = "png",
    quality: int = 95,
    dpi: float | None = None,
    credential: Any = None,
) -> SavedPortrait:
    """Write the picture and its recipe beside each other; returns both with the recipe as written.

    The file carries the XMP of its source type and a colour profile, never EXIF. `credential` (a
    `content_credentials.Credential`) signs it with the user's certificate.
    """
    from dataclasses import replace

    from portraitist.image import encode_image

    if format not in _SUFFIX:
        raise ConfigError(f"format '{format}': expected one of {', '.join(_SUFFIX)}")
    data = encode_image(image, format, quality=quality, xmp=source_type_xmp(recipe.source_type), dpi=dpi)
    if credential is not None:
        data = credential.sign(data, format, SOURCE_TYPES[recipe.source_type])
    path = folder / (name + _SUFFIX[format])
    written = replace(recipe, output=Pixels(image).digest, file=path.name)
    recipe_path = write_json(folder / f"{name}.json", written.to_json())
    write_atomic(path, data)
    return SavedPortrait(path, recipe_path, written)


def read_recipe(path: Path) -> Recipe:
    """The recipe in a JSON file (or beside a picture, when the picture's path is given)."""
    return Recipe.from_json(read_json(path if path.suffix == ".json" else path.with_suffix(".json")))


def saved_portraits(folder: Path) -> Iterator[SavedPortrait]:
    """Every portrait below the folder whose picture and recipe are both there, by file name."""
    for recipe_path in sorted(folder.rglob("*.json")) if folder.is_dir() else []:
        try:
            recipe = read_recipe(recipe_path)
        except (InputError, ConfigError):
            continue
        path = recipe_path.parent / recipe.file
        if recipe.file and path.is_file():
            yield SavedPortrait(path, recipe_path, recipe)
