"""Photos on disk: checked before they are decoded, decoded small where that is enough, always upright sRGB.

The file's content decides what it is, never its name. Whatever a decoder raises comes out as InputError with a reason.
"""

from __future__ import annotations

import errno
import hashlib
import io
import os
import stat
import struct
import warnings
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray
from PIL import Image as Pillow
from PIL import ImageCms, UnidentifiedImageError

from portraitist.errors import InputError
from portraitist.geometry import fit_within
from portraitist.options import check, option
from portraitist.types import Image

Result = TypeVar("Result")

READABLE_FORMATS = ("JPEG", "PNG", "WEBP", "BMP", "TIFF", "HEIF", "AVIF", "GIF")
"""Pillow's names of what is read; the first frame of animations. Multi-picture JPEGs open as JPEG."""

# What Pillow and its plugins are known to raise on hostile files (SyntaxError: broken PNG chunks; RuntimeError: the
# HEIF and WebP decoders; the rest: arithmetic on lying headers). Programming errors stay visible: no bare Exception.
_DECODER_ERRORS = (
    UnidentifiedImageError,
    Pillow.DecompressionBombError,
    ImageCms.PyCMSError,
    OSError,
    SyntaxError,
    ValueError,
    TypeError,
    KeyError,
    IndexError,
    EOFError,
    OverflowError,
    ZeroDivisionError,
    AttributeError,
    NotImplementedError,
    RuntimeError,
    MemoryError,
    struct.error,
    zlib.error,
)

# `PhotoLimits.pixels` is checked on the header, so Pillow's own warning at 89 megapixels would only be noise.
warnings.filterwarnings("ignore", category=Pillow.DecompressionBombWarning)
# Broken metadata of a sound picture is nobody's concern here: none of it is used.
warnings.filterwarnings("ignore", category=UserWarning, module=r"PIL\.")


@dataclass(frozen=True)
class PhotoLimits:
    """What is refused before anything is decoded."""

    pixels: int = option(120_000_000, "largest photo that is decoded", unit="pixels", low=1, high=178_000_000)
    bytes: int = option(200_000_000, "largest file that is read", unit="bytes", low=1)

    def __post_init__(self) -> None:
        check(self)


DEFAULT_LIMITS = PhotoLimits()


@dataclass(frozen=True)
class Photo:
    """A handle on a photo: nothing is decoded until `pixels` is called.

    size: (h, w) as displayed, after the EXIF rotation. orientation: the EXIF value still to be applied, 1 to 8.
    """

    path: Path
    digest: str
    size: tuple[int, int]
    orientation: int
    limits: PhotoLimits = DEFAULT_LIMITS

    def pixels(self, max_side: int | None = None) -> Image:
        """Upright sRGB, (h, w, 3) uint8, the longer side at most `max_side`; large JPEGs are decoded at a fraction.

        Raises InputError when the file is damaged, gone, or no longer within the limits.
        """
        return _guarded(self.path, lambda: _decode(self.path, self.limits, max_side))


def open_photo(path: str | Path, limits: PhotoLimits = DEFAULT_LIMITS, *, digest: str | None = None) -> Photo:
    """Check a photo's file and header. Raises InputError with the reason when it cannot be used.

    Damage behind the header shows only when `Photo.pixels` decodes it. `digest`: the file's sha256 where the caller
    has just computed it, which saves reading the file once more.
    """
    path = Path(path)
    check_file(path, limits.bytes)
    return _guarded(path, lambda: _read_header(path, limits, digest))


def check_file(path: Path, max_bytes: int) -> os.stat_result:
    """Stat of a regular, non-empty file of at most `max_bytes`; raises InputError otherwise."""
    try:
        found = path.stat()
    except FileNotFoundError:
        reason = "is a link to nothing" if path.is_symlink() else "does not exist; check the path"
        raise InputError(f"{path.name}: {reason}") from None
    except (OSError, ValueError) as error:
        loops = isinstance(error, OSError) and error.errno == errno.ELOOP
        reason = "is a symlink loop; give the photo itself" if loops else f"cannot be read ({_first_line(error)})"
        raise InputError(f"{path.name}: {reason}") from error
    if stat.S_ISDIR(found.st_mode):
        raise InputError(f"{path.name}: is a folder, expected a photo; give the photos in it")
    if not stat.S_ISREG(found.st_mode):
        raise InputError(f"{path.name}: is not a regular file (a pipe, socket or device)")
    if found.st_size == 0:
        raise InputError(f"{path.name}: is empty (0 bytes); copy it again from the camera")
    if found.st_size > max_bytes:
        raise InputError(f"{path.name}: {found.st_size:,} bytes, the limit is {max_bytes:,}; export a smaller copy")
    return found


