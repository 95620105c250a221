"""Videos: times, turns and sound are kept; what is damaged is left out or refused with a sentence."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

from portraitist.errors import InputError
from portraitist.stylize.film import open_film, write_film
from portraitist.types import Image
from tests.stylize import films

UNEVEN = [0, 40, 50, 130, 400, 440]


@pytest.fixture(scope="module")
def frames(astronaut: Image) -> list[Image]:
    return list(films.walk(astronaut, 6, side=96))


def copied(source: Path, target: Path) -> Path:
    """Read and written again, with sound."""
    with open_film(source) as film, write_film(target, film.time_base, film.rate) as writer:
        if film.audio is not None:
            writer.take_sound(film.audio)
        for moment in film.moments():
            writer.write(moment.image, moment.pts)
            writer.write_sound(film.sound)
        writer.write_sound(film.sound)
    return target


def times_of(path: Path) -> list[float]:
    with open_film(path) as film:
        return [round(moment.time, 3) for moment in film.moments()]


@pytest.mark.parametrize("suffix", [".mp4", ".mkv", ".webm"])
def test_uneven_times_and_sound_are_kept(suffix: str, frames: list[Image], tmp_path: Path) -> None:
    source = films.write(tmp_path / "source.mkv", frames, UNEVEN, sound=True)
    made = copied(source, tmp_path / f"made{suffix}")
    assert times_of(made) == pytest.approx([t / 1000 for t in UNEVEN], abs=0.002)
    with av.open(str(source)) as before, av.open(str(made)) as after:
        assert len(after.streams.audio) == len(before.streams.audio)
        if after.streams.audio:
            sounds = [[bytes(p) for p in c.demux(audio=0) if p.size] for c in (before, after)]
            assert sounds[0] == sounds[1], "the sound's own packets"
    assert [p.name for p in tmp_path.iterdir() if p.name.startswith(".writing")] == []


def test_a_turned_video_is_upright(frames: list[Image], tmp_path: Path) -> None:
    wide = [frame[:64] for frame in frames]
    source = films.turned(tmp_path / "turned.mp4", films.write(tmp_path / "plain.mp4", wide), 90)
    with open_film(source) as film:
        upright = next(film.moments()).image
    assert upright.shape == (96, 64, 3)
    assert np.abs(np.rot90(upright, -1).astype(int) - wide[0]).mean() < 12 or (
        np.abs(np.rot90(upright).astype(int) - wide[0]).mean() < 12
    )


def test_a_cut_off_video_gives_what_is_whole(frames: list[Image], tmp_path: Path) -> None:
    source = films.write(tmp_path / "whole.mkv", frames * 10)
    cut = tmp_path / "cut.mkv"
    cut.write_bytes(source.read_bytes()[: int(source.stat().st_size * 0.8)])
    assert 1 <= len(times_of(cut)) < 60


def test_what_is_no_video_is_refused(frames: list[Image], tmp_path: Path) -> None:
    for name, data in (("text.mp4", b"hello"), ("empty.mp4", b""), ("zeros.mkv", bytes(5000))):
        (tmp_path / name).write_bytes(data)
        with pytest.raises(InputError, match=name), open_film(tmp_path / name) as film:
            list(film.moments())
    with pytest.raises(InputError, match=r"gone\.mp4"), open_film(tmp_path / "gone.mp4"):
        pass
    sound_only = tmp_path / "sound.mka"
    with av.open(str(sound_only), "w", format="matroska") as output:
        films._silence(output, output.add_stream("libopus", rate=48000))
    with pytest.raises(InputError, match="no video track"), open_film(sound_only):
        pass


def test_damage_inside_is_counted(frames: list[Image], tmp_path: Path) -> None:
    source = films.write(tmp_path / "whole.mkv", frames * 4)
    data = bytearray(source.read_bytes())
    middle = len(data) // 2
    data[middle : middle + 300] = bytes(300)
    broken = tmp_path / "broken.mkv"
    broken.write_bytes(bytes(data))
    with open_film(broken) as film:
        found = sum(1 for _ in film.moments())
    assert 4 <= found <= 24


def test_a_failed_write_leaves_nothing(frames: list[Image], tmp_path: Path) -> None:
    def fails() -> None:
        with write_film(tmp_path / "x.mp4", Fraction(1, 1000), Fraction(25)) as writer:
            writer.write(frames[0], 0)
            raise RuntimeError("stop")

    with pytest.raises(RuntimeError, match="stop"):
        fails()
    assert list(tmp_path.iterdir()) == []
    with pytest.raises(InputError, match=r"expected \.mp4"), write_film(tmp_path / "x.gif", Fraction(1), Fraction(25)):
        pass
