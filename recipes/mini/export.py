"""Write the folder that diffusers loads: every part in its place, tensors in half precision, one digest each."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path

from diffusers import StableDiffusionPipeline

import portraitist.training
from portraitist.diffusion.flow import flow_scheduler
from portraitist.diffusion.lean_controlnet import LeanControlNet
from portraitist.diffusion.patch_autoencoder import PatchAutoencoder
from portraitist.diffusion.vocabulary_tokenizer import build_tokenizer
from portraitist.library import write_atomic, write_json
from portraitist.weight_folders import LIST, ListedFile, write_list
from recipes.mini.config import MiniConfig
from recipes.mini.networks import TextToLatents

CARD = Path(__file__).parent / "card.md"
FAILURES = Path(__file__).parent / "failures.md"
"""What was seen on the sheets of the exported weights; written by whoever looked."""


def build_pipeline(
    config: MiniConfig, networks: TextToLatents, autoencoder: PatchAutoencoder
) -> StableDiffusionPipeline:
    """The stock text-to-image pipeline around the trained parts."""
    return StableDiffusionPipeline(
        vae=autoencoder,
        text_encoder=networks.text_encoder,
        tokenizer=build_tokenizer(config.text.max_tokens),
        unet=networks.unet,
        scheduler=flow_scheduler(),
        safety_checker=None,
        feature_extractor=None,
        requires_safety_checker=False,
    )


def export(pipeline: StableDiffusionPipeline, folder: Path) -> Path:
    """Save the base in half precision; the autoencoder's small tables stay float32."""
    pipeline.unet.half()
    pipeline.text_encoder.half()
    pipeline.save_pretrained(folder, safe_serialization=True)
    _load_in_full(folder / "text_encoder" / "config.json")
    for path in folder.glob("*/config.json"):
        _forget_origin(path)
    return folder


def export_control(control: LeanControlNet, folder: Path, name: str) -> Path:
    """Save one control as `controlnet_NAME` beside the base."""
    control.half().save_pretrained(folder / f"controlnet_{name}", safe_serialization=True)
    return folder / f"controlnet_{name}"


def _load_in_full(config_path: Path) -> None:
    """Half precision is how it travels; transformers would otherwise compute in it, which a CPU does slowly."""
    config = json.loads(config_path.read_text())
    config["dtype"] = "float32"
    write_json(config_path, config)


def _forget_origin(config_path: Path) -> None:
    """diffusers notes the folder a part was read from: a path of the machine that trained."""
    config = json.loads(config_path.read_text())
    if config.pop("_name_or_path", None) is not None:
        write_json(config_path, config)


def write_digests(folder: Path) -> tuple[ListedFile, ...]:
    """digests.json of every file that a pipeline reads; the card beside them may grow later."""
    files = [path for path in folder.rglob("*") if path.is_file() and path.suffix in (".json", ".safetensors")]
    return write_list(folder, [path for path in files if path.name != LIST])


def recipe_digest() -> str:
    """sha256 over the recipe's and the training loop's source, file after file: which code made the weights."""
    total = hashlib.sha256()
    for folder in (Path(__file__).parent, Path(portraitist.training.__file__).parent):
        for path in sorted(folder.glob("*.py")):
            total.update(path.name.encode() + path.read_bytes())
    return total.hexdigest()


def hours_trained(log: Path) -> float:
    """Over all sittings of a run: the clock of each begins anew in its log."""
    seconds = [json.loads(line)["seconds"] for line in log.read_text().splitlines()]
    ends = [a for a, b in zip(seconds, [*seconds[1:], 0.0], strict=True) if b < a]
    return sum(ends) / 3600


def write_card(folder: Path, figures: Path, facts: Mapping[str, object]) -> Path:
    """README.md of the weights: card.md with the facts and the table of figures put in; the sheet beside it."""
    table = figures / "table.md"
    measured = table.read_text() if table.is_file() else "not measured yet\n"
    text = CARD.read_text().format(table=measured, failures=FAILURES.read_text().strip(), **facts)
    sheet = figures / "samples.jpg"
    if sheet.is_file():
        write_atomic(folder / sheet.name, sheet.read_bytes())
    return write_atomic(folder / "README.md", text.encode())
