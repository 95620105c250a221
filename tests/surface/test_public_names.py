"""The names other people's code may rely on. Changing this list is a change for them: say so in CHANGELOG.md."""

from __future__ import annotations

import dataclasses
import importlib

import pytest

NAMES = {
    "portraitist": ("__version__",),
    "portraitist.errors": (
        "ConfigError", "EngineError", "InputError", "PlacementError", "PortraitistError", "WeightsError",
    ),
    "portraitist.types": ("Embedding", "Face", "Pixels", "Portrait", "Pose", "Quality", "Reference", "derive"),
    "portraitist.library": ("Consent", "Library", "Sitter", "write_atomic", "write_json"),
    "portraitist.provenance": ("Input", "Recipe", "SavedPortrait", "read_recipe", "save_portrait", "saved_portraits"),
    "portraitist.registry": ("TASKS", "build", "builder", "engines"),
    "portraitist.weights": ("TABLE", "fetch", "local_path", "verify"),
    "portraitist.image": ("Photo", "PhotoLimits", "encode_image", "open_photo"),
    "portraitist.faces.reader": ("FaceReader",),
    "portraitist.tasks.add": ("add",),
    "portraitist.tasks.shoot": ("shoot",),
    "portraitist.tasks.erase": ("erase",),
    "portraitist.tasks.replay": ("replay",),
    "portraitist.cli.main": ("main",),
}  # fmt: skip


@pytest.mark.parametrize("module", NAMES)
def test_public_names_exist_and_are_documented(module: str) -> None:
    loaded = importlib.import_module(module)
    assert loaded.__doc__
    for name in NAMES[module]:
        value = getattr(loaded, name)
        assert not callable(value) or value.__doc__, f"{module}.{name} has no docstring"


def test_recipe_keys_are_stable() -> None:
    """Recipes on people's disks must stay readable."""
    from portraitist.provenance import Recipe

    assert {f.name for f in dataclasses.fields(Recipe)} >= {
        "task", "engine", "config", "seed", "index", "sitters", "inputs", "weights", "timings", "versions", "output",
    }  # fmt: skip
