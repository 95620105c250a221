"""In which order portraits are shown: by likeness, and by how well the sitter's marks are there where that is asked."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from portraitist.provenance import Recipe

UNKNOWN = -1.0
"""Of a likeness that could not be measured: below every other."""


def worth(recipe: Recipe) -> float:
    """Likeness in [0, 1], mixed with the marks' score by `marks_rank`; UNKNOWN without a likeness."""
    if recipe.likeness is None:
        return UNKNOWN
    finish: Mapping[str, Any] = recipe.config.get("finish", {})
    share = float(finish.get("marks", {}).get("marks_rank", 0.0))
    marks = [person.get("marks", {}) for person in recipe.measures.get("people", [])]
    scores = [record["score"] for record in marks if "score" in record]
    return recipe.likeness if not scores else (1 - share) * recipe.likeness + share * min(scores)
