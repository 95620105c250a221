"""The two kinds of hub that are spoken to: the one of huggingface_hub, with its mirrors, and ModelScope."""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import shutil
import urllib.parse
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

from portraitist.errors import ConfigError, EngineError, WeightsError
from portraitist.hub import Hub, Listing, RemoteFile

MODELSCOPE = "https://modelscope.cn"
MIRRORS = "'modelscope', the address of a mirror of huggingface_hub, or 'modelscope+ADDRESS' for a site like ModelScope"
TIMEOUT = 60.0
"""Seconds without an answer."""


def open_hub(mirror: str | None = None) -> Hub:
    """The hub of `mirror`, else of PORTRAITIST_HUB, else huggingface_hub's own default (which reads HF_ENDPOINT).

    Raises ConfigError for a mirror that is no address and not 'modelscope'.
    """
    chosen = mirror or os.environ.get("PORTRAITIST_HUB") or None
    if chosen == "modelscope":
        return ModelScopeHub(MODELSCOPE)
    if chosen and chosen.startswith("modelscope+"):
        return ModelScopeHub(chosen.removeprefix("modelscope+").rstrip("/"))
    if chosen and "://" not in chosen:
        raise ConfigError(f"mirror: expected {MIRRORS}; found {chosen!r}")
    return HuggingFaceHub(chosen.rstrip("/") if chosen else None)


def is_offline() -> bool:
    """True when PORTRAITIST_OFFLINE or HF_HUB_OFFLINE forbid the network, in the spellings huggingface_hub takes."""
    if os.environ.get("PORTRAITIST_OFFLINE") == "1":
        return True
    return os.environ.get("HF_HUB_OFFLINE", "").upper() in ("1", "ON", "YES", "TRUE")


class HuggingFaceHub:
    """The hub of huggingface_hub or one that answers as it does. endpoint: None, that package's own.

    The package lists and knows the token; the bytes are fetched here, as it begins a file again after a kill. The token
    goes to the package's own endpoint only, never to a mirror or to the store a download is redirected to.
    """

    def __init__(self, endpoint: str | None = None) -> None:
        self._endpoint = endpoint

    @property
    def address(self) -> str:
        """The endpoint, whichever setting it comes from."""
        return str(self._endpoint or _huggingface_hub().constants.ENDPOINT)

    def listing(self, repository: str, revision: str | None) -> Listing:
        """Large files come with their sha256, small ones without."""
        package = _huggingface_hub()
        token = None if self._endpoint is None else False
        with _answered(f"{repository} on {self.address}"):
            api = package.HfApi(endpoint=self.address, token=token)
            info = api.model_info(repository, revision=revision, files_metadata=True)
            files = tuple(RemoteFile(s.rfilename, int(s.size or 0), _large_digest(s)) for s in info.siblings)
            return Listing(str(info.sha), files)

    def download(self, repository: str, revision: str, file: RemoteFile, folder: Path) -> None:
        """From REPOSITORY/resolve/REVISION/PATH."""
        package = _huggingface_hub()
        with _answered(f"{file.path} of {repository} on {self.address}"):
            path = urllib.parse.quote(f"{repository}/resolve/{revision}/{file.path}")
            request = urllib.request.Request(f"{self.address}/{path}")
            token = package.get_token() if self._endpoint is None else None
            if token:
                request.add_unredirected_header("Authorization", f"Bearer {token}")
            _download(request, folder / file.path, file.size)


