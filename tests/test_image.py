"""Photos: every kind decodes to the same picture, every bad file is refused with a reason, nothing leaks out."""

from __future__ import annotations

import importlib.util
import io
import sys
from pathlib import Path
from types import ModuleType

import cv2
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image as Pillow
from PIL import ImageCms

from portraitist.errors import InputError
from portraitist.image import PhotoLimits, encode_image, open_photo, turn
from portraitist.types import Image


def beside(name: str) -> ModuleType:
    """A helper module of tests/album (tests are not a package)."""
    path = Path(__file__).parent / "album" / f"{name}.py"
    spec = importlib.util.spec_from_file_location(f"album_{name}", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


corpus = beside("corpus")
heic_samples = beside("heic_samples")


@pytest.fixture(scope="module")
def picture(astronaut: Image) -> Image:
    return np.ascontiguousarray(cv2.resize(astronaut, (160, 200), interpolation=cv2.INTER_AREA))


def test_corpus_has_at_least_sixty_bad_files(picture: Image) -> None:
    assert len(corpus.bad_files(picture)) >= 60


def test_every_bad_file_is_refused_with_its_name_and_a_reason(picture: Image, tmp_path: Path) -> None:
    for name, data in corpus.bad_files(picture).items():
        path = tmp_path / name
        path.write_bytes(data)
        with pytest.raises(InputError) as refused:
            open_photo(path).pixels()
        message = str(refused.value)
        assert message.startswith(f"{name}: "), message
        assert len(message) > len(name) + 12, message


def test_things_that_are_not_files_are_refused(tmp_path: Path) -> None:
    for path in corpus.odd_entries(tmp_path).values():
        with pytest.raises(InputError):
            open_photo(path)
    with pytest.raises(InputError, match="folder"):
        open_photo(tmp_path / "folder.jpg")
    with pytest.raises(InputError, match="loop"):
        open_photo(tmp_path / "self.jpg")
    with pytest.raises(InputError, match="link to nothing"):
        open_photo(tmp_path / "dangling.jpg")
    with pytest.raises(InputError, match="does not exist"):
        open_photo(tmp_path / "missing.jpg")


def test_exotic_good_files_decode_to_the_picture(picture: Image, tmp_path: Path) -> None:
    for name, data in corpus.good_files(picture).items():
        (tmp_path / name).write_bytes(data)
        decoded = open_photo(tmp_path / name).pixels()
        wanted = np.repeat(picture.mean(2, keepdims=True), 3, 2) if "grey" in name else picture
        difference = np.abs(decoded.astype(float) - wanted).mean()
        assert decoded.dtype == np.uint8, name
        assert difference < (9 if "palette" in name else 4), (name, difference)


def test_heic_is_read_and_turned(picture: Image, astronaut: Image, tmp_path: Path) -> None:
    (tmp_path / "a.heic").write_bytes(heic_samples.UPRIGHT)
    decoded = open_photo(tmp_path / "a.heic").pixels()
    wanted = cv2.resize(astronaut[0:240, 110:350], (160, 160), interpolation=cv2.INTER_AREA)
    assert np.abs(decoded.astype(float) - wanted).mean() < 8
    (tmp_path / "b.heic").write_bytes(heic_samples.ROTATED)
    photo = open_photo(tmp_path / "b.heic")
    assert photo.size == (48, 32) == photo.pixels().shape[:2]
    small = cv2.resize(wanted, (48, 32), interpolation=cv2.INTER_AREA)
    assert np.abs(photo.pixels().astype(float) - turn(small, 6)).mean() < 20


@pytest.mark.parametrize("format", ["JPEG", "PNG", "WEBP", "TIFF", "AVIF"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_every_orientation_of_every_format_comes_out_upright(
    format: str, orientation: int, picture: Image, tmp_path: Path
) -> None:
    backward = {1: 1, 2: 2, 3: 3, 4: 4, 5: 5, 6: 8, 7: 7, 8: 6}[orientation]
    exif = Pillow.Exif()
    exif[0x0112] = orientation
    path = tmp_path / "photo"
    path.write_bytes(corpus.encoded(np.ascontiguousarray(turn(picture, backward)), format, exif=exif))
    photo = open_photo(path)
    assert photo.size == picture.shape[:2]
    assert np.abs(photo.pixels().astype(float) - picture).mean() < 6
    assert photo.pixels(100).shape[:2] == (100, 80)


def test_transparency_lies_over_white(tmp_path: Path) -> None:
    clear = np.zeros((8, 8, 4), np.uint8)
    clear[:, 4:] = (10, 20, 30, 255)
    (tmp_path / "a.png").write_bytes(corpus.encoded(clear, "PNG"))
    pixels = open_photo(tmp_path / "a.png").pixels()
    assert (pixels[:, :4] == 255).all()
    assert (pixels[:, 4:] == (10, 20, 30)).all()


def test_sixteen_bits_are_scaled_not_clipped(tmp_path: Path) -> None:
    ramp = np.linspace(0, 65535, 256).astype(np.uint16)[None].repeat(8, 0)
    (tmp_path / "a.png").write_bytes(corpus.encoded(ramp, "PNG"))
    pixels = open_photo(tmp_path / "a.png").pixels()[0, :, 0].astype(int)
    assert np.abs(pixels - np.arange(256)).max() <= 1


def test_colour_profile_is_converted(tmp_path: Path) -> None:
    # A profile whose red is sRGB's blue: the colours must change, and a broken profile must not matter.
    lab = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    swapped = _swap_primaries(lab)
    red = np.zeros((8, 8, 3), np.uint8)
    red[..., 0] = 255
    (tmp_path / "swapped.png").write_bytes(corpus.encoded(red, "PNG", icc_profile=swapped))
    assert open_photo(tmp_path / "swapped.png").pixels()[0, 0].argmax() == 2
    (tmp_path / "broken.png").write_bytes(corpus.encoded(red, "PNG", icc_profile=b"nonsense"))
    assert (open_photo(tmp_path / "broken.png").pixels() == red).all()


def _swap_primaries(profile: bytes) -> bytes:
    """Exchange the rXYZ and bXYZ tag names, and rename it so that it is not taken for sRGB."""
    swapped = profile.replace(b"rXYZ", b"#tmp").replace(b"bXYZ", b"rXYZ").replace(b"#tmp", b"bXYZ")
    return swapped.replace("sRGB".encode("utf-16-be"), "weird"[:4].encode("utf-16-be")).replace(b"sRGB", b"weir")


def test_limits_are_checked_on_the_header(picture: Image, tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(corpus.encoded(picture, "PNG"))
    with pytest.raises(InputError, match="limit is 1,000"):
        open_photo(tmp_path / "a.png", PhotoLimits(pixels=1000))
    with pytest.raises(InputError, match="bytes, the limit is 100"):
        open_photo(tmp_path / "a.png", PhotoLimits(bytes=100))
    # The header lies about 3.6 gigapixels and there is nothing behind it: refused before any allocation.
    (tmp_path / "bomb.png").write_bytes(corpus.png_of(60_000, 60_000))
    with pytest.raises(InputError, match="more than 178,000,000 pixels"):
        open_photo(tmp_path / "bomb.png")


def test_a_photo_swapped_for_a_bomb_after_opening_is_refused(picture: Image, tmp_path: Path) -> None:
    path = tmp_path / "a.png"
    path.write_bytes(corpus.encoded(picture, "PNG"))
    photo = open_photo(path)
    path.write_bytes(corpus.png_of(60_000, 60_000))
    with pytest.raises(InputError, match="more than 178,000,000 pixels"):
        photo.pixels()


def test_reduced_decoding_is_the_same_picture(hopper_path: Path, tmp_path: Path) -> None:
    large = cv2.resize(open_photo(hopper_path).pixels(), (2400, 3000), interpolation=cv2.INTER_CUBIC)
    (tmp_path / "large.jpg").write_bytes(encode_image(np.asarray(large, np.uint8), "jpeg"))
    photo = open_photo(tmp_path / "large.jpg")
    reduced = photo.pixels(500)
    whole = cv2.resize(photo.pixels(), (400, 500), interpolation=cv2.INTER_AREA)
    assert reduced.shape == (500, 400, 3)
    assert np.abs(reduced.astype(float) - whole).mean() < 2


@pytest.mark.parametrize("format", ["png", "jpeg", "jpg", "webp"])
def test_outputs_carry_xmp_but_never_exif_or_gps(format: str, picture: Image, tmp_path: Path) -> None:
    (tmp_path / "gps.jpg").write_bytes(corpus.good_files(picture)["gps.jpg"])
    assert b"SECRETCAMERA" in (tmp_path / "gps.jpg").read_bytes()
    pixels = open_photo(tmp_path / "gps.jpg").pixels()
    xmp = b"<x:xmpmeta xmlns:x='adobe:ns:meta/'><a/></x:xmpmeta>"
    data = encode_image(pixels, format, xmp=xmp, dpi=300)
    assert b"SECRETCAMERA" not in data
    with Pillow.open(io.BytesIO(data)) as written:
        assert not written.getexif()
        assert "exif" not in written.info
        assert xmp in data
        if format != "webp":
            assert written.info["dpi"] == pytest.approx((300, 300), abs=0.1)
        assert np.abs(np.asarray(written.convert("RGB")).astype(float) - pixels).mean() < 3


def test_png_is_lossless_and_odd_arrays_are_refused(picture: Image) -> None:
    with Pillow.open(io.BytesIO(encode_image(picture, "png"))) as written:
        assert (np.asarray(written) == picture).all()
    for wrong in (picture[..., 0], picture.astype(np.float32), np.empty((0, 4, 3), np.uint8)):
        with pytest.raises(InputError, match="uint8"):
            encode_image(wrong, "png")  # type: ignore[arg-type]
    with pytest.raises(InputError, match="png, jpeg or webp"):
        encode_image(picture, "tiff")


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    kind=st.sampled_from(["JPEG", "PNG", "WEBP", "BMP", "TIFF", "GIF", "AVIF"]),
    place=st.floats(0, 1),
    change=st.binary(min_size=1, max_size=16),
    cut=st.floats(0.05, 1),
)
def test_no_damage_gets_through_as_another_exception(
    kind: str, place: float, change: bytes, cut: float, picture: Image, tmp_path: Path
) -> None:
    data = bytearray(corpus.encoded(picture[:48, :48].copy(), kind))
    start = int(place * max(0, len(data) - len(change)))
    data[start : start + len(change)] = change
    path = tmp_path / "damaged"
    path.write_bytes(bytes(data[: max(1, int(len(data) * cut))]))
    refusal = None
    try:
        photo = open_photo(path, PhotoLimits(pixels=1_000_000))
        pixels = photo.pixels(64)
    except InputError as refused:
        refusal = str(refused)
    if refusal is None:
        assert pixels.dtype == np.uint8
        assert pixels.shape[2] == 3
        assert photo.size[0] * photo.size[1] <= 1_000_000
    else:
        assert refusal.startswith("damaged: ")


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(width=st.integers(1, 2**31 - 1), height=st.integers(1, 2**31 - 1), limit=st.integers(1, 178_000_000))
def test_header_check_holds_for_every_claimed_size(width: int, height: int, limit: int, tmp_path: Path) -> None:
    path = tmp_path / "claim.png"
    path.write_bytes(corpus.png_of(width, height))
    if width * height > limit:
        with pytest.raises(InputError):
            open_photo(path, PhotoLimits(pixels=limit))
    else:
        assert open_photo(path, PhotoLimits(pixels=limit)).size == (height, width)


@given(orientation=st.integers(1, 8), h=st.integers(1, 9), w=st.integers(1, 9))
def test_turning_there_and_back_is_nothing(orientation: int, h: int, w: int) -> None:
    image = np.arange(h * w * 3, dtype=np.uint8).reshape(h, w, 3)
    backward = {1: 1, 2: 2, 3: 3, 4: 4, 5: 5, 6: 8, 7: 7, 8: 6}[orientation]
    assert (turn(turn(image, orientation), backward) == image).all()
