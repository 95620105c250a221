"""How fast each tier of painters is, whatever it paints: frames of 512 x 512 a second, pixels to pixels, two threads.

    python -m benchmarks.painter_tiers [--rounds 5]

Weights are the first ones: the time does not depend on them. Rounds go over all tiers, so that a slow
minute meets them alike; take it where nothing else runs.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
from functools import partial
from pathlib import Path

import numpy as np

from portraitist.placement import Placement
from portraitist.stylize.painter import OnnxPainter
from portraitist.stylize.painter_file import PainterCard, write_painter
from portraitist.stylize.student.config import CAPS, COST_SIDE, TIERS
from portraitist.stylize.student.cost import count_multiply_adds
from portraitist.stylize.student.export import to_onnx
from portraitist.stylize.student.network import StudentNetwork
from portraitist.stylize.student.runtimes import median_seconds

FRAMES = 40
"""A round's, of each tier; the median counts."""


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5)
    rounds = parser.parse_args().rounds
    frame = np.random.default_rng(0).integers(0, 256, (COST_SIDE, COST_SIDE, 3), dtype=np.uint8)
    networks = {tier: StudentNetwork(TIERS[tier]) for tier in CAPS}
    with tempfile.TemporaryDirectory() as folder:
        painters = {tier: _painter(Path(folder) / tier, tier, network) for tier, network in networks.items()}
        rates: dict[str, list[float]] = {tier: [] for tier in painters}
        for _ in range(rounds):
            for tier, painter in painters.items():
                rates[tier].append(1 / median_seconds(partial(painter, frame), FRAMES))
    print("| tier | multiply-adds | frames/s at 512: median of rounds | least, most |\n|---|---|---|---|")
    for tier, found in rates.items():
        cost = count_multiply_adds(networks[tier]) / 1e9
        print(f"| `{tier}` | {cost:.2f} G | {statistics.median(found):.0f} | {min(found):.0f}, {max(found):.0f} |")


def _painter(folder: Path, tier: str, network: StudentNetwork) -> OnnxPainter:
    card = PainterCard(name=tier, title=tier, side=COST_SIDE, licence="none", tier=tier)
    file = write_painter(folder, to_onnx(network, {}), card, "")
    return OnnxPainter(file, Placement(threads=2))


if __name__ == "__main__":
    main()
