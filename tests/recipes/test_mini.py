"""The recipe of portrait-mini with its tiny configuration: pictures to a folder that stock pipelines draw from."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="needs portraitist[diffusion]")
pytest.importorskip("diffusers", reason="needs portraitist[diffusion]")

from portraitist.diffusion.captions import FaceFacts
from portraitist.errors import InputError
from portraitist.types import Image
from recipes.mini.config import TINY
from recipes.mini.pack import Pack, load_pack, person_weights, save_pack
from recipes.mini.prepare import Source, prepare
from recipes.mini.samples import AheadSampler, Sampler

ROOT = Path(__file__).parents[2]
QUIET = {"OMP_NUM_THREADS": "1", "PYTHONPATH": str(ROOT / "src"), "HF_HUB_OFFLINE": "1"}


def mini(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "recipes.mini", *arguments, "--config", "tiny"]


def run_mini(*arguments: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, **QUIET}
    return subprocess.run(mini(*arguments), cwd=ROOT, env=environment, capture_output=True, text=True, check=False)


@pytest.fixture(scope="module")
def faces(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Six square crops around two public-domain faces, and one picture of nothing."""
    import matplotlib
    import skimage.data

    folder = tmp_path_factory.mktemp("faces")
    hopper = cv2.imread(str(Path(matplotlib.get_data_path()) / "sample_data" / "grace_hopper.jpg"))
    collins = np.ascontiguousarray(skimage.data.astronaut()[..., ::-1])
    crops = [collins[y : y + 200, x : x + 200] for x, y in ((125, 0), (110, 5), (140, 10))]
    crops += [hopper[y : y + 330, x : x + 330] for x, y in ((90, 20), (100, 40), (80, 30))]
    for number, crop in enumerate(crops):
        cv2.imwrite(str(folder / f"face{number}.png"), cv2.resize(crop, (128, 128), interpolation=cv2.INTER_AREA))
    cv2.imwrite(str(folder / "wall.png"), np.full((128, 128, 3), 90, np.uint8))
    return folder


def test_from_pictures_to_a_drawing(faces: Path, tmp_path: Path) -> None:
    """prepare, 20 steps with a kill in the middle, controls, export, load by stock pipelines, draw."""
    run = tmp_path / "run"
    done = run_mini("prepare", "--run", str(run), "--images", str(faces))
    assert done.returncode == 0, done.stderr
    assert "wall.png" in done.stdout
    assert len(load_pack(run / "pack.npz")) == 6
    assert run_mini("autoencoder", "--run", str(run)).returncode == 0
    endless = mini("base", "--run", str(run), "--sheet-every", "5", "--steps", "100000")
    kill_after_a_checkpoint(endless, run / "base")
    done = run_mini("base", "--run", str(run), "--sheet-every", "5", "--steps", "20")
    assert done.returncode == 0, done.stderr
    assert run_mini("controls", "--run", str(run), "--sheet-every", "2", "--steps", "2").returncode == 0
    done = run_mini("export", "--run", str(run))
    assert done.returncode == 0, done.stderr
    assert_pipelines_draw(run / "portrait-mini")
    shutil.rmtree(run / "control-mesh")
    start = ("--start", str(run / "portrait-mini"), "--control", "mesh")
    done = run_mini("controls", "--run", str(run), "--sheet-every", "2", "--steps", "4", *start)
    assert done.returncode == 0, done.stderr


def kill_after_a_checkpoint(command: list[str], folder: Path) -> None:
    """Kill -9 as soon as there is a first checkpoint; what is left must be of use."""
    with subprocess.Popen(command, cwd=ROOT, env={**os.environ, **QUIET}, stdout=subprocess.DEVNULL) as process:
        while not list(folder.glob("checkpoint-*")):
            assert process.poll() is None
        os.kill(process.pid, signal.SIGKILL)


def assert_pipelines_draw(folder: Path) -> None:
    """Text, image, control: each stock pipeline draws 32 x 32 pixels in two steps, without a word on the screen."""
    from diffusers import (
        StableDiffusionControlNetImg2ImgPipeline,
        StableDiffusionControlNetPipeline,
        StableDiffusionImg2ImgPipeline,
        StableDiffusionPipeline,
    )
    from PIL import Image as Pillow

    from portraitist.diffusion.lean_controlnet import LeanControlNet
    from portraitist.diffusion.patch_autoencoder import PatchAutoencoder

    pipeline = StableDiffusionPipeline.from_pretrained(folder)
    assert isinstance(pipeline.vae, PatchAutoencoder)
    control = LeanControlNet.from_pretrained(folder / "controlnet_mesh")
    parts, few = {**pipeline.components, "requires_safety_checker": False}, {"num_inference_steps": 2}
    picture = Pillow.fromarray(np.full((32, 32, 3), 128, np.uint8))
    steered = {"controlnet": control}
    drawn = [
        pipeline("portrait, smiling", **few),
        StableDiffusionImg2ImgPipeline(**parts)("portrait", image=picture, strength=1.0, **few),
        StableDiffusionControlNetPipeline(**parts, **steered)("portrait", image=picture, **few),
        StableDiffusionControlNetImg2ImgPipeline(**parts, **steered)(
            "portrait", image=picture, control_image=picture, strength=1.0, **few
        ),
    ]
    for result in drawn:
        image = np.asarray(result.images[0])
        assert image.shape == (32, 32, 3)
        assert image.std() > 0


