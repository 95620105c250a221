"""The lock: every pin has a wheel for every platform and Python we promise."""

from __future__ import annotations

import json
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.tags import Tag, compatible_tags, cpython_tags, mac_platforms
from packaging.utils import canonicalize_name, parse_wheel_filename

ROOT = Path(__file__).resolve().parents[1]
LOCK: dict[str, dict[str, str]] = json.loads((ROOT / "lock" / "wheels.json").read_text())
PLATFORMS = {
    # glibc 2.28: Debian 10, RHEL 8, Ubuntu 20.04 and everything newer.
    "linux": [f"manylinux_2_{minor}_x86_64" for minor in range(28, 4, -1)] + ["manylinux2014_x86_64"],
    "macos": list(mac_platforms((14, 0), "arm64")),
    "windows": ["win_amd64"],
}
PYTHONS = [(3, 11), (3, 12), (3, 13)]


def _pins() -> dict[str, str]:
    lines = (line.split("#")[0].strip() for line in (ROOT / "constraints.txt").read_text().splitlines())
    return dict(line.split("==") for line in lines if line)


def _accepted(python: tuple[int, int], platform: str) -> set[Tag]:
    interpreter = f"cp{python[0]}{python[1]}"
    own = cpython_tags(python, abis=[interpreter], platforms=PLATFORMS[platform])
    return {*own, *compatible_tags(python, interpreter, PLATFORMS[platform])}


@pytest.mark.parametrize("python", PYTHONS, ids=lambda v: f"{v[0]}.{v[1]}")
@pytest.mark.parametrize("platform", PLATFORMS)
def test_every_pin_has_a_wheel(platform: str, python: tuple[int, int]) -> None:
    accepted = _accepted(python, platform)
    without = [pin for pin, wheels in LOCK.items() if not any(parse_wheel_filename(w)[3] & accepted for w in wheels)]
    assert without == []


def test_a_wheel_of_another_platform_is_not_enough() -> None:
    tags = parse_wheel_filename("x-1-cp311-cp311-win_amd64.whl")[3]
    assert not tags & _accepted((3, 11), "linux")


def test_the_lock_is_of_these_pins() -> None:
    assert sorted(LOCK) == sorted(f"{name}=={version}" for name, version in _pins().items())


def test_the_lock_says_what_and_not_where() -> None:
    text = (ROOT / "lock" / "wheels.json").read_text()
    assert "://" not in text
    assert all(len(digest) == 64 for wheels in LOCK.values() for digest in wheels.values())
    for pin, wheels in LOCK.items():
        name, version = pin.split("==")
        assert {(parse_wheel_filename(w)[0], parse_wheel_filename(w)[1].public) for w in wheels} == {(name, version)}


def test_every_dependency_is_pinned_inside_its_range() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    extras = project["optional-dependencies"]
    for text in [*project["dependencies"], *extras["test"], *extras["dev"], *extras["c2pa"]]:
        wanted = Requirement(text)
        assert wanted.specifier.contains(_pins()[canonicalize_name(wanted.name)]), text
