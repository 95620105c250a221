"""What tells two requests apart in the names of their files."""

from __future__ import annotations

import hashlib
import json

from portraitist.provenance import Recipe


def request_digest(recipe: Recipe) -> str:
    """Six hex digits of what was asked, so that another request never overwrites this one's files. Ten more of the same
    request continue it: how many are made or kept does not count."""
    inputs = [entry.digest for entry in recipe.inputs if entry.role != "album"]
    config, *others = json.loads(json.dumps([recipe.config, recipe.seed, recipe.sitters, inputs]))
    for part in ("shoot", "draw"):
        if part in config:
            config[part] |= {"count": 0}
            config[part].pop("best", None)
    return hashlib.sha256(json.dumps([config, *others], sort_keys=True).encode()).hexdigest()[:6]
