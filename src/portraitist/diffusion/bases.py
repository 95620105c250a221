"""The bases: which models portraits are drawn with, and what is known about each before anything is loaded.

Repository names and licences: model cards on the hub, read in November 2026. No revision is written here, as none was
read from a downloaded file: the first download stores the one it got (`bases_files`).
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from portraitist.diffusion.base_row import (
    PRESETS,
    Base,
    LoraTarget,
    Pipelines,
    Preset,
    Sampling,
    Training,
)
from portraitist.diffusion.bases_local import read_family
from portraitist.errors import InputError

ATTENTION = ("to_q", "to_k", "to_v", "to_out.0")
CLIP_ATTENTION = ("q_proj", "k_proj", "v_proj", "out_proj")
"""The projections peft's and diffusers' own DreamBooth scripts give LoRA to."""
FEED_FORWARD = ("ff.net.0.proj", "ff.net.2")
CONVOLUTIONS = ("conv1", "conv2", "conv_shortcut")

OPEN_RAIL = "using it means agreeing to the use restrictions in the licence's attachment A"

_SD15_SWITCHES = (
    Preset("cpu", "float32", gradient_checkpointing=True, cached_text=True, rank=16),
    Preset("8gb", "bfloat16", gradient_checkpointing=True, eight_bit_optimizer=True, cached_text=True,
           offload="model", rank=16),
    Preset("12gb", "bfloat16"),
    Preset("16gb", "bfloat16"),
    Preset("24gb", "bfloat16"),
)  # fmt: skip
_SDXL_SWITCHES = (
    Preset("cpu", "float32", gradient_checkpointing=True, cached_text=True, rank=16),
    Preset("8gb", "bfloat16", gradient_checkpointing=True, eight_bit_optimizer=True, cached_text=True,
           offload="model", rank=8),
    Preset("12gb", "bfloat16", gradient_checkpointing=True, eight_bit_optimizer=True, cached_text=True, rank=16),
    Preset("16gb", "bfloat16", gradient_checkpointing=True, cached_text=True),
    Preset("24gb", "bfloat16", cached_text=True),
)  # fmt: skip
_LARGE_SWITCHES = (
    Preset("cpu", "float32", gradient_checkpointing=True, cached_text=True, rank=16),
    Preset("8gb", "bfloat16", gradient_checkpointing=True, eight_bit_optimizer=True, cached_text=True,
           offload="sequential", rank=8),
    Preset("12gb", "bfloat16", gradient_checkpointing=True, eight_bit_optimizer=True, cached_text=True,
           offload="model", rank=8),
    Preset("16gb", "bfloat16", gradient_checkpointing=True, eight_bit_optimizer=True, cached_text=True,
           offload="model", rank=16),
    Preset("24gb", "bfloat16", gradient_checkpointing=True, cached_text=True, offload="model"),
)  # fmt: skip

_SD_FOLDERS = ("scheduler", "text_encoder", "tokenizer", "unet", "vae")
_DIT_FOLDERS = ("scheduler", "text_encoder", "tokenizer", "transformer", "vae")

_MINI = Base(
    name="mini",
    family="mini",
    repository=None,  # weights of this project: row 'portrait-mini' of `portraitist weights`
    modelscope=None,
    revision=None,
    licence="CC-BY-NC-SA-4.0",
    resolution=128,
    prediction="flow-sample",
    pipelines=Pipelines(
        text="StableDiffusionPipeline",
        image="StableDiffusionImg2ImgPipeline",
        # Inside a mask: `masking.paint_inside`, as the stock inpaint pipelines refuse 64 channels or ignore the mask.
        control="StableDiffusionControlNetPipeline",
        control_image="StableDiffusionControlNetImg2ImgPipeline",
    ),
    # Half of its weights are convolutions: attention alone hardly learns a sitter (docs/identity.md, "Measured").
    lora=(
        LoraTarget("unet", (*ATTENTION, *FEED_FORWARD, *CONVOLUTIONS)),
        LoraTarget("text_encoder", CLIP_ATTENTION),
    ),
    # A single photo learned for longer is all that it still draws, whatever the words.
    training=Training(16, 16, 1e-3, 5e-4, resolution=128, steps_per_photo=60, most_steps=240, accumulation=1, batch=4),
    # Against 20 steps: a face found in 16 of 16, the same distance to the sitter (0.70), 0.26 s a portrait for 0.67.
    fast_sampling=Sampling(8, 2.5),
    # Guidance: with a sitter's LoRA words need more of it than without (1.4, recipes/mini/sampling.py).
    # Painting over a picture it sharpens with every step at little noise, where its training did not weigh: one step
    # leaves skin, twenty burn it, and rings speckle (docs/identity.md).
    sampling=Sampling(20, 2.5, painted_steps=1, ring_denoise=0.0, paints_difference=True),
    presets=tuple(Preset(name) for name in PRESETS),
    terms="marked nc: what it makes is not for commercial use; 'portraitist weights accept-nc' says so once",
    note="built in; runs on a CPU",
)
_SD15 = Base(
    name="sd15",
    family="sd15",
    repository="stable-diffusion-v1-5/stable-diffusion-v1-5",
    modelscope="AI-ModelScope/stable-diffusion-v1-5",
    revision=None,
    licence="CreativeML-OpenRAIL-M",
    resolution=512,
    prediction="epsilon",
    pipelines=Pipelines(
        text="StableDiffusionPipeline",
        image="StableDiffusionImg2ImgPipeline",
        inpaint="StableDiffusionInpaintPipeline",
        control="StableDiffusionControlNetPipeline",
        control_image="StableDiffusionControlNetImg2ImgPipeline",
        control_inpaint="StableDiffusionControlNetInpaintPipeline",
    ),
    lora=(LoraTarget("unet", ATTENTION), LoraTarget("text_encoder", CLIP_ATTENTION)),
    # The defaults of the two systems this project follows.
    training=Training(128, 64, 1e-4, 5e-5, resolution=512, steps_per_photo=200, most_steps=800),
    sampling=Sampling(20, 7.0),
    presets=_SD15_SWITCHES,
    variant="fp16",
    folders=_SD_FOLDERS,
    terms=OPEN_RAIL,
)
_SDXL = Base(
    name="sdxl",
    family="sdxl",
    repository="stabilityai/stable-diffusion-xl-base-1.0",
    modelscope="AI-ModelScope/stable-diffusion-xl-base-1.0",
    revision=None,
    licence="CreativeML-OpenRAIL++-M",
    resolution=1024,
    prediction="epsilon",
    pipelines=Pipelines(
        text="StableDiffusionXLPipeline",
        image="StableDiffusionXLImg2ImgPipeline",
        inpaint="StableDiffusionXLInpaintPipeline",
        control="StableDiffusionXLControlNetPipeline",
        control_image="StableDiffusionXLControlNetImg2ImgPipeline",
        control_inpaint="StableDiffusionXLControlNetInpaintPipeline",
    ),
    lora=(
        LoraTarget("unet", ATTENTION),
        LoraTarget("text_encoder", CLIP_ATTENTION),
        LoraTarget("text_encoder_2", CLIP_ATTENTION),
    ),
    # Rate, accumulation, resolution and text encoders left alone: diffusers, train_dreambooth_lora_sdxl. Its rank 4 is
    # for objects; 32 is what the Z-Image and FLUX.2 recipes below give a face.
    training=Training(32, 32, 1e-4, 0.0, resolution=1024, steps_per_photo=200, most_steps=1000),
    sampling=Sampling(30, 5.0),  # guidance: the pipeline's default
    presets=_SDXL_SWITCHES,
    variant="fp16",
    folders=("scheduler", "text_encoder", "text_encoder_2", "tokenizer", "tokenizer_2", "unet", "vae"),
    terms=OPEN_RAIL,
)
_KLEIN = Base(
    name="flux2-klein-4b",
    family="flux2-klein-4b",
    repository="black-forest-labs/FLUX.2-klein-4B",
    modelscope="black-forest-labs/FLUX.2-klein-4B",
    revision=None,
    licence="Apache-2.0",
    resolution=1024,
    prediction="flow-velocity",
    # No image-to-image: its text pipeline takes pictures as references instead, its inpaint one paints a mask.
    pipelines=Pipelines(text="Flux2KleinPipeline", inpaint="Flux2KleinInpaintPipeline"),
    lora=(
        LoraTarget(
            "transformer", (*ATTENTION, "add_q_proj", "add_k_proj", "add_v_proj", "to_add_out", "to_qkv_mlp_proj")
        ),
    ),
    # A face on klein 4B: rank 32, alpha 32, 2e-4, 800 to 1200 steps (stephen37/workshops, "Mechanics of LoRA
    # fine-tuning for FLUX.2 [klein] Base").
    training=Training(32, 32, 2e-4, 0.0, resolution=1024, steps_per_photo=200, most_steps=1000, accumulation=1),
    sampling=Sampling(4, 1.0, painted_steps=4),  # distilled to 4 steps; guidance is ignored
    presets=_LARGE_SWITCHES,
    folders=_DIT_FOLDERS,
    note="distilled; its makers advise learning on black-forest-labs/FLUX.2-klein-base-4B: give that folder to --base",
)  # fmt: skip
_Z_IMAGE = Base(
    name="z-image",
    family="z-image",
    repository="Tongyi-MAI/Z-Image",
    modelscope="Tongyi-MAI/Z-Image",
    revision=None,
    licence="Apache-2.0",
    resolution=1024,
    prediction="flow-velocity",
    pipelines=Pipelines(
        text="ZImagePipeline",
        image="ZImageImg2ImgPipeline",
        inpaint="ZImageInpaintPipeline",
        control="ZImageControlNetPipeline",
        control_inpaint="ZImageControlNetInpaintPipeline",
    ),
    lora=(LoraTarget("transformer", (*ATTENTION, "feed_forward.w1", "feed_forward.w2", "feed_forward.w3")),),
    # A face on Z-Image: rank 32, alpha 32, 1e-4 (malcolmrey/various, zimage_base_template.yaml); 2000 steps
    # (Tongyi-MAI/Z-Image issue 36).
    training=Training(32, 32, 1e-4, 0.0, resolution=1024, steps_per_photo=200, most_steps=2000, accumulation=1),
    sampling=Sampling(50, 5.0),  # the pipeline's defaults
    presets=_LARGE_SWITCHES,
    folders=_DIT_FOLDERS,
)
_Z_IMAGE_TURBO = replace(
    _Z_IMAGE,
    name="z-image-turbo",
    repository="Tongyi-MAI/Z-Image-Turbo",
    modelscope="Tongyi-MAI/Z-Image-Turbo",
    sampling=Sampling(8, 0.0, painted_steps=8),  # diffusers pull request 13730 and the pipeline's own example
    note="distilled; learn on z-image, a LoRA of the one loads into the other",
)
BASES = {base.name: base for base in (_MINI, _SD15, _SDXL, _KLEIN, _Z_IMAGE, _Z_IMAGE_TURBO)}


def find_base(name_or_path: str | Path) -> Base:
    """The row of that name, or one made for a local diffusers folder or a single .safetensors checkpoint.

    Raises InputError when it is neither, or a model of another family.

    >>> find_base("sd15").resolution
    512
    """
    if str(name_or_path) in BASES:
        return BASES[str(name_or_path)]
    path = Path(name_or_path).expanduser()
    if not path.exists():
        raise InputError(
            f"base '{name_or_path}': expected one of {', '.join(BASES)}, a diffusers folder or a .safetensors "
            "checkpoint; found no such row and no such path"
        )
    return _local_base(path)


def _local_base(path: Path) -> Base:
    """The family's row with another name, so that nothing learned on the one is taken for the other's."""
    found = read_family(path)
    row = BASES[found.row]
    # The model FLUX.2 klein was distilled from is of the same class but wants these (the pipeline's defaults).
    sampling = row.sampling if found.is_distilled else Sampling(50, 4.0)
    is_ours = row.repository is None
    return replace(
        row,
        name=f"local-{path.stem if path.is_file() else path.resolve().name}",
        repository=None,
        modelscope=None,
        licence=row.licence if is_ours else "unknown, a local model",
        sampling=sampling,
        terms=row.terms if is_ours else "",
        note=f"local, like {row.name}",
        path=path.resolve(),
    )


def smaller_preset(base: Base, name: str) -> Preset | None:
    """The next smaller preset that switches something else: what to try when memory ran out. None below the smallest.

    >>> smaller_preset(BASES["sd15"], "24gb").name
    '8gb'
    """
    asked = base.preset(name)
    for preset in reversed(base.presets[: base.presets.index(asked)]):
        if replace(preset, name=asked.name) != asked:
            return preset
    return None
