"""LoRA files: the same numbers out and in on every base, the same answers in diffusers, a word for every bad file."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

torch = pytest.importorskip("torch", reason="needs portraitist[diffusion]")
pytest.importorskip("diffusers", reason="needs portraitist[diffusion]")
peft = pytest.importorskip("peft", reason="needs portraitist[diffusion]")

from diffusers import StableDiffusionPipeline
from diffusers.loaders import lora_conversion_utils
from diffusers.utils import convert_state_dict_to_diffusers, convert_state_dict_to_kohya
from safetensors.torch import load_file, save_file

from portraitist.diffusion.lora import Lora
from portraitist.diffusion.lora_adapters import install, take
from portraitist.diffusion.lora_formats import read_lora, read_metadata, write_kohya, write_lora
from portraitist.diffusion.lora_names import kohya_name, path_of, peft_name
from portraitist.errors import InputError
from tests.diffusion.lora_samples import BASES, assert_same, outputs, random_lora
from tests.diffusion.tiny_bases import tiny_pipeline

Writer = Callable[[Path, Lora, Mapping[str, str]], Path]
WRITERS = (write_lora, write_kohya)
TO_Q = "down_blocks.1.attentions.0.transformer_blocks.0.attn1.to_q"
FACTS = {
    "base": "sd15",
    "digest": "0" * 64,
    "steps": "400",
    "likeness": "0.41",
    "licence": "Apache-2.0",
    "trigger": "å",
}


@pytest.fixture
def mini() -> Any:
    return tiny_pipeline("mini")


def save(path: Path, tensors: Mapping[str, torch.Tensor], metadata: Mapping[str, str] | None = None) -> Path:
    save_file({name: tensor.contiguous().clone() for name, tensor in tensors.items()}, path, metadata=metadata)
    return path


def peft_tensors(lora: Lora) -> dict[str, torch.Tensor]:
    return {
        f"{peft_name(path)}.lora_{side}.weight": factor
        for path, factors in lora.modules.items()
        for side, factor in zip("AB", factors)
    }


def pair(name: str, down: str = "lora_A", up: str = "lora_B", rank: int = 2) -> dict[str, torch.Tensor]:
    return {f"{name}.{down}.weight": torch.ones(rank, 6), f"{name}.{up}.weight": torch.ones(5, rank)}


@pytest.mark.parametrize("base", BASES)
@pytest.mark.parametrize("write", WRITERS)
@pytest.mark.parametrize("uneven", [False, True])
def test_every_key_and_value_comes_back(base: str, write: Writer, uneven: bool, tmp_path: Path) -> None:
    """And stock diffusers draws from the file what our adapter draws."""
    pipeline, stock = tiny_pipeline(base), tiny_pipeline(base)
    lora = random_lora(pipeline, base, uneven=uneven)
    path = write(tmp_path / "anna.safetensors", lora, FACTS)
    assert_same(read_lora(path), lora)
    assert read_metadata(path) == {"format": "pt", **FACTS}
    install(pipeline, lora, "id")
    stock.load_lora_weights(str(path), adapter_name="id")
    assert (outputs(pipeline) - outputs(stock)).abs().max() < 1e-5


def test_the_keys_of_kohya_are_those_of_stable_diffusion(tmp_path: Path) -> None:
    keys = load_file(write_kohya(tmp_path / "a.safetensors", random_lora(tiny_pipeline("sd15"), "sd15"), {}))
    unet = "lora_unet_down_blocks_0_attentions_0_transformer_blocks_0_attn1_to_out_0"
    text = "lora_te_text_model_encoder_layers_0_self_attn_q_proj"
    for name in (unet, text, "lora_unet_down_blocks_0_downsamplers_0_conv", "lora_unet_conv_in"):
        assert keys[f"{name}.lora_down.weight"].shape[0] == keys[f"{name}.lora_up.weight"].shape[1]
        assert float(keys[f"{name}.alpha"]) == 3
    assert {key.split("_")[1] for key in keys} == {"unet", "te"}


def test_sdxl_s_text_encoders_are_numbered(tmp_path: Path) -> None:
    keys = load_file(write_kohya(tmp_path / "a.safetensors", random_lora(tiny_pipeline("sdxl"), "sdxl"), {}))
    for name in ("lora_te1_text_model_encoder_layers_0_mlp_fc1", "lora_te2_text_model_encoder_layers_0_mlp_fc1"):
        assert f"{name}.lora_up.weight" in keys
    assert {key.split("_")[1] for key in keys} == {"unet", "te1", "te2"}


@pytest.mark.parametrize(
    ("base", "expected"),
    [
        ("flux2-klein-4b", "double_blocks.0.img_attn.qkv double_blocks.0.txt_attn.proj single_blocks.0.linear1 img_in"),
        ("z-image", "layers.1.attention.to_q noise_refiner.0.feed_forward.w1 context_refiner.0.attention.to_out.0"),
    ],
)
def test_transformers_have_the_names_comfyui_has_inside(base: str, expected: str, tmp_path: Path) -> None:
    keys = load_file(write_kohya(tmp_path / "a.safetensors", random_lora(tiny_pipeline(base), base), {}))
    for name in expected.split():
        assert {f"diffusion_model.{name}.lora_A.weight", f"diffusion_model.{name}.lora_B.weight"} <= keys.keys()
    assert all(key.startswith("diffusion_model.") and not key.endswith("alpha") for key in keys)


def test_two_thirds_of_a_fused_weight_come_back_alone(tmp_path: Path) -> None:
    """k was not trained: it is zero in the fused weight and absent again after reading."""
    pipeline = tiny_pipeline("flux2-klein-4b")
    every = random_lora(pipeline, "flux2-klein-4b", uneven=True).modules
    lora = Lora({path: every[path] for path in every if re.search(r"_blocks\.0\.attn\.to_[qv]$", path)})
    assert len(lora.modules) == 2
    assert_same(read_lora(write_kohya(tmp_path / "a.safetensors", lora, {})), lora)


def test_the_same_lora_has_the_same_bytes(mini: Any, tmp_path: Path) -> None:
    lora = random_lora(mini, "mini")
    again = Lora(dict(reversed(list(lora.modules.items()))))
    for write in WRITERS:
        first = write(tmp_path / "a.safetensors", lora, FACTS).read_bytes()
        assert write(tmp_path / "b.safetensors", again, dict(reversed(list(FACTS.items())))).read_bytes() == first
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.safetensors", "b.safetensors"]


def test_metadata_are_text(mini: Any, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="expected text by name, found something else for 'steps'"):
        write_lora(tmp_path / "a.safetensors", random_lora(mini, "mini"), {"steps": 400})  # type: ignore[dict-item]
    assert not list(tmp_path.iterdir())


def test_a_module_without_a_name_is_not_written(tmp_path: Path) -> None:
    for path, message in (
        ("unet.strange_block.0.to_q", "expected"),
        ("transformer.norm_out.linear", "FLUX.2"),
        ("transformer.single_transformer_blocks.0.proj_mlp", "FLUX.1"),
    ):
        with pytest.raises(InputError, match=message):
            write_kohya(tmp_path / "a.safetensors", Lora({path: (torch.ones(1, 2), torch.ones(2, 1))}), {})
    mixed = {name: (torch.ones(1, 2), torch.ones(2, 1)) for name in ("transformer.x_embedder", "text_encoder.encoder")}
    with pytest.raises(InputError, match="of the transformer only, found transformer, text_encoder"):
        write_kohya(tmp_path / "a.safetensors", Lora(mixed), {})


def test_kohya_s_alpha_is_multiplied_in(mini: Any, tmp_path: Path) -> None:
    """alpha 1 at ranks 3 to 5, as sd-scripts writes by default; diffusers draws the same from the same file."""
    lora = random_lora(mini, "mini")
    tensors = load_file(write_kohya(tmp_path / "a.safetensors", lora, {}))
    foreign = {key: torch.tensor(1) if key.endswith(".alpha") else value for key, value in tensors.items()}
    read = read_lora(save(tmp_path / "b.safetensors", foreign))
    assert_same(read, Lora({path: (down, up * (1 / 3)) for path, (down, up) in lora.modules.items()}))
    stock = tiny_pipeline("mini")
    stock.load_lora_weights(str(tmp_path / "b.safetensors"))
    install(mini, read, "id")
    torch.testing.assert_close(outputs(mini), outputs(stock), atol=1e-5, rtol=0)


def test_what_diffusers_and_peft_save_is_read(mini: Any, tmp_path: Path) -> None:
    """Its own file with alpha 2 at rank 4 and the note of it, the file without a note, and its kohya converter."""
    config = peft.LoraConfig(r=4, lora_alpha=2, target_modules=["to_q", "to_out.0"], init_lora_weights=False)
    mini.unet.add_adapter(config)
    config = peft.LoraConfig(r=3, lora_alpha=6, target_modules=["q_proj"], init_lora_weights=False)
    mini.text_encoder.add_adapter(config)
    trained = take(mini, "default")
    unet, text = (peft.utils.get_peft_model_state_dict(part) for part in (mini.unet, mini.text_encoder))
    StableDiffusionPipeline.save_lora_weights(
        tmp_path,
        unet_lora_layers=convert_state_dict_to_diffusers(unet),
        text_encoder_lora_layers=convert_state_dict_to_diffusers(text),
        unet_lora_adapter_metadata=mini.unet.peft_config["default"].to_dict(),
        text_encoder_lora_adapter_metadata=mini.text_encoder.peft_config["default"].to_dict(),
    )
    saved = tmp_path / "pytorch_lora_weights.safetensors"
    assert_same(read_lora(saved), trained)
    noted = read_metadata(saved)
    assert "lora_adapter_metadata" in noted
    # Handed on with baked factors, the note would scale them twice.
    assert_same(read_lora(write_lora(tmp_path / "again.safetensors", trained, noted)), trained)
    bare = {path: (down, up / (0.5 if "unet" in path else 2)) for path, (down, up) in trained.modules.items()}
    assert_same(read_lora(save(tmp_path / "bare.safetensors", load_file(saved))), Lora(bare))
    named = {f"unet.{k}": v for k, v in unet.items()} | {f"text_encoder.{k}": v for k, v in text.items()}
    assert_same(read_lora(save(tmp_path / "k.safetensors", convert_state_dict_to_kohya(named))), Lora(bare))


def test_alpha_patterns_of_the_note_count(tmp_path: Path) -> None:
    other = TO_Q.replace("to_q", "to_v")
    tensors = pair(f"unet.{TO_Q}", rank=4) | pair(f"unet.{other}", rank=4)
    note = {"unet.lora_alpha": 8, "unet.alpha_pattern": {"attn1.to_v": 2}, "unet.use_rslora": True}
    read = read_lora(save(tmp_path / "a.safetensors", tensors, {"lora_adapter_metadata": json.dumps(note)}))
    assert float(read.modules[f"unet.{TO_Q}"][1][0, 0]) == 4
    assert float(read.modules[f"unet.{other}"][1][0, 0]) == 1


@pytest.mark.parametrize("prefix", ["lora_te_", "lora_te1_", "lora_te_text_model_", "lora_te1_text_model_"])
def test_four_spellings_of_the_text_encoder(prefix: str, mini: Any, tmp_path: Path) -> None:
    every = random_lora(mini, "mini").modules
    text = Lora({path: every[path] for path in every if path.startswith("text_encoder")})
    tensors = {}
    for path, (down, up) in text.modules.items():
        name = prefix + path.removeprefix("text_encoder.").replace(".", "_")
        tensors |= {f"{name}.lora_down.weight": down, f"{name}.lora_up.weight": up}
    assert_same(read_lora(save(tmp_path / "a.safetensors", tensors)), text)


@pytest.mark.parametrize(
    ("down", "up", "name", "path"),
    [
        ("lora_A", "lora_B", f"unet.{TO_Q}", f"unet.{TO_Q}"),
        ("lora_A.default", "lora_B.default", f"unet.{TO_Q}", f"unet.{TO_Q}"),
        ("lora.down", "lora.up", f"unet.{TO_Q}", f"unet.{TO_Q}"),
        ("lora.down", "lora.up", TO_Q, f"unet.{TO_Q}"),
        ("lora_down", "lora_up", f"diffusion_model.{TO_Q}", f"unet.{TO_Q}"),
        (
            "lora_linear_layer.down",
            "lora_linear_layer.up",
            "text_encoder.text_model.encoder.layers.0.self_attn.k_proj",
            "text_encoder.encoder.layers.0.self_attn.k_proj",
        ),
        ("lora_A", "lora_B", "transformer.layers.0.attention.to_q", "transformer.layers.0.attention.to_q"),
        ("lora_down", "lora_up", "lora_unet_layers_0_attention_to_out_0", "transformer.layers.0.attention.to_out.0"),
        (
            "lora_down",
            "lora_up",
            "lora_unet_single_blocks_7_linear2",
            "transformer.single_transformer_blocks.7.attn.to_out",
        ),
    ],
)
def test_spellings_of_the_same_module(down: str, up: str, name: str, path: str, tmp_path: Path) -> None:
    read = read_lora(save(tmp_path / "a.safetensors", pair(name, down, up)))
    assert list(read.modules) == [path]
    assert torch.equal(read.delta(path), torch.full((5, 6), 2.0))


@pytest.mark.parametrize(
    ("old", "path"),
    [
        ("unet.mid_block.attentions.0.transformer_blocks.0.attn1.processor.to_q_lora", "attn1.to_q"),
        ("mid_block.attentions.0.transformer_blocks.0.attn1.processor.to_out_lora", "attn1.to_out.0"),
        ("text_encoder.text_model.encoder.layers.0.self_attn.to_out_lora", "self_attn.out_proj"),
    ],
)
def test_attention_processors_of_old_diffusers(old: str, path: str, tmp_path: Path) -> None:
    read = read_lora(save(tmp_path / "a.safetensors", pair(old, "down", "up")))
    assert [name.endswith(path) for name in read.modules] == [True]


def test_half_precision_is_widened(tmp_path: Path) -> None:
    for kind in (torch.float16, torch.bfloat16):
        tensors = {name: value.to(kind) for name, value in pair(f"unet.{TO_Q}").items()}
        assert read_lora(save(tmp_path / "a.safetensors", tensors)).modules[f"unet.{TO_Q}"][0].dtype == torch.float32


def original_sdxl_names() -> list[str]:
    """Module names as sd-scripts writes them for SDXL's U-Net, with two residual blocks a level."""
    inner = ("1_proj_in", "1_transformer_blocks_1_attn2_to_k", "1_transformer_blocks_0_ff_net_0_proj", "1_proj_out")
    resnet = ("0_in_layers_2", "0_out_layers_3", "0_emb_layers_1", "0_skip_connection")
    blocks = [f"input_blocks_{i}_{tail}" for i in (4, 5, 7, 8) for tail in (*inner, *resnet)]
    blocks += [f"output_blocks_{i}_{tail}" for i in range(6) for tail in (*inner, *resnet)]
    blocks += [f"middle_block_1_{tail.removeprefix('1_')}" for tail in inner]
    blocks += ["input_blocks_3_0_op", "input_blocks_6_0_op", "output_blocks_2_2_conv", "output_blocks_5_2_conv"]
    outside = ["input_blocks_0_0", "out_2", "time_embed_0", "time_embed_2", "label_emb_0_0", "label_emb_0_2"]
    return [f"lora_unet_{name}" for name in (*blocks, *outside)]