def test_too_little_data_is_said(faces: Path, tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "recipes.mini", "prepare", "--images", str(faces), "--run", str(tmp_path)],
        cwd=ROOT, env={**os.environ, **QUIET}, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 2
    assert "6 of 7 pictures show a face; expected at least 200" in done.stderr


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("prepare",), "neither --data nor --images"),
        (("prepare", "--images", "nowhere"), "nowhere"),
        (("autoencoder",), "no data pack"),
        (("base",), "no data pack"),
        (("export",), "no data pack"),
    ],
)
def test_a_stage_without_its_input_says_what_to_do(arguments: tuple[str, ...], said: str, tmp_path: Path) -> None:
    done = run_mini(*arguments, "--run", str(tmp_path))
    assert done.returncode == 2
    assert said in done.stderr


def test_a_picture_that_is_not_square_is_refused(tmp_path: Path) -> None:
    cv2.imwrite(str(tmp_path / "wide.png"), np.zeros((64, 128, 3), np.uint8))
    with pytest.raises(InputError, match="expected a square"):
        prepare([Source(tmp_path / "wide.png", "wide", "wide", {})], 48, workers=1)


def test_a_run_can_begin_from_an_exported_folder(tmp_path: Path) -> None:
    from portraitist.diffusion.patch_autoencoder import PatchAutoencoder
    from portraitist.diffusion.vocabulary_tokenizer import build_tokenizer
    from recipes.mini.base import load_average, save_average
    from recipes.mini.export import build_pipeline, export
    from recipes.mini.networks import TextToLatents

    tokenizer = build_tokenizer(TINY.text.max_tokens)
    made, from_folder, from_file = (TextToLatents(TINY, tokenizer) for _ in range(3))
    save_average(made, tmp_path / "average.safetensors")
    export(build_pipeline(TINY, made, PatchAutoencoder(latent_channels=TINY.latent_channels)), tmp_path / "folder")
    load_average(from_folder, tmp_path / "folder")
    load_average(from_file, tmp_path / "average.safetensors")
    for one, other in zip(from_folder.parameters(), from_file.parameters(), strict=True):
        assert torch.equal(one, other)
    (tmp_path / "other.safetensors").write_bytes(
        (tmp_path / "folder/vae/diffusion_pytorch_model.safetensors").read_bytes()
    )
    with pytest.raises(InputError, match="is it of this model"):
        load_average(from_file, tmp_path / "other.safetensors")


def toy_pack(count: int = 6) -> Pack:
    random = np.random.default_rng(0)
    images = random.integers(0, 255, (count, 48, 48, 3)).astype(np.uint8)
    landmarks = random.uniform(0.3, 0.7, (count, 468, 2)).astype(np.float32)
    facts = tuple(FaceFacts(face_share=0.55, yaw=20.0, smile=0.9, light_x=-15.0) for _ in range(count))
    people = ("a", "b", *(["c"] * (count - 2)))
    return Pack(images, landmarks, facts, person_weights(people), tuple(map(str, range(count))), people)


def test_a_pack_comes_back(tmp_path: Path) -> None:
    pack = toy_pack()
    again = load_pack(save_pack(tmp_path / "pack.npz", pack))
    assert again.facts == pack.facts
    assert again.names == pack.names
    np.testing.assert_allclose(again.landmarks, pack.landmarks, atol=1 / 4096)
    assert again.images.shape == pack.images.shape
    assert len(again.digest) == 64


@pytest.mark.parametrize("damage", [b"", b"no zip", None])
def test_a_damaged_pack_is_refused(tmp_path: Path, damage: bytes | None) -> None:
    path = save_pack(tmp_path / "pack.npz", toy_pack())
    path.write_bytes(path.read_bytes()[:-500] if damage is None else damage)
    with pytest.raises(InputError, match="not a data pack"):
        load_pack(path)


def test_every_person_is_drawn_as_often() -> None:
    pack = toy_pack(12)
    np.testing.assert_allclose(pack.weights.sum(), 3)
    sampler = Sampler(replace(pack, images=_numbered(pack)), replace(TINY.data, crop_share=0, flip_share=0), 48, 1)
    drawn = [sample.image[0, 0, 0] for step in range(60) for sample in sampler.batch(step, 16)]
    counts = np.bincount(drawn, minlength=12)
    assert abs(counts[0] / len(drawn) - 1 / 3) < 0.06
    assert abs(counts[2:].sum() / len(drawn) - 1 / 3) < 0.06


def _numbered(pack: Pack) -> Image:
    return np.arange(len(pack), dtype=np.uint8)[:, None, None, None] * np.ones((1, 48, 48, 3), np.uint8)


def test_batches_drawn_ahead_are_the_same() -> None:
    sampler = Sampler(toy_pack(), TINY.data, 32, 7)
    ahead = AheadSampler(Sampler(toy_pack(), TINY.data, 32, 7), 4, ahead=3, workers=2)
    for step, size in ((0, 4), (1, 4), (1, 2), (2, 4)):
        for a, b in zip(sampler.batch(step, size), ahead.batch(step, size), strict=True):
            assert a.caption == b.caption
            np.testing.assert_array_equal(a.image, b.image)


def test_a_mirrored_sample_has_a_mirrored_caption() -> None:
    always = replace(TINY.data, flip_share=1.0, phrase_share=1.0, empty_share=0.0, crop_share=0.0)
    for sample in Sampler(toy_pack(), always, 48, 1).batch(0, 8):
        assert "turned left" in sample.caption
        assert "lit from the right" in sample.caption


def test_a_batch_depends_on_seed_and_step_alone() -> None:
    one, other = (Sampler(toy_pack(), TINY.data, 32, 7) for _ in range(2))
    other.batch(0, 5)
    for a, b in zip(one.batch(3, 5), other.batch(3, 5), strict=True):
        assert a.caption == b.caption
        np.testing.assert_array_equal(a.image, b.image)
        np.testing.assert_array_equal(a.landmarks, b.landmarks)
