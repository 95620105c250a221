"""Detectors by name: engines of the task `marks`, with their usual settings."""

from __future__ import annotations

import typing
from collections.abc import Callable

from portraitist import registry
from portraitist.errors import EngineError
from portraitist.marks.found import Detector
from portraitist.placement import Placement
from portraitist.progress import Report, silent


def load_detector(name: str, placement: Placement | None = None, report: Report = silent) -> Detector:
    """The detector of that name, of this package or of another.

    Raises EngineError when it is unknown or does not name its config, WeightsError when its weights are not here.
    """
    build: Callable[..., Detector] = registry.builder("marks", name)
    # Every engine names its config in its signature, those of other packages too.
    config = typing.get_type_hints(build).get("config")
    if config is None:
        raise EngineError(f"engine '{name}': expected build(config: ITS CONFIG, ...), found no type; ask its author")
    return build(config(), placement or Placement(), report=report)