def test_original_sdxl_names_are_read_as_diffusers_reads_them() -> None:
    for name in original_sdxl_names():
        state = {f"{name}.lora_{side}.weight": torch.ones(1, 1) for side in ("down", "up")}
        mapped = lora_conversion_utils._maybe_map_sgm_blocks_to_diffusers(state, SimpleNamespace(layers_per_block=2))
        converted, _ = lora_conversion_utils._convert_non_diffusers_lora_to_diffusers(mapped)
        theirs = next(iter(converted)).replace(".processor.", ".")
        theirs = re.sub(r"\.lora\.(down|up)\.weight$|_lora\.(down|up)\.weight$", "", theirs)
        assert path_of(name) == theirs.replace("to_out", "to_out.0"), name


@pytest.mark.parametrize("base", ["mini", "sd15", "sdxl"])
def test_every_module_of_a_u_net_has_a_kohya_name(base: str) -> None:
    for name, module in tiny_pipeline(base).unet.named_modules():
        if isinstance(module, torch.nn.Linear | torch.nn.Conv2d):
            assert path_of(kohya_name(f"unet.{name}", has_two_encoders=False)) == f"unet.{name}"


BAD: dict[str, tuple[dict[str, torch.Tensor], str]] = {
    "loha": ({"lora_unet_conv_in.hada_w1_a": torch.ones(2, 2)}, "found a LoHa"),
    "lokr": ({"lora_unet_conv_in.lokr_w1": torch.ones(2, 2)}, "found a LoKr"),
    "dora of kohya": (
        pair("lora_unet_conv_in", "lora_down", "lora_up") | {"lora_unet_conv_in.dora_scale": torch.ones(1)},
        "found a DoRA",
    ),
    "dora of peft": (
        pair(f"unet.{TO_Q}") | {f"unet.{TO_Q}.lora_magnitude_vector.weight": torch.ones(5)},
        "found a DoRA",
    ),
    "locon": (
        pair("lora_unet_conv_in", "lora_down", "lora_up") | {"lora_unet_conv_in.lora_mid.weight": torch.ones(2)},
        "middle factor",
    ),
    "biases": (pair(f"unet.{TO_Q}") | {f"unet.{TO_Q}.lora_B.bias": torch.ones(5)}, "LoRA with biases"),
    "a whole model": ({"model.diffusion_model.out.2.weight": torch.ones(2, 2)}, "give a whole model as the base"),
    "nothing": ({}, "first key: none"),
    "A without B": ({f"unet.{TO_Q}.lora_A.weight": torch.ones(2, 6)}, "expected A .down. and B .up., found only A"),
    "alpha alone": (pair(f"unet.{TO_Q}") | {"lora_unet_conv_in.alpha": torch.ones(())}, "found only alpha"),
    "NaN": (pair(f"unet.{TO_Q}") | {f"unet.{TO_Q}.lora_B.weight": torch.full((5, 2), torch.nan)}, "found NaN"),
    "NaN alpha": (
        pair("lora_unet_conv_in", "lora_down", "lora_up") | {"lora_unet_conv_in.alpha": torch.tensor(torch.nan)},
        "expected one positive number",
    ),
    "alpha of two": (
        pair("lora_unet_conv_in", "lora_down", "lora_up") | {"lora_unet_conv_in.alpha": torch.ones(2)},
        "expected one positive number",
    ),
    "two ranks": (pair(f"unet.{TO_Q}") | {f"unet.{TO_Q}.lora_B.weight": torch.ones(5, 3)}, "of one rank, found A"),
    "one dimension": (pair(f"unet.{TO_Q}") | {f"unet.{TO_Q}.lora_A.weight": torch.ones(6)}, "of one rank, found A"),
    "scalar": (
        pair("lora_unet_conv_in", "lora_down", "lora_up")
        | {"lora_unet_conv_in.lora_down.weight": torch.ones(()), "lora_unet_conv_in.alpha": torch.ones(())},
        "of one rank, found A",
    ),
    "rank zero": (pair(f"unet.{TO_Q}", rank=0), "rank of at least 1"),
    "integers": ({name: value.int() for name, value in pair(f"unet.{TO_Q}").items()}, "floating-point"),
    "unknown module": (pair("lora_unet_nonsense_blocks_0"), "none that is known here"),
    "unknown block": (pair("lora_unet_input_blocks_x"), "none that is known here"),
    "unknown component": (pair("vae.decoder.conv_in"), "none that is known here"),
    "unknown key": (pair(f"unet.{TO_Q}") | {"emb_params": torch.ones(2)}, "emb_params: expected a key of a LoRA"),
    "two names": (pair(f"unet.{TO_Q}") | pair(TO_Q), "found it under two names"),
    "qkv of four": (
        {
            "diffusion_model.double_blocks.0.img_attn.qkv.lora_A.weight": torch.ones(2, 6),
            "diffusion_model.double_blocks.0.img_attn.qkv.lora_B.weight": torch.ones(4, 2),
        },
        "q, k and v of one width",
    ),
}


