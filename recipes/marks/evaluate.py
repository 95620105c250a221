"""How a network does on held-back views at several least scores: where each kind's own is read off."""

from __future__ import annotations

from typing import Any

from torch import nn

from portraitist.marks.kinds import POINT_KINDS
from portraitist.marks.labelled import LabelledFolder
from portraitist.marks.network_config import MarkNetworkConfig
from portraitist.marks.network_decoding import decode
from portraitist.marks.network_training import maps_of
from portraitist.marks.scoring import Score, score
from portraitist.progress import Report, Step

LEVELS = (0.1, 0.15, 0.2, 0.25, 0.3, 0.35, 0.4, 0.5, 0.6)
FIGURES = ("recall", *(f"recall_{kind}" for kind in POINT_KINDS), "false_a_face", "median_error", "kind_right")
FIGURES = (*FIGURES, "wrinkle_recall", "wrinkle_false")


def sweep(network: nn.Module, views: LabelledFolder, report: Report) -> dict[str, dict[str, Any]]:
    """Figures by least score, the same for all kinds; wrinkles are followed down to half of it."""
    totals = dict.fromkeys(LEVELS, Score())
    for number in range(len(views)):
        item = views[number]
        maps = maps_of(network, item.view)
        for level in LEVELS:
            totals[level] += score(decode(maps, item.view.skin, at_level(level)), item)
        report(Step("evaluate", number + 1, len(views)))
    return {f"{level:g}": total.plain() for level, total in totals.items()}


def at_level(level: float) -> MarkNetworkConfig:
    """The same least score for every kind."""
    kinds = {f"{kind}_score": level for kind in POINT_KINDS}
    return MarkNetworkConfig(**kinds, wrinkle_score=level, wrinkle_follow=level / 2)


def table(rows: dict[str, dict[str, Any]]) -> str:
    """The figures as a Markdown table."""
    head = "| least score | " + " | ".join(name.replace("_", " ") for name in FIGURES) + " |"
    lines = [head, "|---" * (len(FIGURES) + 1) + "|"]
    for level, figures in rows.items():
        cells = ["-" if figures.get(name) is None else f"{figures[name]:.3g}" for name in FIGURES]
        lines.append(f"| {level} | " + " | ".join(cells) + " |")
    return "\n".join(lines) + "\n"
