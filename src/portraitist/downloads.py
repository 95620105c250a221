"""One file from an address: downloaded whole, checked, moved into place in one step. A kill leaves no half file."""

from __future__ import annotations

import contextlib
import hashlib
import http.client
import os
import shutil
import tempfile
import urllib.request
from pathlib import Path

from portraitist.errors import WeightsError


def sha256_of(path: Path) -> str:
    """Hexadecimal sha256 of a file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def download(label: str, address: str, target: Path, sha256: str | None) -> None:
    """Fetch one file to `target`. label: what messages call it. sha256: None accepts any.

    Raises WeightsError when it cannot be had, is cut short, or has another digest; `target` is then as it was.
    """
    with tempfile.TemporaryDirectory() as folder:
        part = Path(folder) / "part"
        try:
            with urllib.request.urlopen(address, timeout=60) as answer, part.open("wb") as out:
                shutil.copyfileobj(answer, out)
                promised = answer.headers.get("Content-Length")
        except (OSError, http.client.HTTPException) as error:
            raise WeightsError(f"{label}: could not download {address} ({error})") from error
        found = part.stat().st_size
        # `copyfileobj` takes a closed connection for the end of the file.
        if promised is not None and int(promised) != found:
            raise WeightsError(f"{label}: expected {promised} bytes, got {found}; try again")
        install(label, part, target, sha256)


def install(label: str, part: Path, target: Path, sha256: str | None) -> None:
    """Check the digest of `part`, then move a copy of it into place. Raises WeightsError for another digest."""
    digest = sha256_of(part)
    if sha256 is not None and digest != sha256:
        raise WeightsError(f"{label}: expected sha256 {sha256}, found {digest}; not used")
    target.parent.mkdir(parents=True, exist_ok=True)
    handle, temporary = tempfile.mkstemp(dir=target.parent)
    try:
        with os.fdopen(handle, "wb") as out, part.open("rb") as source:
            shutil.copyfileobj(source, out)
            out.flush()
            os.fsync(out.fileno())
        os.replace(temporary, target)
    except BaseException:
        with contextlib.suppress(FileNotFoundError):
            os.unlink(temporary)
        raise