@pytest.mark.parametrize("case", BAD)
def test_bad_contents_are_named(case: str, tmp_path: Path) -> None:
    tensors, message = BAD[case]
    path = save(tmp_path / "bad.safetensors", tensors)
    with pytest.raises(InputError, match=message) as caught:
        read_lora(path)
    assert str(caught.value).startswith(f"{path}: ")


@pytest.mark.parametrize("suffix", [".pt", ".bin", ".ckpt", ".PTH"])
def test_pickles_are_not_opened(suffix: str, tmp_path: Path) -> None:
    path = tmp_path / f"lora{suffix}"
    torch.save(pair("unet.conv_in"), path)
    with pytest.raises(InputError, match="found a pickle, which can run programs; convert it to safetensors"):
        read_lora(path)


def test_damaged_files_are_named(mini: Any, tmp_path: Path) -> None:
    whole = write_lora(tmp_path / "whole.safetensors", random_lora(mini, "mini"), FACTS).read_bytes()
    bad = tmp_path / "bad.safetensors"
    torch.save(pair("unet.conv_in"), bad)
    pickled = bad.read_bytes()
    for data in (b"", whole[:5], whole[:100], whole[:-1], b"\xff" * 64, whole[8:], pickled, b'{"json": 1}'):
        bad.write_bytes(data)
        for read in (read_lora, read_metadata):
            with pytest.raises(InputError, match=r"bad.safetensors: expected a whole .safetensors file"):
                read(bad)
    with pytest.raises(InputError, match="found nothing there"):
        read_lora(tmp_path / "absent.safetensors")
    with pytest.raises(InputError, match="expected a whole"):
        read_lora(tmp_path)


@pytest.mark.parametrize(
    ("note", "message"),
    [
        ("{", "expected JSON"),
        ("[]", "expected settings by name"),
        ('{"unet.lora_alpha": "much"}', "positive alpha"),
        ('{"unet.lora_alpha": NaN}', "positive alpha"),
        ('{"unet.alpha_pattern": {"(a+)+$": 1}}', "expected module names in alpha_pattern"),
    ],
)
def test_bad_notes_of_scales_are_named(note: str, message: str, tmp_path: Path) -> None:
    path = save(tmp_path / "a.safetensors", pair(f"unet.{TO_Q}"), {"lora_adapter_metadata": note})
    with pytest.raises(InputError, match=message):
        read_lora(path)
