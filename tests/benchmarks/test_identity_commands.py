"""The commands load: what they take from the product is still there."""

from __future__ import annotations

import importlib

import pytest

pytest.importorskip("torch", reason="needs portraitist[diffusion]")
pytest.importorskip("diffusers", reason="needs portraitist[diffusion]")


@pytest.mark.parametrize("name", ["identity", "identity_prior", "identity_gpu"])
def test_it_loads(name: str) -> None:
    assert importlib.import_module(f"benchmarks.{name}").__doc__
