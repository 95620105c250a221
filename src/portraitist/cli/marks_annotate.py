"""`portraitist marks annotate`: a page in the browser to mark photos by hand."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from portraitist.cli.shared import say
from portraitist.marks.config import DETECTOR

if TYPE_CHECKING:
    from portraitist.tasks.annotate_marks import AnnotatedFolder
    from portraitist.tasks.propose_marks import Proposals


def register(verbs: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the verb to the group `marks`."""
    parser = verbs.add_parser(
        "annotate",
        help="mark photos by hand, on a page in the browser",
        epilog="Example: portraitist marks annotate photos. The page is served to this machine only, until Ctrl+C.",
    )
    parser.add_argument("folder", type=Path, metavar="FOLDER", help="photos, those in folders below it too")
    parser.add_argument(
        "--out", type=Path, metavar="FILE.marks.json", help="what is written (default: annotations.marks.json there)"
    )
    parser.add_argument(
        "--detector",
        default=DETECTOR,
        metavar="NAME",
        help=f"whose proposals are drawn: auto, network, classical or none ({DETECTOR})",
    )
    parser.add_argument("--port", type=int, default=0, metavar="N", help="port of the page (default: a free one)")
    parser.add_argument("--no-browser", action="store_true", help="only print where the page is")
    parser.set_defaults(run=run)


def run(parsed: argparse.Namespace) -> int:
    """Serve the page until Ctrl+C."""
    from portraitist.cli.annotation_server import AnnotationServer
    from portraitist.cli.local_server import serve
    from portraitist.tasks.annotate_marks import AnnotatedFolder

    folder = AnnotatedFolder.open(parsed.folder, parsed.out)
    for sentence in folder.left_out:
        say(f"left out: {sentence}")
    with AnnotationServer(folder, _proposals(folder, parsed.detector), parsed.port) as server:
        say(f"{len(folder.photos)} photos, written to {folder.out}; Ctrl+C ends")
        serve(server, shows=not parsed.no_browser)
    looked = sum(folder.saved(index) is not None for index in range(len(folder.photos)))
    say(f"{looked} of {len(folder.photos)} photos are in {folder.out}")
    return 0


def _proposals(folder: AnnotatedFolder, name: str) -> Proposals | None:
    """What is drawn before anybody has marked anything."""
    if name == "none":
        return None
    from portraitist.faces.reader import FaceReader
    from portraitist.marks.detectors import load_detector
    from portraitist.tasks.propose_marks import Proposals

    # No report: the engine would keep it, and speak whenever a photo is opened.
    return Proposals(folder, FaceReader.load(), load_detector(name), name)
