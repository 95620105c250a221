"""Random LoRAs for the tiny bases, and one vector of numbers that shows whether two pipelines are the same."""

from __future__ import annotations

from typing import Any

import torch

from portraitist.diffusion.lora import Factors, Lora
from portraitist.diffusion.lora_names import component_path

BASES = ("mini", "sd15", "sdxl", "flux2-klein-4b", "z-image")
_ATTENTION = ("to_q", "to_k", "to_v", "to_out.0", "q_proj", "k_proj", "v_proj", "out_proj", "fc1")
_FLUX2 = ("add_q_proj", "add_k_proj", "to_add_out", "ff.linear_in", "attn.to_qkv_mlp_proj", "attn.to_out", "x_embedder")
_TARGETS = {
    "mini": (*_ATTENTION, "proj_in", "conv1", "ff.net.0.proj"),
    "sd15": (*_ATTENTION, "proj_out", "conv_shortcut", "time_emb_proj", "0.conv", "conv_in", "linear_1", "ff.net.2"),
    "sdxl": (*_ATTENTION, "proj_in", "ff.net.2"),
    "flux2-klein-4b": (*_ATTENTION, *_FLUX2),
    "z-image": (*_ATTENTION, "w1", "w2", "adaLN_modulation.0"),
}


def random_lora(pipeline: Any, base: str, *, seed: int = 0, rank: int = 3, uneven: bool = False) -> Lora:
    """Noise for the modules that LoRAs of the base have. uneven: ranks that differ from module to module."""
    generator = torch.Generator().manual_seed(seed)
    modules: dict[str, Factors] = {}
    for component in pipeline._lora_loadable_modules:
        for name, module in getattr(pipeline, component).named_modules():
            if not isinstance(module, torch.nn.Linear | torch.nn.Conv2d) or not name.endswith(_TARGETS[base]):
                continue
            out, into, *kernel = module.weight.shape
            r = rank + (len(modules) % 3 if uneven else 0)
            down = torch.randn(r, into, *kernel, generator=generator) / 4
            up = torch.randn(out, r, *[1 for _ in kernel], generator=generator) / 4
            modules[component_path(component, name)] = (down, up)
    return Lora(modules)


@torch.no_grad()
def outputs(pipeline: Any) -> torch.Tensor:
    """What the networks answer to fixed inputs: no sampler stands between the LoRA and the numbers."""
    generator = torch.Generator().manual_seed(9)
    transformer = getattr(pipeline, "transformer", None)
    if transformer is None:
        return _unet_outputs(pipeline, generator)
    if type(transformer).__name__ == "ZImageTransformer2DModel":
        latents, text = torch.randn(16, 1, 8, 8, generator=generator), torch.randn(7, 16, generator=generator)
        return torch.cat([part.flatten() for part in transformer([latents], torch.tensor([0.5]), [text]).sample])
    latents, text = torch.randn(1, 16, 16, generator=generator), torch.randn(1, 5, 32, generator=generator)
    places = {"img_ids": torch.zeros(1, 16, 4), "txt_ids": torch.zeros(1, 5, 4)}
    return transformer(latents, text, torch.tensor([0.5]), **places).sample.flatten()


def _unet_outputs(pipeline: Any, generator: torch.Generator) -> torch.Tensor:
    tokens = torch.arange(3, 11)[None]
    text = pipeline.text_encoder(tokens).last_hidden_state
    extra, parts = {}, []
    if hasattr(pipeline, "text_encoder_2"):
        second = pipeline.text_encoder_2(tokens)
        text = torch.cat([text, second.last_hidden_state], dim=-1)
        extra = {"added_cond_kwargs": {"text_embeds": second.text_embeds, "time_ids": torch.ones(1, 6)}}
        parts.append(second.text_embeds.flatten())
    size = pipeline.unet.config.sample_size
    latents = torch.randn(1, pipeline.unet.config.in_channels, size, size, generator=generator)
    return torch.cat([text.flatten(), pipeline.unet(latents, 500, text, **extra).sample.flatten(), *parts])


def assert_same(found: Lora, expected: Lora) -> None:
    """The same modules with the same factors, number by number."""
    assert list(found.modules) == list(expected.modules)
    for path, (down, up) in expected.modules.items():
        assert torch.equal(found.modules[path][0], down), path
        assert torch.equal(found.modules[path][1], up), path
