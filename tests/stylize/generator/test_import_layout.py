"""Import: names find their place, shapes tell the size, what does not fit is refused with the name of the tensor."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

torch = pytest.importorskip("torch", reason="needs portraitist[stylize]")

from safetensors.torch import save_file

from portraitist.errors import InputError
from portraitist.stylize.domain import DomainNote
from portraitist.stylize.generator.import_layout import import_generator
from portraitist.stylize.generator.presets import TINY
from tests.stylize.generator.small import trained

NOTE = DomainNote("elsewhere", "research only", noncommercial=True)


def _foreign(seed: int = 0) -> dict[str, torch.Tensor]:
    """A tiny generator's tensors, written out by hand under the other layout's names."""
    own = trained(seed).generator.state_dict()
    found = {"synthesis.b4.const": own["synthesis.constant"], "mapping.w_avg": torch.zeros(8)}
    for i in range(2):
        for part in ("weight", "bias"):
            found[f"mapping.fc{i}.{part}"] = own[f"mapping.layers.{i}.{part}"]
    for number, side in enumerate((4, 8, 16)):
        level, block = f"synthesis.levels.{number}", f"synthesis.b{side}"
        for conv, name in (("conv0", "first"), ("conv1", "second")):
            if conv == "conv0" and side == 4:
                continue
            found[f"{block}.{conv}.weight"] = own[f"{level}.{name}.conv.weight"]
            found[f"{block}.{conv}.affine.weight"] = own[f"{level}.{name}.conv.affine.weight"]
            found[f"{block}.{conv}.affine.bias"] = own[f"{level}.{name}.conv.affine.bias"]
            found[f"{block}.{conv}.noise_strength"] = own[f"{level}.{name}.strength"]
            found[f"{block}.{conv}.noise_const"] = own[f"{level}.{name}.noise"]
            found[f"{block}.{conv}.bias"] = own[f"{level}.{name}.bias"]
            found[f"{block}.{conv}.resample_filter"] = torch.ones(4, 4)
        found[f"{block}.torgb.weight"] = own[f"{level}.to_rgb.weight"]
        found[f"{block}.torgb.affine.weight"] = own[f"{level}.to_rgb.affine.weight"]
        found[f"{block}.torgb.affine.bias"] = own[f"{level}.to_rgb.affine.bias"]
        found[f"{block}.torgb.bias"] = own[f"{level}.rgb_bias"]
    return {name: value.clone().contiguous() for name, value in found.items()}


def test_a_converted_file_makes_the_same_pictures(tmp_path: Path) -> None:
    save_file(_foreign(), str(tmp_path / "g.safetensors"))
    found = import_generator(tmp_path / "g.safetensors", NOTE)
    assert (found.size.side, found.size.latent, found.size.mapping_layers) == (16, 8, 2)
    assert [found.size.channels(s) for s in found.size.sides] == [TINY.size.channels(s) for s in TINY.size.sides]
    z = torch.randn(2, 8)
    assert torch.equal(found.generator(z), trained().generator(z))
    assert found.origin.noncommercial
    assert found.discriminator is None


def test_what_does_not_fit_is_named(tmp_path: Path) -> None:
    path = tmp_path / "g.safetensors"
    with pytest.raises(InputError, match="convert the pickle first"):
        import_generator(path, NOTE)
    path.write_bytes(b"\x80\x04pickle")
    with pytest.raises(InputError, match="expected safetensors"):
        import_generator(path, NOTE)
    save_file({**_foreign(), "synthesis.b8.skip.weight": torch.ones(1)}, str(path))
    with pytest.raises(InputError, match=r"no place for synthesis\.b8\.skip\.weight"):
        import_generator(path, NOTE)
    lacking = _foreign()
    del lacking["synthesis.b8.torgb.bias"]
    save_file(lacking, str(path))
    with pytest.raises(InputError, match=r"levels\.1\.rgb_bias is missing"):
        import_generator(path, NOTE)
    save_file({"weight": torch.ones(1)}, str(path))
    with pytest.raises(InputError, match="found other names"):
        import_generator(path, replace(NOTE))
