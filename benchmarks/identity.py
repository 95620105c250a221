"""Does learning a sitter work? portrait-mini on albums of people it has never seen, against what it draws alone.

    python -m benchmarks.identity --data ../shared/data --out FOLDER                  # London, Caltech and Lisa
    python -m benchmarks.identity --data ../shared/data --out FOLDER --albums variants
    python -m benchmarks.identity --data ../shared/data --out FOLDER --ablation rate --split tune --limit 4

From the repository's root. Each album is measured in a process of its own and written to FOLDER as one JSON file, with
a contact sheet beside it; the same command skips what is there, so a stopped run goes on with the next album. FOLDER
holds pictures of people: keep it out of the repository. The tables are printed, and written to FOLDER as Markdown.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import replace
from multiprocessing import get_context
from pathlib import Path

from benchmarks.identity_ablations import ABLATIONS, Way, ways
from benchmarks.identity_albums import KINDS, people, templates
from benchmarks.identity_run import Job, run_job
from benchmarks.identity_table import Result, curves_table, markdown, ways_table
from portraitist.library import Library, read_json, write_atomic, write_json

FIRST_TABLE = ("london", "caltech", "lisa")


def main() -> None:
    """Measure what is missing, then print the tables of everything that is there."""
    args = _parser().parse_args()
    jobs = ablation_jobs(args) if args.ablation else {"": table_jobs(args)}
    do_all([job for several in jobs.values() for job in several], args.max_seconds)
    done = {label: _read(several) for label, several in jobs.items()}
    name = f"ablation-{args.ablation}-{args.split}" if args.ablation else f"{'-'.join(_kinds(args))}-{args.split}"
    name = _tried(args, name)
    text = ablation_text(args.ablation, done) if args.ablation else markdown(done[""])
    print(text)
    write_atomic(args.out / f"{name}.md", text.encode())


def table_jobs(args: argparse.Namespace) -> list[Job]:
    """Every album of the asked sets, the product's own way."""
    places = tuple(templates(args.data, args.split))
    chosen = people(args.data, args.split, _kinds(args))[: args.limit]
    folder = args.out / _tried(args, args.split)
    return [Job(person, _few(args, Way()), places, folder / f"{person.name}.json") for person in chosen]


def ablation_jobs(args: argparse.Namespace) -> dict[str, list[Job]]:
    """By way of learning; text portraits alone. The product's own way is the same in every ablation: it is run once."""
    prior = args.out / "real-faces.safetensors"
    if args.ablation == "prior":
        from benchmarks.identity_prior import learn_prior

        learn_prior(people(args.data, "tune", FIRST_TABLE), prior, Library(args.out / "library"), _every_hundred)
    chosen = people(args.data, args.split, _kinds(args))[: args.limit]
    folder, usual = (args.out / _tried(args, f"{name}-{args.split}") for name in (args.ablation, "usual"))
    return {
        label: [
            Job(
                person,
                _few(args, way),
                (),
                usual / f"{person.name}.json" if way == Way() else folder / f"{label}, {person.name}.json",
            )
            for person in chosen
        ]
        for label, way in ways(args.ablation, prior).items()
    }


def ablation_text(ablation: str, done: Mapping[str, Sequence[Result]]) -> str:
    """The ways against each other; of rates and steps the curves too."""
    curves = f"\n{curves_table(done)}" if ablation in ("rate", "steps") else ""
    return ways_table(done) + curves


def _tried(args: argparse.Namespace, name: str) -> str:
    """The folder's name: what was only tried lies apart."""
    return name if args.steps is None else f"{name}-{args.steps}-steps"


def _few(args: argparse.Namespace, way: Way) -> Way:
    """The way with the steps that were asked for, checked twice."""
    if args.steps is None:
        return way
    return replace(way, config=replace(way.config, steps=args.steps, check_every=-(-args.steps // 2)))


def do_all(jobs: Sequence[Job], most_seconds: float | None) -> None:
    """One after the other, album by album before way by way; none is begun after `most_seconds`."""
    started = time.monotonic()
    for job in sorted(jobs, key=lambda job: job.person.name):
        if job.result.exists() and "error" not in read_json(job.result):
            continue
        if most_seconds is not None and time.monotonic() - started > most_seconds:
            print(f"stopped after {time.monotonic() - started:.0f} s; the same command goes on", flush=True)
            return
        print(f"{job.result.stem} ...", flush=True)
        _do(job)


def _do(job: Job) -> None:
    """In a new process, so that no album sees another's memory."""
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        try:
            pool.submit(run_job, job).result()
        except BrokenProcessPool:
            error = "the process was killed, as when memory runs out"
            write_json(job.result, {"name": job.person.name, "kind": job.person.kind, "error": error})


def _read(jobs: Sequence[Job]) -> list[Result]:
    return [read_json(job.result) for job in jobs if job.result.exists()]


def _kinds(args: argparse.Namespace) -> Sequence[str]:
    # Ablations want albums that keep photos back: those of Caltech.
    return args.albums or (("caltech",) if args.ablation else FIRST_TABLE)


def _every_hundred(step: object) -> None:
    if getattr(step, "done", 1) % 100 == 0:
        print(f"real faces: {step}", flush=True)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="the development data, with SPLIT.csv")
    parser.add_argument("--out", type=Path, required=True, help="results; outside the repository")
    parser.add_argument("--albums", nargs="+", choices=tuple(KINDS), help="sets of people; without it the first three")
    parser.add_argument("--split", choices=("judge", "tune"), default="judge")
    parser.add_argument("--limit", type=int, help="only the first so many albums")
    parser.add_argument("--ablation", choices=ABLATIONS, help="ways of learning against each other, in words only")
    parser.add_argument("--steps", type=int, help="of the training, to try the command; kept apart from the table's")
    parser.add_argument("--max-seconds", type=float, help="begin no album after so long")
    return parser


if __name__ == "__main__":
    sys.exit(main())
