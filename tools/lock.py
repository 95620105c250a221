"""Write lock/wheels.json: which wheel each pin of constraints.txt is, on every platform and Python we support.

Usage: python tools/lock.py [--python 3.12] [--platform linux]

pip is asked per platform with `--dry-run`, so nothing is installed. Only file names and digests are kept: the lock
says what the wheels are, not where they came from.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterable
from pathlib import Path
from typing import Any
from urllib.parse import unquote

ROOT = Path(__file__).resolve().parents[1]
PINS = ROOT / "constraints.txt"
LOCK = ROOT / "lock" / "wheels.json"
PYTHONS = ("3.11", "3.12", "3.13")
GLIBC = (*(f"manylinux_2_{minor}" for minor in range(28, 4, -1)), "manylinux2014", "manylinux1")
PLATFORMS = {
    "linux": tuple(f"{libc}_x86_64" for libc in GLIBC),
    "macos": ("macosx_14_0_arm64", "macosx_14_0_universal2"),
    "windows": ("win_amd64",),
}


def pins(path: Path = PINS) -> dict[str, str]:
    """Name -> version of every pin."""
    lines = (line.split("#")[0].strip() for line in path.read_text(encoding="utf-8").splitlines())
    return dict(line.split("==") for line in lines if line)


def resolve(requirements: Iterable[str], python: str, platforms: Iterable[str]) -> list[dict[str, Any]]:
    """pip's own answer for that platform, one entry a requirement; raises CalledProcessError when one has no wheel."""
    with tempfile.TemporaryDirectory() as target:
        command = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--dry-run"]
        command += ["--ignore-installed", "--no-deps", "--only-binary=:all:", "--target", target, "--report", "-"]
        command += ["--python-version", python, "--implementation", "cp"]
        for platform in platforms:
            command += ["--platform", platform]
        # Only the package index counts: a wheel of a local folder is on no other machine.
        own = {"PIP_FIND_LINKS": "", "PIP_EXTRA_INDEX_URL": ""}
        done = subprocess.run(
            [*command, *requirements], capture_output=True, text=True, check=False, env={**os.environ, **own}
        )
    if done.returncode != 0:
        sys.stderr.write(done.stderr)
        done.check_returncode()
    return list(json.loads(done.stdout)["install"])


def wheel(entry: dict[str, Any]) -> tuple[str, str]:
    """(file name, sha256) of one entry of pip's report."""
    download = entry["download_info"]
    return unquote(download["url"].rsplit("/", 1)[-1].split("#")[0]), download["archive_info"]["hashes"]["sha256"]


def lock(pythons: Iterable[str], platforms: Iterable[str]) -> dict[str, dict[str, str]]:
    """Pin -> {wheel file name: sha256}, over all the platforms and Pythons asked for."""
    wanted = [f"{name}=={version}" for name, version in pins().items()]
    found: dict[str, dict[str, str]] = {pin: {} for pin in wanted}
    by_name = {pin.split("==")[0]: pin for pin in wanted}
    for python in pythons:
        for platform in platforms:
            sys.stderr.write(f"asking for {platform}, Python {python}\n")
            for entry in resolve(wanted, python, PLATFORMS[platform]):
                name = entry["metadata"]["name"].lower().replace("_", "-").replace(".", "-")
                filename, digest = wheel(entry)
                found[by_name[name]][filename] = digest
    return {pin: dict(sorted(wheels.items())) for pin, wheels in sorted(found.items())}


def main() -> None:
    """Ask pip, write the lock."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--python", action="append", choices=PYTHONS, help="only this Python (may repeat)")
    parser.add_argument("--platform", action="append", choices=sorted(PLATFORMS), help="only this one (may repeat)")
    wanted = parser.parse_args()
    wheels = lock(wanted.python or PYTHONS, wanted.platform or PLATFORMS)
    LOCK.parent.mkdir(exist_ok=True)
    LOCK.write_text(json.dumps(wheels, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