def file_digest(path: Path) -> str:
    """The sha256 of a file, read in blocks. Raises InputError when it cannot be read."""
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise InputError(f"{path.name}: cannot be read ({_first_line(error)})") from error


def encode_image(
    image: Image,
    format: str,
    *,
    quality: int = 95,
    xmp: bytes | None = None,
    dpi: float | None = None,
) -> bytes:
    """An (h, w, 3) uint8 image as a PNG, JPEG or WebP file. Only `xmp` and `dpi` go beside the pixels: never EXIF.

    A fourth channel is opacity, which JPEG does not have. Raises InputError for another format or kind of array.
    """
    name = {"jpg": "JPEG", "jpeg": "JPEG", "png": "PNG", "webp": "WEBP"}.get(format.lower().lstrip("."))
    if name is None:
        raise InputError(f"format '{format}': expected png, jpeg or webp")
    channels = (3,) if name == "JPEG" else (3, 4)
    if image.dtype != np.uint8 or image.ndim != 3 or image.shape[2] not in channels or 0 in image.shape:
        raise InputError(f"expected an (h, w, 3) uint8 image, found {image.shape} {image.dtype}")
    options: dict[str, Any] = {"quality": quality} if name != "PNG" else {"compress_level": 6}
    if name == "JPEG":
        options |= {"subsampling": 0, "optimize": True}
    if dpi is not None and name != "WEBP":
        options["dpi"] = (dpi, dpi)
    if xmp is not None:
        options |= _xmp_option(name, xmp)
    out = io.BytesIO()
    Pillow.fromarray(np.ascontiguousarray(image)).save(out, name, **options)
    return out.getvalue()


def _xmp_option(name: str, xmp: bytes) -> dict[str, Any]:
    if name != "PNG":
        return {"xmp": xmp}
    from PIL.PngImagePlugin import PngInfo

    chunks = PngInfo()
    # XMP in PNG is an uncompressed iTXt chunk with this keyword. Source: XMP Specification Part 3, section 1.1.5.
    chunks.add_itxt("XML:com.adobe.xmp", xmp.decode("utf-8"))
    return {"pnginfo": chunks}


def _guarded(path: Path, work: Callable[[], Result]) -> Result:
    """Run `work`, turning what decoders raise into InputError with the file's name and a reason."""
    try:
        return work()
    except InputError:
        raise
    except UnidentifiedImageError as error:
        readable = "expected jpg, png, webp, bmp, tiff, heic, avif or gif"
        raise InputError(f"{path.name}: {_what_it_looks_like(path)}; {readable}") from error
    except Pillow.DecompressionBombError as error:
        ceiling = PhotoLimits.__dataclass_fields__["pixels"].metadata["high"]
        raise InputError(f"{path.name}: has more than {ceiling:,} pixels; export a smaller copy") from error
    except _DECODER_ERRORS as error:
        found = f"damaged or cut off ({_first_line(error)})"
        raise InputError(f"{path.name}: {found}; copy it again from the camera") from error


def _what_it_looks_like(path: Path) -> str:
    try:
        with path.open("rb") as file:
            head = file.read(512)
    except OSError:
        return "cannot be read"
    if head.startswith((b"%PDF", b"PK\x03\x04", b"\x1f\x8b")):
        return "is a document or archive, not a picture"
    try:
        head.decode("utf-8")
    except UnicodeDecodeError:
        return "is not a picture this version reads, or its header is damaged"
    return "is not a picture (it looks like text)"


def _first_line(error: BaseException) -> str:
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    return (str(error).strip().splitlines() or [type(error).__name__])[0][:120]


def _open(path: Path, limits: PhotoLimits) -> Pillow.Image:
    """The lazy Pillow image, its header dimensions within the limits."""
    _register_heif()
    opened = Pillow.open(path, formats=READABLE_FORMATS)
    width, height = opened.size
    if width < 1 or height < 1 or width * height > limits.pixels:
        opened.close()
        found = f"{width} x {height} pixels, the limit is {limits.pixels:,} in all"
        raise InputError(f"{path.name}: {found}; export a smaller copy")
    return opened


def _register_heif() -> None:
    if "HEIF" not in Pillow.OPEN:
        from pi_heif import register_heif_opener

        register_heif_opener()


def _read_header(path: Path, limits: PhotoLimits, digest: str | None) -> Photo:
    with _open(path, limits) as opened:
        orientation = _orientation(opened)
        width, height = opened.size
    size = (width, height) if orientation >= 5 else (height, width)
    return Photo(path, digest or file_digest(path), size, orientation, limits)


def _orientation(opened: Pillow.Image) -> int:
    # Pillow turns TIFFs itself while loading, and its TIFF `size` is upright already; libheif turns HEICs.
    if opened.format in ("TIFF", "HEIF"):
        return 1
    try:
        value = opened.getexif().get(0x0112, 1)
    except _DECODER_ERRORS:
        # A broken EXIF block is no reason to refuse sound pixels.
        return 1
    return value if isinstance(value, int) and 1 <= value <= 8 else 1