class ModelScopeHub:
    """ModelScope by its own addresses, as it has none in the manner of huggingface_hub.

    Source: the package modelscope-hub 0.5.1, `_legacy_api.py`: `list_repo_files` (/api/v1/models/ID/repo/files, entries
    with Path, Type, Size, Sha256) and `get_download_url` (/api/v1/models/ID/repo?Revision=...&FilePath=...).
    """

    def __init__(self, address: str) -> None:
        self._address = address

    @property
    def address(self) -> str:
        """The site, without a path."""
        return self._address

    def listing(self, repository: str, revision: str | None) -> Listing:
        """The newest revision is called `master` there."""
        chosen = revision or "master"
        query = urllib.parse.urlencode({"Revision": chosen, "Recursive": "True"})
        with (
            _answered(f"{repository} on {self._address}"),
            urllib.request.urlopen(f"{self._base(repository)}/repo/files?{query}", timeout=TIMEOUT) as answer,
        ):
            entries = json.load(answer)["Data"]["Files"]
            files = [RemoteFile(e["Path"], int(e["Size"]), e.get("Sha256") or None) for e in entries if _is_file(e)]
            return Listing(chosen, tuple(files))

    def download(self, repository: str, revision: str, file: RemoteFile, folder: Path) -> None:
        """From the address for one file; it takes no folders."""
        query = urllib.parse.urlencode({"Revision": revision, "FilePath": file.path})
        with _answered(f"{file.path} of {repository} on {self._address}"):
            _download(urllib.request.Request(f"{self._base(repository)}/repo?{query}"), folder / file.path, file.size)

    def _base(self, repository: str) -> str:
        return f"{self._address}/api/v1/models/{urllib.parse.quote(repository)}"


def _download(request: urllib.request.Request, target: Path, size: int) -> None:
    """Fetch to `target` unless it is there. What came lies as `NAME.part` beside it until it is whole.

    Tries again as long as a try brings something; raises ValueError or OSError with the first that does not.
    """
    if _size_of(target) == size:
        return
    target.parent.mkdir(parents=True, exist_ok=True)
    part = target.with_name(target.name + ".part")
    if _size_of(part) > size:
        part.unlink()
    while True:
        before = _size_of(part)
        _continue_download(request, part)
        if part.stat().st_size == size:
            break
        if not before < part.stat().st_size < size:
            raise ValueError(f"expected {size} bytes, found {part.stat().st_size}")
    os.replace(part, target)


def _continue_download(request: urllib.request.Request, part: Path) -> None:
    """Append to `part` what it lacks; where the site gives no ranges, begin again."""
    have = _size_of(part)
    if have:
        request.add_header("Range", f"bytes={have}-")
    with urllib.request.urlopen(request, timeout=TIMEOUT) as answer:
        mode = "ab" if answer.status == http.client.PARTIAL_CONTENT else "wb"
        with part.open(mode) as out:
            shutil.copyfileobj(answer, out)
            out.flush()
            os.fsync(out.fileno())


def _size_of(path: Path) -> int:
    return path.stat().st_size if path.is_file() else 0


def _is_file(entry: dict[str, Any]) -> bool:
    return str(entry.get("Type", "blob")) != "tree"


def _large_digest(sibling: Any) -> str | None:
    """Files kept in Git LFS have a sha256; of the others the hub knows Git's sha1 only."""
    large = getattr(sibling, "lfs", None)
    return str(large.sha256) if large else None


def _huggingface_hub() -> ModuleType:
    try:
        import huggingface_hub
        import huggingface_hub.constants
        import huggingface_hub.errors
    except ImportError as error:
        raise EngineError(
            f"downloading a base: expected huggingface_hub, found {error}; install portraitist[diffusion]"
        ) from error
    return huggingface_hub


@contextlib.contextmanager
def _answered(what: str) -> Iterator[None]:
    """Whatever a failed request raises, as WeightsError."""
    try:
        yield
    except _failures() as error:
        first = next((line for line in str(error).splitlines() if line), type(error).__name__)
        raise WeightsError(
            f"{what}: could not be had ({type(error).__name__}: {first}); check connection, name and mirror, "
            "then run it again: what came is kept"
        ) from error


def _failures() -> tuple[type[BaseException], ...]:
    found: tuple[type[BaseException], ...] = (OSError, ValueError, KeyError, TypeError, http.client.HTTPException)
    with contextlib.suppress(EngineError):
        errors = _huggingface_hub().errors
        # The base of its HTTP error is that of the client it uses, which changed between its versions.
        found += (errors.HfHubHTTPError, *errors.HfHubHTTPError.__bases__)
    return found
