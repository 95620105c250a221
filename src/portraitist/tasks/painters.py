"""Painters by name: those that are code, those of the library, those that ship, and folders."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from portraitist import registry, weights
from portraitist.errors import InputError, PortraitistError
from portraitist.library import Library
from portraitist.licences import require_accepted_terms
from portraitist.placement import Placement
from portraitist.progress import Report, silent
from portraitist.stylize.config import PENCILS, PaintConfig
from portraitist.stylize.engine import FilePaintConfig, PaintEngine
from portraitist.stylize.painter_file import PainterFile, read_painter

PREFIX = "painter-"
"""Of a shipped painter's row in the table of weights."""
FOLDER = "painters"
"""Below the library's root: painters made here."""


@dataclass(frozen=True)
class Painter:
    """A painter that was found. file: None for those that are code."""

    name: str
    file: PainterFile | None = None

    @property
    def engine(self) -> str:
        """Its engine of the task `paint`."""
        return "pencil" if self.file is None else "painter"

    @property
    def weights(self) -> dict[str, str]:
        """Digest of its network, as a recipe names it."""
        return {} if self.file is None else {f"{PREFIX}{self.name}": self.file.card.sha256}

    def build(self, config: PaintConfig, placement: Placement, report: Report = silent) -> PaintEngine:
        """The engine with this painter."""
        drawn = replace(config, pencil=replace(config.pencil, medium=self.name)) if self.file is None else config
        given = drawn if self.file is None else FilePaintConfig(self.file, config)
        engine: PaintEngine = registry.build("paint", self.engine, given, placement, report)
        return engine


def find_painter(library: Library, name: str, report: Report = silent) -> Painter:
    """The painter of that name, fetched where it ships and is not here.

    Raises InputError when there is none, WeightsError when it is marked `nc` and the library has not accepted that.
    """
    if name in PENCILS:
        return Painter(name)
    file = read_painter(_folder_of(library, name, report))
    if file.card.noncommercial:
        require_accepted_terms(library, f"pictures of painter '{name}' are", file.card.licence)
    return Painter(file.card.name, file)


def painters(library: Library) -> Iterator[Painter]:
    """Every painter that is on this machine, by name; broken folders are left out."""
    yield from (Painter(name) for name in PENCILS)
    shipped = [weights.local_path(name) for name in weights.TABLE if name.startswith(PREFIX)]
    own = library.root / FOLDER
    for folder in [*shipped, *(sorted(own.iterdir()) if own.is_dir() else ())]:
        try:
            file = None if folder is None else read_painter(folder)
        except PortraitistError:
            continue
        if file is not None:
            yield Painter(file.card.name, file)


def _folder_of(library: Library, name: str, report: Report) -> Path:
    own, path = library.root / FOLDER / name, Path(name).expanduser()
    looks_like_path = len(path.parts) > 1 or path.is_dir()
    if not looks_like_path and own.is_dir():
        return own
    if PREFIX + name in weights.TABLE:
        return weights.fetch(PREFIX + name, report)
    if looks_like_path:
        return path
    known = ", ".join(painter.name for painter in painters(library))
    raise InputError(f"painter '{name}': expected one of {known}, or a painter's folder; see 'stylize --list'")
