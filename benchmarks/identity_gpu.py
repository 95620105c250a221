"""Speed and memory of identity on a GPU: random weights of the real sizes, the product's own trainer and engines.

    python -m benchmarks.identity_gpu --device cuda            # needs about 24 GB; --bases sd15 for less
    python -m benchmarks.identity_gpu --tiny                   # the same path on tiny models, on the CPU, in seconds

From the repository's root; no weights are fetched and no face is read, so it runs offline. Where only torch is
installed, put the other packages into a folder first and name it: `pip install --target FOLDER --no-deps diffusers
transformers peft accelerate huggingface_hub safetensors tokenizers`, then `PYTHONPATH=src:FOLDER`.

Learning is timed over `--steps` steps after a few to warm up, and scaled to the whole training: the steps are alike,
but saving, validation portraits and fusion are not in it. Memory is the most torch has allocated on the device.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch

from benchmarks.identity_gpu_models import BASES, real_pipeline
from benchmarks.identity_gpu_template import portrait_of_noise, real_painters
from portraitist.diffusion.base_row import Base
from portraitist.diffusion.bases import find_base
from portraitist.diffusion.denoisers import denoiser_of
from portraitist.generate.config import DrawConfig
from portraitist.generate.text import TextEngine
from portraitist.identity.config import IdentityConfig
from portraitist.identity.dataset import TrainingPhoto
from portraitist.identity.memory import Memory
from portraitist.identity.trainee import LoraTrainee
from portraitist.tasks.train import lora_settings
from portraitist.training.config import LoopConfig
from portraitist.training.loop import Pace, run
from tests.diffusion.tiny_bases import CALL, IMAGE_SIDE, tiny_pipeline
from tests.diffusion.tiny_painters import tiny_painters

WHOLE = 800
"""Steps of a training whose time is scaled from the timed ones."""
WARM_UP_STEPS = 3
CANDIDATES = 16
PROMPT = "portrait, smiling, dark background"


@dataclass(frozen=True)
class Line:
    """One line of the table. value: as printed. target: of the project, where it has one."""

    what: str
    value: str
    target: str = ""


@dataclass(frozen=True)
class Bench:
    """device: of the pipelines. is_tiny: tiny models stand in. steps: timed ones."""

    device: str
    is_tiny: bool
    steps: int

    def pipeline(self, name: str) -> Any:
        """The base's text pipeline, new."""
        return tiny_pipeline(name) if self.is_tiny else real_pipeline(name, self.device)

    def side(self, base: Base) -> int:
        """Pixels a picture of the base has."""
        return IMAGE_SIDE[base.name] if self.is_tiny else base.resolution

    def options(self, base: Base) -> dict[str, Any]:
        """What a tiny pipeline's call needs besides."""
        return CALL.get(base.name, {}) if self.is_tiny else {}

    def seconds(self, work: Callable[[], Any]) -> float:
        """Wall time of the work, the device's queue emptied before and after."""
        self._wait()
        started = time.perf_counter()
        work()
        self._wait()
        return time.perf_counter() - started

    def peak(self) -> str:
        """Most memory allocated since `forget`, as printed."""
        if not self.device.startswith("cuda"):
            return "peak not measured on this device"
        return f"peak {torch.cuda.max_memory_allocated(self.device) / 1e9:.2f} GB"

    def forget(self) -> None:
        """Begin a new peak."""
        if self.device.startswith("cuda"):
            torch.cuda.empty_cache()
            torch.cuda.reset_peak_memory_stats(self.device)

    def _wait(self) -> None:
        if self.device.startswith("cuda"):
            torch.cuda.synchronize(self.device)


def main() -> None:
    """Print the table, line by line as it is measured."""
    args = _parser().parse_args()
    bench = Bench("cpu" if args.tiny else args.device, args.tiny, args.steps)
    print(f"torch {torch.__version__}, {_named(bench)}, steps timed: {bench.steps}", flush=True)
    print("| what | measured | target |\n|---|---|---|", flush=True)
    for line in lines(bench, args.bases):
        print(f"| {line.what} | {line.value} | {'' if bench.is_tiny else line.target} |", flush=True)


def lines(bench: Bench, bases: Sequence[str]) -> Iterator[Line]:
    """Every measure of the named bases."""
    if "sd15" in bases:
        yield from _sd15(bench)
    for name in ("sdxl", "flux2-klein-4b"):
        if name in bases:
            yield from _large(bench, name)


