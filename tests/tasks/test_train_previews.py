"""Validation portraits: two kinds, the same each time, in templates only where their likeness can be measured."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="needs portraitist[diffusion]")
pytest.importorskip("diffusers", reason="needs portraitist[diffusion]")

from portraitist.diffusion.bases import find_base
from portraitist.faces.reader import FaceReader
from portraitist.generate.config import DrawConfig
from portraitist.generate.template import TemplateEngine
from portraitist.generate.text import TextEngine
from portraitist.identity.config import IdentityConfig
from portraitist.identity.dataset import AlbumSplit
from portraitist.placement import Placement
from portraitist.tasks.train_previews import PAINTING, PROMPTS, Previews, template_orders, templates
from portraitist.types import Image, Pixels, Reference
from tests.diffusion.tiny_bases import tiny_pipeline
from tests.diffusion.tiny_painters import tiny_painters


@pytest.fixture(scope="module")
def photo(astronaut: Image, reader: FaceReader) -> Reference:
    return Reference(Pixels(astronaut), reader.read(astronaut)[0])


def test_the_templates_are_two_portraits_with_the_sitter_in_them(photo: Reference, reader: FaceReader) -> None:
    orders = template_orders([photo], reader, Placement())
    assert len(orders) == len(templates()) == 2
    for order in orders:
        assert order.start.sources == (photo.picture.digest,)
        assert len(order.faces) == 1
        assert order.start.image.shape == order.template.shape
    assert (orders[1].start.image != orders[1].template).any()


def test_the_adapters_reach_both_kinds(photo: Reference, reader: FaceReader) -> None:
    from peft import LoraConfig

    face, ring = tiny_painters("mini")
    unet = face.pipeline.unet  # type: ignore[attr-defined]
    torch.manual_seed(0)
    unet.add_adapter(LoraConfig(r=4, target_modules=["to_q", "to_v"], init_lora_weights=False), adapter_name="sitter")
    pipeline = tiny_pipeline("mini")
    pipeline.unet = unet
    engine = TemplateEngine(face, ring, replace(PAINTING, face_steps=4, ring_denoise=0.0), 64)
    previews = Previews(
        TextEngine(pipeline, DrawConfig(), 2, 2.0), engine, template_orders([photo], reader, Placement())
    )
    drawn, same = previews(), previews()
    unet.disable_adapters()
    without = previews()
    assert [portrait.kind for portrait in drawn] == ["text"] * len(PROMPTS) + ["template"] * 2
    assert drawn[-1].sources == (photo.picture.digest,)
    for one, two, bare in zip(drawn, same, without):
        np.testing.assert_array_equal(one.image, two.image)
        assert (one.image != bare.image).any()


@pytest.mark.parametrize(
    ("base", "is_on", "chooses"), [("mini", False, True), ("mini", True, False), ("sd15", True, True)]
)
def test_templates_are_left_out_where_they_cost_or_measure_nothing(
    photo: Reference, reader: FaceReader, base: str, is_on: bool, chooses: bool
) -> None:
    split = AlbumSplit((photo,), (photo,) if chooses else (), ())
    config = IdentityConfig(template_previews=is_on)
    made = Previews.of(tiny_pipeline(base), find_base(base), split, config, reader, Placement())
    assert made.template is None
    assert made.orders == ()
