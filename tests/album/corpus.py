"""The bad-input corpus: files that must each be refused with a reason, and odd ones that are good."""

from __future__ import annotations

import io
import os
import struct
import zlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
from PIL import Image as Pillow
from PIL import TiffImagePlugin

from portraitist.types import Image


def encoded(image: Image, format: str, **options: object) -> bytes:
    """The picture as a file of Pillow's format."""
    out = io.BytesIO()
    Pillow.fromarray(image).save(out, format, **options)  # type: ignore[arg-type]
    return out.getvalue()


def png_chunk(kind: bytes, data: bytes) -> bytes:
    """One PNG chunk with a right checksum."""
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def png_of(width: int, height: int, data: bytes = b"") -> bytes:
    """A PNG whose header claims a size."""
    header = png_chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + header + png_chunk(b"IDAT", zlib.compress(data)) + png_chunk(b"IEND", b"")


def bad_files(picture: Image) -> dict[str, bytes]:
    """File name to content; each must be refused. `picture` is any good photo."""
    noise = np.random.default_rng(0).bytes(4096)
    whole = {
        "jpg": encoded(picture, "JPEG"),
        "png": encoded(picture, "PNG"),
        "webp": encoded(picture, "WEBP"),
        "bmp": encoded(picture, "BMP"),
        "tif": encoded(picture, "TIFF", compression="tiff_lzw"),
        "gif": encoded(picture, "GIF"),
        "avif": encoded(picture, "AVIF"),
    }
    bad = {
        "empty.jpg": b"",
        "empty.png": b"",
        "empty.heic": b"",
        "empty.mp4": b"",
        "text.jpg": b"this is not a photo\n",
        "text-utf8.jpg": "das ist kein Foto: äöü 照片".encode(),
        "text-utf16.jpg": "not a photo".encode("utf-16"),
        "page.jpg": b"<html><body>404 not found</body></html>",
        "vector.svg": b"<svg xmlns='http://www.w3.org/2000/svg'></svg>",
        "notes.txt": b"buy film",
        "data.json": b"{}",
        "table.csv": b"a,b\n1,2\n",
        "document.pdf": b"%PDF-1.7\n" + noise,
        "archive.zip": b"PK\x03\x04" + noise,
        "archive.jpg": b"\x1f\x8b\x08" + noise,
        "noise.jpg": noise,
        "noise.png": noise[::-1],
        "zeros.jpg": bytes(4096),
        "one-byte.jpg": b"\xff",
        "magic-only.jpg": b"\xff\xd8\xff",
        "magic-only.png": b"\x89PNG\r\n\x1a\n",
        "magic-only.gif": b"GIF89a",
        "magic-only.webp": b"RIFF\x00\x00\x00\x00WEBP",
        "magic-only.bmp": b"BM",
        "magic-only.tif": b"II*\x00",
        "magic-only.heic": b"\x00\x00\x00\x18ftypheic\x00\x00\x00\x00heicmif1",
        "magic-only.avif": b"\x00\x00\x00\x1cftypavif\x00\x00\x00\x00avifmif1miaf",
        "magic-only.mp4": b"\x00\x00\x00\x18ftypisom\x00\x00\x00\x00isommp42",
        "magic-only.mkv": b"\x1a\x45\xdf\xa3" + noise[:64],
        "magic-only.avi": b"RIFF\x00\x00\x00\x00AVI LIST",
        "noise.mov": noise[:2048],
        "text.mp4": b"this is not a video",
        "bomb.png": png_of(60_000, 60_000),
        "bomb-tall.png": png_of(1, 2_000_000_000),
        "bomb-wide.gif": b"GIF89a" + struct.pack("<HHBBB", 65535, 65535, 0, 0, 0) + b";",
        "bomb.bmp": b"BM" + struct.pack("<IHHIIiiHHIIiiII", 54, 0, 0, 54, 40, 50_000, 50_000, 1, 24, 0, 0, 0, 0, 0, 0),
        "zero-size.png": png_of(0, 0),
        "no-data.png": png_of(64, 64),
        "short-data.png": png_of(64, 64, b"\x00" * 100),
        "negative.bmp": b"BM" + struct.pack("<IHHIIiiHHIIiiII", 54, 0, 0, 54, 40, -8, 8, 1, 24, 0, 0, 0, 0, 0, 0),
        "no-frame.gif": b"GIF89a" + struct.pack("<HHBBB", 8, 8, 0, 0, 0) + b";",
        "no-directory.tif": b"II*\x00\xff\xff\xff\x7f",
        "loop.tif": b"II*\x00\x08\x00\x00\x00" + struct.pack("<H", 0) + struct.pack("<I", 8),
        "postscript.eps": b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 10 10\n%%EndComments\n",
        "exotic.ico": encoded(picture, "ICO"),
        "exotic.tga": encoded(picture, "TGA"),
        "exotic.ppm": encoded(picture, "PPM"),
        "exotic.jp2": encoded(picture, "JPEG2000"),
    }
    for suffix, data in whole.items():
        bad[f"cut-header.{suffix}"] = data[:20]
        bad[f"cut-early.{suffix}"] = data[: len(data) // 10]
        bad[f"cut-half.{suffix}"] = data[: len(data) // 2]
    bad["flipped.png"] = _flipped(whole["png"], 0.5)
    bad["header-from-png.jpg"] = whole["png"][:200] + whole["jpg"][200:]
    # libjpeg and libwebp by design decode a file whose last bytes only are gone; a tenth gone they refuse.
    bad["cut-end.jpg"] = whole["jpg"][: len(whole["jpg"]) * 9 // 10]
    return bad


def _flipped(data: bytes, place: float) -> bytes:
    changed = bytearray(data)
    start = int(len(data) * place)
    for i in range(start, start + 64):
        changed[i] ^= 0xFF
    return bytes(changed)


def odd_entries(folder: Path) -> dict[str, Path]:
    """Things in a folder that are not files: each must be refused with a reason."""
    (folder / "folder.jpg").mkdir()
    os.mkfifo(folder / "pipe.jpg")
    (folder / "dangling.jpg").symlink_to(folder / "nowhere.jpg")
    (folder / "self.jpg").symlink_to(folder / "self.jpg")
    (folder / "there").symlink_to(folder / "back")
    (folder / "back").symlink_to(folder / "there")
    return {name: folder / name for name in ("pipe.jpg", "dangling.jpg", "self.jpg", "there", "back")}


def good_files(picture: Image) -> dict[str, bytes]:
    """Exotic but sound: each must decode to (nearly) `picture`."""
    grey = picture.mean(2).astype(np.uint8)
    alpha = np.dstack([picture, np.full(picture.shape[:2], 255, np.uint8)])
    sixteen = grey.astype(np.uint16) * 257
    rgb = Pillow.fromarray(picture)
    gps = TiffImagePlugin.ImageFileDirectory_v2()
    gps[1] = "N"
    exif = Pillow.Exif()
    exif[0x8825] = {1: "N", 2: (52.0, 30.0, 0.0), 3: "E", 4: (13.0, 22.0, 0.0)}
    exif[0x010F] = "SECRETCAMERA"
    makers: dict[str, Callable[[], bytes]] = {
        "plain.jpg": lambda: encoded(picture, "JPEG", quality=95),
        "no-suffix": lambda: encoded(picture, "JPEG", quality=95),
        "wrong-suffix.txt": lambda: encoded(picture, "PNG"),
        "UPPER.JPEG": lambda: encoded(picture, "JPEG", quality=95, progressive=True),
        "gps.jpg": lambda: encoded(picture, "JPEG", quality=95, exif=exif),
        "cmyk.jpg": lambda: _saved(rgb.convert("CMYK"), "JPEG", quality=95),
        "cmyk.tif": lambda: _saved(rgb.convert("CMYK"), "TIFF"),
        "palette.png": lambda: _saved(rgb.quantize(256), "PNG"),
        "palette.gif": lambda: _saved(rgb.quantize(256), "GIF"),
        "alpha.png": lambda: encoded(alpha, "PNG"),
        "alpha.webp": lambda: encoded(alpha, "WEBP", lossless=True),
        "grey.jpg": lambda: encoded(grey, "JPEG", quality=95),
        "grey-16.png": lambda: encoded(sixteen, "PNG"),
        "grey-16.tif": lambda: encoded(sixteen, "TIFF"),
        "grey-float.tif": lambda: encoded((grey / 255).astype(np.float32), "TIFF"),
        "grey-alpha.png": lambda: _saved(Pillow.fromarray(alpha).convert("LA"), "PNG"),
        "lzw.tif": lambda: encoded(picture, "TIFF", compression="tiff_lzw"),
        "plain.bmp": lambda: encoded(picture, "BMP"),
        "plain.avif": lambda: encoded(picture, "AVIF", quality=95),
        "plain.webp": lambda: encoded(picture, "WEBP", quality=95),
        "junk-after-end.jpg": lambda: encoded(picture, "JPEG", quality=95) + b"\x00" * 1000,
        "фото é 照片.jpg": lambda: encoded(picture, "JPEG", quality=95),
    }
    return {name: make() for name, make in makers.items()}


def _saved(image: Pillow.Image, format: str, **options: object) -> bytes:
    out = io.BytesIO()
    image.save(out, format, **options)  # type: ignore[arg-type]
    return out.getvalue()
