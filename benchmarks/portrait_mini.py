"""Speed and memory of portrait-mini on this machine: a picture, a batch, a LoRA step, the process's peak.

    python benchmarks/portrait_mini.py [--folder FOLDER]

Medians of several runs after one to warm up. FOLDER is an exported portrait-mini; without it the project's weights.
"""

from __future__ import annotations

import argparse
import resource
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from peft import LoraConfig

import portraitist.diffusion.patch_autoencoder  # noqa: F401  the class that model_index.json names
from portraitist.diffusion.flow import add_noise, velocity_loss

PROMPT = "portrait, smiling, dark background"
STEPS, GUIDANCE = 20, 1.4


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--folder", type=Path, help="an exported folder; default: weights/portrait-mini")
    pipeline = load(parser.parse_args().folder)
    rows = [
        ("20 steps with guidance, one picture of 128 px, s", seconds(lambda: draw(pipeline, 1)), 0.8),
        ("a batch of 8, s", seconds(lambda: draw(pipeline, 8)), 5.0),
        ("LoRA step, batch 4, rank 16, s", lora_step(pipeline), 0.25),
        ("peak memory of this process, GB", resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6, 1.5),
    ]
    print(f"threads: {torch.get_num_threads()}, torch {torch.__version__}")
    for name, value, goal in rows:
        print(f"{name:50s} {value:6.2f}   goal < {goal}")


def load(folder: Path | None) -> Any:
    if folder is None:
        from portraitist.diffusion.portrait_mini import load_pipeline

        return load_pipeline()
    from diffusers import StableDiffusionPipeline

    pipeline = StableDiffusionPipeline.from_pretrained(folder)
    pipeline.set_progress_bar_config(disable=True)
    return pipeline


def draw(pipeline: Any, count: int) -> None:
    pipeline(PROMPT, num_images_per_prompt=count, num_inference_steps=STEPS, guidance_scale=GUIDANCE)


def seconds(work: Callable[[], None], *, repeats: int = 7) -> float:
    """Median wall time after one run to warm up."""
    work()
    times = []
    for _ in range(repeats):
        start = time.perf_counter()
        work()
        times.append(time.perf_counter() - start)
    return statistics.median(times)


def lora_step(pipeline: Any) -> float:
    """Forward, backward and one step of AdamW on rank-16 adapters of every attention projection."""
    unet = pipeline.unet.requires_grad_(False)
    unet.add_adapter(LoraConfig(r=16, lora_alpha=16, target_modules=["to_q", "to_k", "to_v", "to_out.0"]))
    optimizer = torch.optim.AdamW([p for p in unet.parameters() if p.requires_grad], lr=1e-4, fused=True)
    clean, sigmas = torch.randn(4, unet.config.in_channels, 16, 16), torch.full((4,), 0.5)
    text = torch.randn(4, pipeline.tokenizer.model_max_length, unet.config.cross_attention_dim)

    def step() -> None:
        noisy = add_noise(clean, torch.randn_like(clean), sigmas)
        velocity_loss(unet(noisy, sigmas * 1000, text).sample, clean, sigmas).mean().backward()
        optimizer.step()
        optimizer.zero_grad()

    return seconds(step)


if __name__ == "__main__":
    sys.exit(main())
