"""The library: one folder a sitter, and writes that a kill at any moment cannot tear.

Layout below the root: `sitters/NAME/sitter.json` (name and consent), `sitters/NAME/album/`, `sitters/NAME/portraits/`,
`noncommercial.json` once weights marked `nc` were accepted, and `cache/` for what can be made again.
"""

from __future__ import annotations

import contextlib
import datetime
import json
import os
import re
import tempfile
import unicodedata
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from portraitist import __version__
from portraitist.errors import InputError

_FORBIDDEN = re.compile(r'[\x00-\x1f\ud800-\udfff/\\:*?"<>|]')
_UNNAMED = "unnamed-"


@dataclass(frozen=True)
class Consent:
    """Who agreed that this person's photos are used, when (ISO 8601, UTC), and how they said so."""

    who: str
    when: str
    how: str

    @classmethod
    def now(cls, who: str, how: str) -> Consent:
        """Consent given at this moment. Raises InputError when nobody is named."""
        if not who.strip():
            raise InputError("consent: expected the name of the person who agreed, found nothing; say --consent 'NAME'")
        return cls(who.strip(), datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"), how)


@dataclass(frozen=True)
class Sitter:
    """A person of the library: `name` (or the id of an unnamed sitter), their `folder`, and who agreed."""

    name: str
    folder: Path
    consent: Consent

    @property
    def album_dir(self) -> Path:
        """Where the album lives."""
        return self.folder / "album"

    @property
    def portraits_dir(self) -> Path:
        """Where portraits and their recipes go."""
        return self.folder / "portraits"

    @property
    def identities_dir(self) -> Path:
        """Where what was learned of the sitter lives, one folder a base."""
        return self.folder / "identities"

    @property
    def marks_dir(self) -> Path:
        """Where the map of the sitter's marks lives."""
        return self.folder / "marks"


class Library:
    """All sitters under one root folder. Opening one creates nothing."""

    def __init__(self, root: Path | str | None = None) -> None:
        self.root = default_root() if root is None else Path(root).expanduser()

    @property
    def sitters_dir(self) -> Path:
        """The folder that holds one folder a sitter."""
        return self.root / "sitters"

    @property
    def cache_dir(self) -> Path:
        """What can be made again: template analyses and the like. `erase` empties it."""
        return self.root / "cache"

    def sitter(self, name: str) -> Sitter:
        """The sitter of that name; raises InputError naming the ones there are."""
        folder = self.sitters_dir / checked_name(name)
        if not (folder / "sitter.json").is_file():
            known = ", ".join(s.name for s in self.sitters()) or "none yet"
            raise InputError(
                f"sitter '{name}': not in the library {self.root} (it has: {known}); "
                f"add them with 'portraitist album add {name} FOLDER'"
            )
        return _read_sitter(folder)

    def has_sitter(self, name: str) -> bool:
        """True when the library knows this name."""
        return (self.sitters_dir / checked_name(name) / "sitter.json").is_file()

    def sitters(self) -> list[Sitter]:
        """Every sitter, by name."""
        if not self.sitters_dir.is_dir():
            return []
        records = self.sitters_dir.glob("*/sitter.json")
        return sorted((_read_sitter(record.parent) for record in records), key=lambda s: s.name)

    @property
    def accepts_noncommercial(self) -> bool:
        """True once somebody said that what weights marked `nc` make here is not used commercially."""
        return self._acceptance.is_file()

    def accept_noncommercial(self, how: str) -> None:
        """Say it for this library. how: where it was said. The first record is kept: when, how, program version."""
        if self.accepts_noncommercial:
            return
        when = datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds")
        write_json(self._acceptance, {"when": when, "how": how, "version": __version__})

    @property
    def _acceptance(self) -> Path:
        return self.root / "noncommercial.json"

    def create_sitter(self, name: str, consent: Consent) -> Sitter:
        """Add a sitter; a sitter that is already there keeps its first consent record and is returned."""
        if self.has_sitter(name):
            return self.sitter(name)
        folder = self.sitters_dir / checked_name(name)
        write_json(folder / "sitter.json", {"name": checked_name(name), "consent": asdict(consent)})
        return _read_sitter(folder)


def default_root() -> Path:
    """PORTRAITIST_LIBRARY, else the user's data folder."""
    import platformdirs

    chosen = os.environ.get("PORTRAITIST_LIBRARY")
    return Path(chosen).expanduser() if chosen else Path(platformdirs.user_data_dir("portraitist", appauthor=False))


def unnamed_id(photo_digest: str) -> str:
    """`unnamed-` and the first twelve hex digits of the photo's sha256."""
    return _UNNAMED + photo_digest[:12]


def checked_name(name: str) -> str:
    """The name as a folder may be called (NFC). Raises InputError for what no file system takes."""
    plain = unicodedata.normalize("NFC", name).strip()
    dotted = plain.startswith(".") or plain.endswith(".")
    # surrogatepass: a file system may hand us bytes that are no UTF-8; they are refused below, not crashed on.
    size = len(plain.encode(errors="surrogatepass"))
    if not plain or dotted or size > 120 or _FORBIDDEN.search(plain):
        raise InputError(
            f"sitter {name!r}: expected a name of 1 to 120 bytes without slashes, colons, quotes or a leading dot; "
            "choose another"
        )
    return plain


def write_atomic(path: Path, data: bytes) -> Path:
    """Write through a temporary file in the same folder, fsync, rename: readers see all of it or none of it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=".writing-")
    try:
        with os.fdopen(handle, "wb") as out:
            out.write(data)
            out.flush()
            os.fsync(out.fileno())
        os.chmod(temporary, 0o666 & ~_umask())
        os.replace(temporary, path)
    except BaseException:
        with contextlib.suppress(FileNotFoundError):
            os.unlink(temporary)
        raise
    return path


def write_json(path: Path, value: Any) -> Path:
    """`write_atomic` of readable JSON (UTF-8, two spaces, a final newline). NaN raises: it is not JSON."""
    text = json.dumps(value, indent=2, ensure_ascii=False, allow_nan=False)
    return write_atomic(path, (text + "\n").encode())


def read_json(path: Path) -> Any:
    """The value in a JSON file. Raises InputError, naming the file, when it is missing or is not JSON."""
    try:
        return json.loads(path.read_bytes())
    except FileNotFoundError as error:
        raise InputError(f"{path}: expected a JSON file, found nothing there") from error
    except (ValueError, OSError) as error:
        raise InputError(f"{path}: expected JSON, found something else ({error}); restore it or remove it") from error


def _read_sitter(folder: Path) -> Sitter:
    record = read_json(folder / "sitter.json")
    if not isinstance(record, Mapping) or not isinstance(record.get("consent"), Mapping):
        raise InputError(f"{folder / 'sitter.json'}: expected a sitter with a consent record, found something else")
    return Sitter(str(record.get("name", folder.name)), folder, Consent(**record["consent"]))


def _umask() -> int:
    """The process's umask; there is no way to read it but to set it."""
    current = os.umask(0o022)
    os.umask(current)
    return current