def _decode(path: Path, limits: PhotoLimits, max_side: int | None) -> Image:
    _check_png(path, limits)
    with _open(path, limits) as opened:
        orientation = _orientation(opened)
        if max_side is not None and opened.format in ("JPEG", "MPO"):
            factor = min(1.0, max_side / max(opened.size))
            # libjpeg decodes at 1/2, 1/4 or 1/8, never below the size asked for: the DCT does most of the shrinking.
            opened.draft(None, (max(1, int(opened.size[0] * factor)), max(1, int(opened.size[1] * factor))))
        opened.load()
        profile = opened.info.get("icc_profile")
        flat = _flatten(opened)
        # Colour is managed after shrinking where the pixels are RGB already: it costs by the pixel.
        image = np.asarray(flat if flat.mode == "RGB" else _other_to_srgb(flat, profile))
    image = image if max_side is None else fit_within(image, max_side)
    if flat.mode == "RGB":
        image = _rgb_to_srgb(image, profile)
    return np.ascontiguousarray(turn(image, orientation))


def _check_png(path: Path, limits: PhotoLimits) -> None:
    """Check a PNG's checksums: Pillow's decoder would show the garbage behind a flipped byte without a word."""
    with _open(path, limits) as opened:
        if opened.format == "PNG":
            opened.verify()


def turn(image: Image, orientation: int) -> Image:
    """Apply an EXIF orientation (1 to 8). Source: Exif 2.3, tag 0x0112."""
    mirrored = image[:, ::-1] if orientation in (2, 4, 5, 7) else image
    quarter_turns = {3: 2, 4: 2, 5: 1, 6: 3, 7: 3, 8: 1}.get(orientation, 0)
    return np.rot90(mirrored, quarter_turns)


def _flatten(opened: Pillow.Image) -> Pillow.Image:
    """RGB, L, CMYK or LAB at 8 bits a channel, transparency laid over white."""
    if opened.mode.startswith("I") or opened.mode == "F":
        return Pillow.fromarray(_to_eight_bits(np.asarray(opened), opened.mode))
    if opened.mode in ("RGBA", "RGBa", "LA", "La", "PA") or "transparency" in opened.info:
        upper = opened.convert("RGBA")
        return Pillow.alpha_composite(Pillow.new("RGBA", upper.size, "white"), upper).convert("RGB")
    if opened.mode == "1":
        return opened.convert("L")
    if opened.mode in ("RGB", "L", "CMYK", "LAB"):
        return opened
    return opened.convert("RGB")


def _to_eight_bits(values: NDArray[Any], mode: str) -> NDArray[np.uint8]:
    """Grey of 16 or 32 bits, or floats, scaled to 0-255 by what the type can hold (Pillow's own convert clips)."""
    finite = np.nan_to_num(values.astype(np.float64), nan=0.0, posinf=0.0, neginf=0.0)
    if mode.startswith("I;16"):
        top = 65535.0
    else:
        peak = float(finite.max(initial=0.0))
        top = next((t for t in (1.0, 255.0, 65535.0) if peak <= t and not (t == 1.0 and mode == "I")), peak)
    return np.asarray(np.clip(np.rint(finite * (255.0 / top)), 0, 255), np.uint8)


def _rgb_to_srgb(image: Image, profile: bytes | None) -> Image:
    if not profile:
        return image
    transform = _transform(profile, "RGB")
    return image if transform is None else np.asarray(ImageCms.applyTransform(Pillow.fromarray(image), transform))


def _other_to_srgb(flat: Pillow.Image, profile: bytes | None) -> Pillow.Image:
    transform = _transform(profile, flat.mode) if profile or flat.mode == "LAB" else None
    if transform is None:
        return flat.convert("RGB")
    converted = ImageCms.applyTransform(flat, transform)
    return converted if converted is not None else flat.convert("RGB")


def _transform(profile: bytes | None, mode: str) -> ImageCms.ImageCmsTransform | None:
    """The colour transform to sRGB, or None when there is nothing to do or the profile is unusable.

    An unreadable profile, or one of another colour space than the pixels, is ignored as browsers do.
    """
    try:
        source = ImageCms.ImageCmsProfile(io.BytesIO(profile)) if profile else ImageCms.createProfile("LAB")
        if "srgb" in ImageCms.getProfileDescription(source).lower() and mode == "RGB":
            return None
        return ImageCms.buildTransform(source, ImageCms.createProfile("sRGB"), mode, "RGB")
    except (ImageCms.PyCMSError, OSError, ValueError, TypeError):
        return None
