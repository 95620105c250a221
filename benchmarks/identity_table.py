"""The identity table: every album counts once, every mean has a bootstrap interval over albums. Pure functions."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

NO_FACE = 1.2
"""Distance of a picture without a face: farther than two strangers are (`identity/checks.NO_FACE_DISTANCE`)."""
RESAMPLES = 4000
Result = Mapping[str, Any]
Measure = Callable[[Result], float | None]
"""One number of one album; None where it cannot be measured."""


@dataclass(frozen=True)
class Mean:
    """Of an album's measure over albums. low, high: 95 % of the bootstrap's means. of: albums that had it."""

    value: float
    low: float
    high: float
    of: int

    @classmethod
    def over(cls, values: Sequence[float], seed: int = 0) -> Mean | None:
        """None without values."""
        if not len(values):
            return None
        array = np.asarray(values, np.float64)
        picked = np.random.default_rng(seed).integers(0, len(array), (RESAMPLES, len(array)))
        low, high = np.quantile(array[picked].mean(axis=1), (0.025, 0.975))
        return cls(float(array.mean()), float(low), float(high), len(array))

    def text(self, places: int, factor: float = 1.0) -> str:
        """`0.512 (0.48-0.54)`; no interval of a single album."""
        value, low, high = (f"{factor * number:.{places}f}" for number in (self.value, self.low, self.high))
        return value if self.of == 1 else f"{value} ({low} to {high})"


def distance(row: str) -> Measure:
    """Mean distance to the report photos; a picture without a face counts as a stranger's."""

    def measure(result: Result) -> float | None:
        pictures = result["rows"].get(row, ())
        # A face whose only report photo went into the picture is left out: not measurable.
        found = [
            NO_FACE if one["pixels"] is None else one["distance"]
            for one in pictures
            if one["pixels"] is None or one["distance"] is not None
        ]
        return float(np.mean(found)) if found else None

    return measure


def less(one: Measure, other: Measure) -> Measure:
    """The difference within each album."""

    def measure(result: Result) -> float | None:
        a, b = one(result), other(result)
        return None if a is None or b is None else a - b

    return measure


def mean_of(row: str, key: str) -> Measure:
    """Mean of a value of the row's pictures, those without it left out."""

    def measure(result: Result) -> float | None:
        found = [one[key] for one in result["rows"].get(row, ()) if one.get(key) is not None]
        return float(np.mean(found)) if found else None

    return measure


def found_share(row: str) -> Measure:
    """Share of the row's pictures with a face."""

    def measure(result: Result) -> float | None:
        pictures = result["rows"].get(row, ())
        return float(np.mean([one["pixels"] is not None for one in pictures])) if pictures else None

    return measure


def copies(row: str) -> Measure:
    """Share of the row's pictures that are nearer to a photo than the sitter's closest two photos are to each other."""

    def measure(result: Result) -> float | None:
        own = result["own"]["pixels"]
        found = [one["pixels"] for one in result["rows"].get(row, ()) if one["pixels"] is not None]
        return float(np.mean([pixels > max(own) for pixels in found])) if own and found else None

    return measure


def own(key: str) -> Measure:
    """Mean over the sitter's photos of how near the nearest other one is."""
    return lambda result: float(np.mean(result["own"][key])) if result["own"][key] else None


def training(key: str) -> Measure:
    """A number of the training."""
    return lambda result: float(result["training"][key])


def floor(result: Result) -> float | None:
    """Mean distance of real photos at the base's size."""
    return float(np.mean(result["floor"])) if result["floor"] else None


@dataclass(frozen=True)
class Row:
    """A line of the table. factor: 100 for a share in per cent."""

    title: str
    measure: Measure
    target: str = ""
    places: int = 3
    factor: float = 1.0


A, B, C, D, E = (distance(row) for row in "abcde")
ROWS = (
    Row("real photos reduced to the base's size (the floor)", floor),
    Row("(a) base, bare caption", A),
    Row("(b) LoRA, in words", B),
    Row("(b) - (a)", less(B, A), "-0.15 or less"),
    Row("(c) in templates, denoise 0.45, no fusion", C),
    Row("(d) compose alone", D),
    Row("(c) - (d)", less(C, D), "0.08 or less"),
    Row("(e) as (c), with the second pass on the ring", E),
    Row("(a) pictures with a face, %", found_share("a"), "", 0, 100),
    Row("(b) pictures with a face, %", found_share("b"), "", 0, 100),
    Row("(b) other pose or expression than the nearest photo, %", mean_of("b", "differs"), "70 or more", 0, 100),
    Row("(b) nearer to a photo than the closest two photos, %", copies("b"), "0", 0, 100),
    Row("nearest photo, correlation: (b)", mean_of("b", "pixels"), "at most the photos' own"),
    Row("nearest photo, correlation: (c)", mean_of("c", "pixels"), "below (d)"),
    Row("nearest photo, correlation: (d)", mean_of("d", "pixels")),
    Row("nearest photo, correlation: photos among themselves", own("pixels")),
    Row("nearest photo, distance: (b)", mean_of("b", "photo_distance"), "at least the photos' own"),
    Row("nearest photo, distance: photos among themselves", own("distance")),
    Row("(c) mean change inside the mask, grey levels", mean_of("c", "mean_change"), "stated", 1),
    Row("(e) mean change inside the mask, grey levels", mean_of("e", "mean_change"), "stated", 1),
    Row("training with validation, s", training("seconds"), "360 or less", 0),
    Row("its peak memory, GB", training("peak_gb"), "4 or less", 2),
)


