"""`album add`: photos and videos become a sitter's album."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from portraitist.album import store
from portraitist.album.build import build_album
from portraitist.album.config import DEFAULT_ALBUM, AlbumConfig
from portraitist.album.reading import embed_faces, photo_limits, reading_options
from portraitist.album.records import shots_from_json
from portraitist.album.report import write_report
from portraitist.album.scan import FoundFile, Scan, scan
from portraitist.album.values import Album, Rejection, Shot
from portraitist.album.worker import read_all
from portraitist.errors import InputError
from portraitist.faces.reader import FaceReader
from portraitist.image import open_photo
from portraitist.library import Consent, Library, Sitter
from portraitist.placement import Placement
from portraitist.progress import Report, Step, silent
from portraitist.types import Embedding


def add(
    library: Library,
    name: str,
    paths: Sequence[str | Path],
    config: AlbumConfig = DEFAULT_ALBUM,
    *,
    consent: Consent | None = None,
    me: str | Path | None = None,
    placement: Placement | None = None,
    report: Report = silent,
) -> Album:
    """Add photos, videos and folders to the sitter's album, and judge the whole album again.

    Files read before are not read again; a run that was killed goes on where it was. consent: needed when the sitter
    is new. me: a photo of the sitter alone, for albums without a majority person.
    Raises InputError when a path does not exist, consent is missing, or nobody can be told to be the sitter.
    """
    placement = placement or Placement()
    placement.require_cpu("album")
    sitter = _sitter(library, name, consent)
    folder = sitter.album_dir
    named = scan(paths, config)
    found = _with_earlier(named, folder, config)
    shots, rejected = _read(found, folder, config, placement, report)
    report(Step("judging", len(shots), len(shots)))
    album = build_album(folder, shots, rejected, config, _who_is_meant(me, folder, config, placement))
    store.save(album)
    write_report(album, sitter.name)
    return album


def _sitter(library: Library, name: str, consent: Consent | None) -> Sitter:
    if library.has_sitter(name):
        return library.sitter(name)
    if consent is None:
        raise InputError(f"sitter '{name}' is new: say who agreed that these photos are used (--consent 'NAME')")
    return library.create_sitter(name, consent)


def _with_earlier(named: Scan, folder: Path, config: AlbumConfig) -> Scan:
    """The files named now and those of the album as it is. Files that are gone leave the album."""
    try:
        earlier = store.load(folder)
    except InputError:
        return named
    now = {str(file.path) for file in named.files} | {rejection.path for rejection in named.rejected}
    known = {photo.path for photo in earlier.accepted}
    known |= {rejection.path for rejection in earlier.rejected if rejection.code not in ("limit", "loop")}
    missing = sorted(path for path in known - now if Path(path).is_file())
    more = scan(missing, config)
    files = sorted({file.path: file for file in (*named.files, *more.files)}.values(), key=lambda file: str(file.path))
    return Scan(tuple(files), (*named.rejected, *more.rejected))


def _read(
    found: Scan, folder: Path, config: AlbumConfig, placement: Placement, report: Report
) -> tuple[list[Shot], list[Rejection]]:
    records = store.Records(folder, reading_options(config))
    shots: list[Shot] = []
    rejected = list(found.rejected)
    unread: list[FoundFile] = []
    for file in found.files:
        digest = records.known_digest(file)
        if digest is None or not _collect(file, digest, records, shots, rejected):
            unread.append(file)
    for done, read in enumerate(read_all(unread, folder, config, placement), start=1):
        if read.digest is None:
            rejected.append(Rejection(str(read.file.path), "unreadable", read.error or "could not be read"))
        else:
            records.remember(read.file, read.digest)
            _collect(read.file, read.digest, records, shots, rejected)
        report(Step("reading", done, len(unread), read.file.path.name))
    return shots, rejected


def _collect(
    file: FoundFile, digest: str, records: store.Records, shots: list[Shot], rejected: list[Rejection]
) -> bool:
    """Take a file's record into the album; False when there is no usable one."""
    record = records.load(digest)
    if record is None:
        return False
    try:
        read = shots_from_json(record, file.path)
    except (KeyError, TypeError, ValueError):
        return False
    if record["error"] is not None:
        # The reason begins with the name the file had when it was read, which another file of these bytes may not have.
        rejected.append(Rejection(str(file.path), "unreadable", str(record["error"])))
    elif not read:
        rejected.append(Rejection(str(file.path), "no-face", "no sharp frame with a face was found in the video"))
    shots += read
    return True


def _who_is_meant(me: str | Path | None, folder: Path, config: AlbumConfig, placement: Placement) -> Embedding | None:
    """The descriptor of the `me` photo, which is remembered for the next add."""
    if me is None:
        return store.load_me(folder)
    image = open_photo(me, photo_limits(config)).pixels(config.read_side)
    reader = FaceReader.load(placement)
    faces = [face for face in embed_faces(image, reader.read(image, embed=False), reader) if face.embedding is not None]
    if not faces:
        raise InputError(f"{Path(me).name}: no face found; give a clear photo of the sitter alone")
    faces.sort(key=lambda face: -face.width)
    if len(faces) > 1 and faces[1].width > 0.6 * faces[0].width:
        raise InputError(f"{Path(me).name}: shows {len(faces)} people of like size; give a photo of the sitter alone")
    embedding = faces[0].embedding
    assert embedding is not None
    store.save_me(folder, embedding)
    return embedding
