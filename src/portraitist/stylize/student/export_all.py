"""Every format of a student in one folder, each measured, those that could not be made named with the reason."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import cv2
import numpy as np

from portraitist.progress import Report, Step, silent
from portraitist.stylize.pairs import PairFolder
from portraitist.stylize.student.config import COST_SIDE
from portraitist.stylize.student.network import StudentNetwork
from portraitist.stylize.student.package import (
    calibration_pictures,
    convert_where_installed,
    export_onnx,
    grid_of,
    measure_file,
)
from portraitist.types import Image


def export_all(network: StudentNetwork, pairs: PairFolder, folder: Path, report: Report = silent) -> dict[str, Any]:
    """JSON-ready: `files` by format (bytes, psnr in dB, milliseconds for a picture of 512 px), `lacking` by format the
    reason, `grid` the border ratio over the photos' own."""
    pictures = calibration_pictures(pairs)
    made = export_onnx(network, pictures, folder)
    converted, lacking = convert_where_installed(network, folder)
    rows = {}
    for name, path in {**made, **converted}.items():
        found = measure_file(name, path, network, _square(pictures[0]))
        rows[name] = {"bytes": found.bytes, "psnr": round(found.psnr, 1), "ms": round(1000 * found.seconds, 1)}
        report(Step("export", message=f"! {name}: {rows[name]}"))
    for name, reason in lacking.items():
        report(Step("export", message=f"! {name}: {reason}"))
    return {"files": rows, "lacking": lacking, "grid": round(grid_of(network, pictures[:8]), 3)}


def _square(picture: Image) -> Image:
    """Of the side that costs are counted at."""
    return np.asarray(cv2.resize(picture, (COST_SIDE, COST_SIDE), interpolation=cv2.INTER_AREA), np.uint8)
