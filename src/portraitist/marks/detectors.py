"""Detectors by name: engines of the task `marks`, with their usual settings."""

from __future__ import annotations

import typing
from collections.abc import Callable

from portraitist import registry, weights
from portraitist.errors import EngineError
from portraitist.marks.config import DETECTOR
from portraitist.marks.found import Detector
from portraitist.placement import Placement
from portraitist.progress import Report, silent


def load_detector(name: str, placement: Placement | None = None, report: Report = silent) -> Detector:
    """The detector of that name, of this package or of another; of `auto`, the better one of those that can be had.

    Raises EngineError when it is unknown or does not name its config, WeightsError when its weights are not here.
    """
    build: Callable[..., Detector] = registry.builder("marks", _usual() if name == DETECTOR else name)
    # Every engine names its config in its signature, those of other packages too.
    config = typing.get_type_hints(build).get("config")
    if config is None:
        raise EngineError(f"engine '{name}': expected build(config: ITS CONFIG, ...), found no type; ask its author")
    return build(config(), placement or Placement(), report=report)


def _usual() -> str:
    """The trained one from a checkout or a mirror of the weights; a bare installation has neither."""
    return "network" if weights.has_source("marks-detector") else "classical"
