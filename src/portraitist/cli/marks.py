"""`portraitist marks VERB`: the marks of faces."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from portraitist.cli import marks_annotate, marks_convert, marks_map
from portraitist.cli.flags import add_flags, given
from portraitist.cli.shared import Progress, add_json, open_library, say, say_json
from portraitist.marks.network_config import MarkTrainingConfig

if TYPE_CHECKING:
    from portraitist.marks.scoring import Score
    from portraitist.tasks.train_marks import TrainedDetector


def register(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command group to the parser."""
    group = commands.add_parser("marks", help="moles, spots, wrinkles: find, keep and check a sitter's")
    verbs = group.add_subparsers(metavar="VERB", required=True)
    marks_map.register(verbs)
    marks_convert.register(verbs)
    _register_train(verbs)
    marks_annotate.register(verbs)


def _register_train(verbs: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    training = verbs.add_parser(
        "train",
        help="learn a detector from annotated photos and rendered marks",
        epilog="Example: portraitist marks train --annotations export.json --images photos --rendered 300. "
        "The same command goes on after a stop.",
    )
    training.add_argument(
        "--annotations", type=Path, required=True, metavar="FILE", help="our own JSON, a whale-anno export, or COCO"
    )
    training.add_argument("--images", type=Path, metavar="DIR", help="folder of the photos (default: beside FILE)")
    training.add_argument(
        "--rendered", type=int, default=0, metavar="N", help="views with rendered marks besides, on the same faces"
    )
    training.add_argument("--out", type=Path, metavar="FILE", help="ONNX file to write (default: in the library)")
    training.add_argument(
        "--start", type=Path, metavar="FILE", help="weights to begin from, .safetensors (default: ours)"
    )
    add_json(training)
    add_flags(training, MarkTrainingConfig, "training")
    training.set_defaults(run=run_train)


def run_train(parsed: argparse.Namespace) -> int:
    """Train, and say what was measured."""
    from portraitist.tasks.train_marks import train_marks

    progress = Progress()
    subject = (open_library(parsed), parsed.annotations, parsed.images, given(parsed, MarkTrainingConfig))
    how = {"rendered": parsed.rendered, "out": parsed.out, "start": parsed.start, "report": progress}
    trained = train_marks(*subject, **how)
    progress.close()
    if parsed.json:
        score = None if trained.score is None else trained.score.plain()
        counts = {"learned": trained.learned, "rendered": trained.rendered}
        say_json({"file": trained.path, **counts, "held_back": score, "problems": trained.problems})
    else:
        _print_trained(trained)
    return 0


def _print_trained(trained: TrainedDetector) -> None:
    for problem in trained.problems:
        say(f"left out: {problem}")
    say(f"learned from {trained.learned} annotated and {trained.rendered} rendered views")
    say("held back: nothing, for one photo is all there is" if trained.score is None else _measured(trained.score))
    say(f"{trained.path}: use it with --network-file")


def _measured(score: Score) -> str:
    there, found = score.there.total(), score.found.total()
    text = f"held back: {score.faces} photos, {found} of {there} point marks found, {score.false} false"
    if score.wrinkles_there:
        text += f", {score.wrinkle_recall:.0%} of the wrinkles' length"
    return text + ("" if there >= 20 else "; so few marks say little")
