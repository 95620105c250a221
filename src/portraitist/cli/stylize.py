"""`portraitist stylize`: faces of photos, albums, portraits, videos and cameras in a painter's look."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Any

from portraitist.cli.flags import add_flags, given
from portraitist.cli.portraits import as_json
from portraitist.cli.shared import Progress, add_json, open_library, say, say_json, table
from portraitist.errors import ConfigError
from portraitist.marks.config import TransferConfig
from portraitist.stylize.config import PaintConfig, PencilConfig, VideoConfig
from portraitist.tasks.paint_config import PaintRequest, PaintSettings

if TYPE_CHECKING:
    from portraitist.library import Library
    from portraitist.tasks.paint import PaintedAll
    from portraitist.tasks.paint_camera import LiveFigures
    from portraitist.tasks.paint_video import PaintedFilm


def register(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command to the parser."""
    parser = commands.add_parser(
        "stylize",
        help="paint faces in a new look: photos, an album, portraits, a video, a camera",
        epilog="Example: portraitist stylize party.jpg --painter pencil --out drawn.png",
    )
    parser.add_argument(
        "sources", nargs="*", metavar="PHOTO", help="photos or videos, names of sitters, or camera, camera:1"
    )
    parser.add_argument("-o", "--out", type=Path, metavar="FILE", help="the file, or a folder for several")
    parser.add_argument("--list", action="store_true", help="list the painters that are here")
    parser.add_argument(
        "--port", type=int, default=0, metavar="N", help="port of a camera's page (default: a free one)"
    )
    parser.add_argument("--no-browser", action="store_true", help="of a camera: only print where its page is")
    parser.add_argument("--accept-nc", action="store_true", help="do what 'weights accept-nc' does first")
    add_json(parser)
    add_flags(parser, PaintRequest, "what to paint")
    add_flags(parser, PaintConfig, "how it is painted")
    add_flags(parser, PencilConfig, "painters pencil, colour-pencil and ink", skip=("medium",))
    add_flags(parser, VideoConfig, "videos and cameras")
    add_flags(parser, TransferConfig, "the sitter's marks, with --marks", skip=("marks_rank",))
    parser.set_defaults(run=run)


def run(parsed: argparse.Namespace) -> int:
    """Paint and list what was made; 1 when nothing was."""
    library = open_library(parsed)
    if parsed.accept_nc:
        library.accept_noncommercial("stylize --accept-nc")
    if parsed.list:
        return _list(library, parsed.json)
    if not parsed.sources:
        raise ConfigError("stylize: expected a photo, a video, a sitter or camera; 'stylize --list' shows the painters")
    from portraitist.tasks.paint import paint
    from portraitist.tasks.paint_sources import camera_number, is_video

    if any(is_video(source) or camera_number(source) is not None for source in parsed.sources):
        return _run_moving(parsed, library)
    settings, progress = _settings(parsed), Progress()
    made = paint(library, parsed.sources, settings, out=parsed.out, report=progress)
    progress.close()
    _print(made, parsed.json)
    return 0 if made.saved else 1


def _run_moving(parsed: argparse.Namespace, library: Library) -> int:
    """One video, or one camera."""
    from portraitist.tasks.paint_sources import camera_number

    if len(parsed.sources) != 1:
        raise ConfigError("stylize: expected a video or a camera alone, found other sources beside it")
    number, progress = camera_number(parsed.sources[0]), Progress()
    if number is not None:
        made = _mirrored(parsed, library, number, progress)
    elif parsed.out is None:
        raise ConfigError("stylize: a video expects --out FILE.mp4, .mkv or .webm, found none")
    else:
        from portraitist.tasks.paint_video import paint_video

        source = Path(parsed.sources[0]).expanduser()
        made = paint_video(library, source, _settings(parsed), parsed.out, report=progress)
    progress.close()
    _print_moving(made, parsed.json)
    return 0


def _mirrored(
    parsed: argparse.Namespace, library: Library, number: int, progress: Progress
) -> PaintedFilm | LiveFigures:
    """A camera on a page of this machine, until Ctrl+C; kept only where --out says so."""
    from portraitist.cli.mirror_server import mirror, until_ctrl_c
    from portraitist.stylize.camera import Camera
    from portraitist.tasks.paint_camera import Live, paint_camera, watch_camera

    settings, camera = _settings(parsed), Camera.open(number)
    with (
        mirror(port=parsed.port, shows=not parsed.no_browser, aside=parsed.json) as page,
        until_ctrl_c() as should_stop,
    ):
        live = Live(page.show, should_stop, report=progress)
        if parsed.out is None:
            return watch_camera(library, camera, settings, live)
        return paint_camera(library, camera, settings, parsed.out, live)


def _print_moving(made: PaintedFilm | LiveFigures, as_json_wanted: bool) -> None:
    from portraitist.tasks.paint_camera import LiveFigures
    from portraitist.tasks.paint_video import PaintedFilm

    kept = made if isinstance(made, PaintedFilm) else None
    details = made.details if isinstance(made, LiveFigures) else made.recipe.details
    if as_json_wanted:
        say_json({**({"file": kept.path, "recipe": kept.recipe_path} if kept else {}), **details})
        return
    file = kept.path if kept else "not kept"
    table(("frames", "frames/s", "file"), [(details["frames"], details["frames_per_second"], file)])
    for warning in made.warnings:
        say(f"note: {warning}")


def _settings(parsed: argparse.Namespace) -> PaintSettings:
    painting = given(parsed, PaintConfig, pencil=given(parsed, PencilConfig))
    request, transfer = given(parsed, PaintRequest), given(parsed, TransferConfig)
    return PaintSettings(request, painting, transfer, given(parsed, VideoConfig))


def _list(library: Library, as_json_wanted: bool) -> int:
    from portraitist.tasks.painters import painters

    rows: list[dict[str, Any]] = []
    for painter in painters(library):
        card = None if painter.file is None else painter.file.card
        row = {"name": painter.name, "tier": card.tier if card else "code", "licence": "Apache-2.0"}
        title = card.title if card else "drawn by code, without weights"
        rows.append({**row, **({"licence": card.licence} if card else {}), "title": title})
    if as_json_wanted:
        say_json(rows)
    else:
        table(("painter", "tier", "licence", "what"), [tuple(row.values()) for row in rows])
    return 0


def _print(made: PaintedAll, as_json_wanted: bool) -> None:
    if as_json_wanted:
        say_json({"saved": [as_json(portrait) for portrait in made.saved], "skipped": made.skipped})
        return
    table(("painted", "file"), [(len(p.recipe.measures.get("painted", [])), p.path) for p in made.saved])
    for warning in sorted({w for portrait in made.saved for w in portrait.recipe.details.get("warnings", ())}):
        say(f"note: {warning}")
    for sentence in made.skipped:
        say(f"skipped: {sentence}")
