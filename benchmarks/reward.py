"""What `--reward likeness` does for one album on one base: distance and copies before and after.

    python benchmarks/reward.py ALBUM_FOLDER [--base mini] [--out FOLDER] [--rounds 3] [--drawn 8] [--steps STEPS]

ALBUM_FOLDER: at least ten photos of one person. The album is learned without the stage, then the same run goes on with
it. Distances are means over the validation portraits in words, by dlib descriptors; the photos that report neither
taught, chose nor ranked. FOLDER keeps the library, so that a stopped benchmark goes on; without it a temporary one.
The library accepts weights marked nc: run it where that is right.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path

from portraitist.identity.config import IdentityConfig
from portraitist.library import Consent, Library
from portraitist.progress import Step
from portraitist.tasks.add import add
from portraitist.tasks.train import Trained, train

NAME = "sitter"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("album", type=Path)
    parser.add_argument("--base", default="mini")
    parser.add_argument("--out", type=Path)
    parser.add_argument("--rounds", type=int, default=IdentityConfig().reward_rounds)
    parser.add_argument("--drawn", type=int, default=IdentityConfig().reward_drawn)
    parser.add_argument("--reward-steps", type=int, default=IdentityConfig().reward_steps)
    parser.add_argument("--steps", type=int, help="of the training before; default: the base's")
    asked = parser.parse_args()
    plain = IdentityConfig(steps=asked.steps)
    rewarding = replace(
        plain, reward="likeness", reward_rounds=asked.rounds, reward_drawn=asked.drawn, reward_steps=asked.reward_steps
    )
    with tempfile.TemporaryDirectory() as temporary:
        library = Library(asked.out or temporary)
        library.accept_noncommercial("benchmarks/reward.py")
        consent = Consent.now("benchmark", "benchmarks/reward.py: an album of the development data")
        add(library, NAME, [asked.album], consent=consent)
        compare(library, asked.base, plain, rewarding)


def compare(library: Library, base: str, plain: IdentityConfig, rewarding: IdentityConfig) -> None:
    """Train, go on with the stage, and print both."""
    before, seconds_before = timed(library, base, plain)
    after, seconds = timed(library, base, rewarding)
    print(f"{'':44s} {'before':>8s} {'after':>8s}")
    for name, one, other in rows(before, after):
        print(f"{name:44s} {shown(one):>8s} {shown(other):>8s}")
    print(f"{'seconds (after: reading the album and the stage)':44s} {seconds_before:8.0f} {seconds:8.0f}")
    for done in after.outcome.rounds:
        print(
            f"round {done.number}: learned from {done.learned_from} of {done.drawn} "
            f"({done.faceless} without a face, {done.copies} copies); {'kept' if done.is_kept else 'not kept'}"
        )


def rows(before: Trained, after: Trained) -> list[tuple[str, float | None, float | None]]:
    """What is compared."""
    one, other = before.outcome.measured, after.outcome.measured
    portraits = float(len(other.scores))
    return [
        ("distance to photos that rank, in words", before.record.distance, after.record.distance),
        ("distance to photos that report, in words", before.record.report_distance, after.record.report_distance),
        ("distance of the base alone, in words", before.record.bare_distance, after.record.bare_distance),
        ("copies among the validation portraits", float(one.copies), float(other.copies)),
        ("validation portraits", portraits, portraits),
        ("validation loss", one.validation_loss, other.validation_loss),
    ]


def shown(value: float | None) -> str:
    return "-" if value is None else f"{value:.3f}"


def timed(library: Library, base: str, config: IdentityConfig) -> tuple[Trained, float]:
    """The training and what it took."""
    start = time.perf_counter()
    trained = train(library, NAME, base, config, report=tell)
    return trained, time.perf_counter() - start


def tell(step: Step) -> None:
    if step.stage in ("check", "reward"):
        print(f"{step.stage} {step.done}/{step.total} {step.message}", file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
