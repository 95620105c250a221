"""`portraitist painter new|generator|translate|pairs|student|export`: make a painter from a folder of pictures."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from portraitist.cli.flags import add_flags, given
from portraitist.cli.shared import Progress, add_json, open_library, say, say_json
from portraitist.errors import ConfigError, EngineError
from portraitist.tasks.make_painter_config import MakePainterConfig

if TYPE_CHECKING:
    from portraitist.stylize.painter_file import PainterFile
    from portraitist.tasks.make_painter import PainterWork

VERBS = {
    "new": "all stages one after the other",
    "generator": "stage 1: a generator of faces learns the style (wants --source)",
    "translate": "stage 2: from photos to the style, without pairs",
    "pairs": "what the translator paints of the photos, filtered",
    "student": "stage 3: the small network learns from the pairs",
    "export": "the painter's files, measured",
}
UNKNOWN_LICENCE = "unknown"


def register(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command group to the parser."""
    group = commands.add_parser(
        "painter",
        help="make a painter from a folder of pictures",
        epilog="Example: portraitist painter new ink --images drawings/ --photos faces/; the same command goes on "
        "after a stop. Then: portraitist stylize party.jpg --painter ink",
    )
    verbs = group.add_subparsers(metavar="VERB", required=True)
    for verb, sentence in VERBS.items():
        parser = verbs.add_parser(verb, help=sentence)
        parser.add_argument("name", metavar="NAME", help="of the painter")
        _add_pictures(parser)
        add_json(parser)
        add_flags(parser, MakePainterConfig, "making")
        parser.set_defaults(run=run, verb=verb)


def _add_pictures(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("pictures")
    group.add_argument("--images", type=Path, metavar="DIR", help="pictures of the style; 30 or more")
    group.add_argument("--photos", type=Path, metavar="DIR", help="photos of faces to learn on")
    group.add_argument("--source", type=Path, metavar="FILE", help="generator to begin stage 1 from (.safetensors)")
    group.add_argument("--title", default="", help="what people read (default: the name)")
    group.add_argument("--licence", default=UNKNOWN_LICENCE, metavar="TEXT", help="of the style's pictures")
    group.add_argument("--photos-licence", default=UNKNOWN_LICENCE, metavar="TEXT", help="of the photos")
    group.add_argument("--nc", action="store_true", help="some of them may not be used commercially: mark the painter")


def run(parsed: argparse.Namespace) -> int:
    """Run one stage, or all."""
    from portraitist.tasks.make_painter import begin

    progress = Progress()
    work = begin(open_library(parsed), parsed.name, given(parsed, MakePainterConfig), progress)
    try:
        painter = _run_stage(work, parsed)
    except ImportError as error:
        raise EngineError(f"painter: lacks a package ({error}); pip install 'portraitist[stylize]'") from error
    finally:
        progress.close()
    _print(work, painter, parsed.json)
    return 0


def _run_stage(work: PainterWork, parsed: argparse.Namespace) -> PainterFile | None:
    from portraitist.tasks import make_painter as making

    _prepare(work, parsed)
    verb: str = parsed.verb
    if verb == "new":
        return making.make_painter(work, parsed.source, parsed.title)
    if verb == "export":
        return making.export(work, parsed.title)
    if verb == "generator":
        if parsed.source is None:
            raise ConfigError("painter generator: expected --source FILE, a generator of faces; found none")
        making.learn_generator(work, parsed.source)
    else:
        {"translate": making.learn_translator, "pairs": making.make_pairs, "student": making.learn_student}[verb](work)
    return None


def _prepare(work: PainterWork, parsed: argparse.Namespace) -> None:
    from portraitist.stylize.domain import DomainNote
    from portraitist.tasks.make_painter import require_prepared
    from portraitist.tasks.make_painter_prepare import prepare

    if parsed.images is None or parsed.photos is None:
        require_prepared(work)
        return
    notes = (
        DomainNote(title, licence, noncommercial=parsed.nc)
        for title, licence in ((work.name, parsed.licence), ("photos", parsed.photos_licence))
    )
    prepare(work, parsed.images.expanduser(), parsed.photos.expanduser(), *notes)


def _print(work: PainterWork, painter: PainterFile | None, as_json: bool) -> None:
    if as_json:
        say_json({"painter": work.name, "work": work.folder, "made": painter.folder if painter else None})
    elif painter is None:
        say(f"{work.folder}: done; 'portraitist painter new {work.name}' does the stages that follow")
    else:
        say(f"{painter.folder}: use it by 'portraitist stylize PHOTO --painter {work.name}'")