def markdown(results: Sequence[Result], rows: Sequence[Row] = ROWS) -> str:
    """One column a set of people, and one for all of them where there are several."""
    good = [result for result in results if "error" not in result]
    kinds = list(dict.fromkeys(result["kind"] for result in good))
    columns = {kind: [result for result in good if result["kind"] == kind] for kind in kinds}
    if len(kinds) > 1:
        columns["all"] = good
    heads = [f"{name}, {len(found)} albums" for name, found in columns.items()]
    lines = ["| | " + " | ".join([*heads, "target"]) + " |", "|---" * (len(heads) + 2) + "|"]
    for row in rows:
        cells = [_cell(row, found) for found in columns.values()]
        if any(cell != "-" for cell in cells):
            lines.append("| " + " | ".join([row.title, *cells, row.target]) + " |")
    lines.append("| " + " | ".join(["fusion kept", *(_fused(found) for found in columns.values()), ""]) + " |")
    return "\n".join([*lines, "", *_largest(good), *_failed(results)]) + "\n"


def _cell(row: Row, results: Sequence[Result]) -> str:
    mean = Mean.over([value for result in results if (value := row.measure(result)) is not None])
    return "-" if mean is None else mean.text(row.places, row.factor)


def _fused(results: Sequence[Result]) -> str:
    """How often several checkpoints had votes, and how often their fusion was kept."""
    voted = [result["training"] for result in results if result["training"]["fusion"] is not None]
    kept = [one for one in voted if one["is_fused"]]
    if not voted:
        return "none was made"
    gain = np.mean([one["fusion"] - one["single"] for one in voted])
    return f"{len(kept)} of {len(voted)}; fusion less best single {gain:+.3f}"


def _largest(results: Sequence[Result]) -> list[str]:
    if not results:
        return []
    seconds = max(result["training"]["seconds"] for result in results)
    peak = max(result["training"]["peak_gb"] for result in results)
    return [f"Longest training {seconds:.0f} s, largest peak memory {peak:.2f} GB."]


def _failed(results: Sequence[Result]) -> list[str]:
    return [f"Not measured: {result['name']}: {result['error']}" for result in results if "error" in result]


def ways_table(results: Mapping[str, Sequence[Result]]) -> str:
    """An ablation: one line a way of learning, over the albums that all ways have, against the first way."""
    names = [{r["name"] for r in found if "error" not in r} for found in results.values()]
    shared = set.intersection(*names) if names else set()
    lines = [
        f"| {len(shared)} albums | (b) distance | against the first | nearer than own photos, % | other pose, % | s |",
        "|---|---|---|---|---|---|",
    ]
    first = {r["name"]: B(r) for r in next(iter(results.values()), ()) if r["name"] in shared}
    for label, found in results.items():
        albums = [r for r in found if r["name"] in shared]
        against = less(B, lambda result: first[result["name"]])
        shares = (copies("b"), mean_of("b", "differs"))
        rows = [
            Row("", B),
            Row("", against),
            *(Row("", m, "", 0, 100) for m in shares),
            Row("", training("seconds"), "", 0),
        ]
        lines.append("| " + " | ".join([label, *(_cell(row, albums) for row in rows)]) + " |")
    return "\n".join(lines) + "\n"


def curves_table(results: Mapping[str, Sequence[Result]]) -> str:
    """By way and step, over albums with validation portraits: mean distance of those in words, copies, validation
    loss."""
    lines = ["| way | step | albums | distance | copies, % | validation loss |", "|---|---|---|---|---|---|"]
    for label, found in results.items():
        checks = [check for r in found if "error" not in r for check in r["training"]["checks"] if check["scores"]]
        for step in sorted({check["step"] for check in checks}):
            here = [check for check in checks if check["step"] == step]
            near = [_near(check) for check in here]
            copied = [float(np.mean([(s["excess"] or 0) > 0 for s in check["scores"]])) for check in here]
            losses = [check["validation_loss"] for check in here if check["validation_loss"] is not None]
            loss = f"{np.mean(losses):.4f}" if losses else "-"
            cells = [label, str(step), str(len(here)), f"{np.mean(near):.3f}", f"{100 * np.mean(copied):.0f}", loss]
            lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines) + "\n"


def _near(check: Mapping[str, Any]) -> float:
    scores = [s for s in check["scores"] if s.get("kind", "text") == "text"]
    return float(np.mean([NO_FACE if s["distance"] is None else s["distance"] for s in scores]))