def _sd15(bench: Bench) -> Iterator[Line]:
    """Learning first: candidates and portraits are drawn with the LoRA on, as a sitter's are."""
    base, pipeline = find_base("sd15"), bench.pipeline("sd15")
    step, peak = learn(bench, base, pipeline, "12gb")
    value = f"{WHOLE * step:.0f} s, {1000 * step:.0f} ms a step; {peak}"
    what = f"sd15: LoRA, {WHOLE} steps (scaled from {bench.steps}), accumulation 4, preset 12gb"
    yield Line(what, value, "180 s, 9 GB")
    yield _candidates(bench, base, pipeline)
    yield _two_pass(bench, base, pipeline)


def _candidates(bench: Bench, base: Base, pipeline: Any) -> Line:
    side = bench.side(base)
    options = {**bench.options(base), "height": side, "width": side}
    engine = TextEngine(pipeline, DrawConfig(batch=CANDIDATES), 20, 7.0, options=options)
    prompts = [PROMPT] * CANDIDATES
    bench.forget()
    engine.draw(prompts, "", 0)
    seconds = bench.seconds(lambda: engine.draw(prompts, "", 1))
    value = f"{CANDIDATES / seconds:.1f} a second; {bench.peak()}"
    return Line(f"sd15: candidates, 20 steps, {side} px, guidance 7, batch {CANDIDATES}", value, "6 a second")


def _two_pass(bench: Bench, base: Base, pipeline: Any) -> Line:
    side = bench.side(base)
    painters = tiny_painters(base.name) if bench.is_tiny else real_painters(base, pipeline)
    paint = portrait_of_noise(painters, side, 2 * side)
    bench.forget()
    paint()
    seconds = bench.seconds(paint)
    return Line(
        f"sd15: two passes, {side} px in a template of {2 * side} px", f"{seconds:.2f} s; {bench.peak()}", "2 s"
    )


def _large(bench: Bench, name: str) -> Iterator[Line]:
    """One image and one step of learning."""
    base, pipeline = find_base(name), bench.pipeline(name)
    side, sampling = bench.side(base), base.sampling
    options = {**bench.options(base), "height": side, "width": side}
    engine = TextEngine(pipeline, DrawConfig(batch=1), sampling.num_steps, sampling.guidance_scale, options=options)
    bench.forget()
    engine.draw([PROMPT], "", 0)
    seconds = bench.seconds(lambda: engine.draw([PROMPT], "", 1))
    yield Line(f"{name}: one image, {sampling.num_steps} steps, {side} px", f"{seconds:.2f} s; {bench.peak()}")
    step, peak = learn(bench, base, pipeline, "24gb")
    yield Line(f"{name}: one step of learning, {side} px, preset 24gb", f"{step:.2f} s; {peak}")


def learn(bench: Bench, base: Base, pipeline: Any, preset: str) -> tuple[float, str]:
    """Seconds a step of the optimiser on four photos of noise, and the peak memory, as printed."""
    config, chosen = IdentityConfig(), base.preset(preset)
    bench.forget()
    denoiser, memory = denoiser_of(pipeline, bench.options(base)), Memory(pipeline, chosen, bench.device)
    lora = lora_settings(base, config, chosen)
    trainee = LoraTrainee(denoiser, photos(bench.side(base)), lora, config, base.name, memory=memory)
    loop = LoopConfig(
        learning_rate=trainee.lora.learning_rate, warm_up=10, decay_after=0, beta2=0.999, ema_width=0,
        accumulation=base.training.accumulation, seed=config.seed,
    )  # fmt: skip
    with tempfile.TemporaryDirectory() as folder:
        walk = partial(run, trainee, Path(folder), loop, build_optimizer=memory.build_optimizer)
        walk(pace=Pace(WARM_UP_STEPS, save_every=0))
        seconds = bench.seconds(lambda: walk(pace=Pace(bench.steps, save_every=0)))
    trainee.module.eval()
    return seconds / bench.steps, bench.peak()


def photos(side: int, count: int = 4) -> list[TrainingPhoto]:
    """Photos of noise, every pixel counting."""
    rng = np.random.default_rng(0)
    pictures = [rng.integers(0, 256, (side, side, 3), np.uint8) for _ in range(count)]
    return [TrainingPhoto(image, np.ones((side, side), np.float32), PROMPT, str(i)) for i, image in enumerate(pictures)]


def _named(bench: Bench) -> str:
    name = torch.cuda.get_device_name(bench.device) if bench.device.startswith("cuda") else "CPU"
    return f"{name}, {'tiny stand-ins' if bench.is_tiny else 'random weights of the real sizes, bfloat16'}"


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--device", default="cuda")
    parser.add_argument("--tiny", action="store_true", help="tiny models on the CPU: whether it runs, not how fast")
    parser.add_argument("--bases", nargs="+", choices=BASES, default=BASES)
    parser.add_argument("--steps", type=int, default=20, help="steps of learning that are timed")
    return parser


if __name__ == "__main__":
    sys.exit(main())
