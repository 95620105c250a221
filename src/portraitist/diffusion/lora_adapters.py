"""LoRAs on a diffusers pipeline: taken out of it, laid on it with weights, several at once, and off again.

Everything goes through PEFT's adapters; the base's own weights are never touched.
"""

from __future__ import annotations

import contextlib
import math
import re
import warnings
from collections.abc import Iterator, Mapping
from typing import Any

import torch
from torch import Tensor, nn

from portraitist.diffusion.lora import COMPONENTS, Factors, Lora
from portraitist.diffusion.lora_families import family_of_lora, family_of_pipeline
from portraitist.diffusion.lora_names import component_path, peft_name
from portraitist.diffusion.quiet import quiet_libraries
from portraitist.errors import ConfigError, InputError

_NAME = re.compile(r"[\w-]+")


def take(source: Any, adapter: str) -> Lora:
    """The LoRA that an adapter is now, copied to the CPU; the weight it is set to does not matter.

    source: a pipeline, or networks by component name (`{"unet": unet}`). Raises InputError when no module has it.
    """
    networks = source if isinstance(source, Mapping) else _networks(source)
    modules = {
        component_path(component, name): _factors(layer, adapter)
        for component, network in networks.items()
        for name, layer in _adapted(network)
        if adapter in layer.lora_A
    }
    if not modules:
        raise InputError(f"adapter {adapter!r}: expected one of {_known(networks)}, found no module with it")
    return Lora(modules)


def lay_in(networks: Mapping[str, nn.Module], adapter: str, lora: Lora) -> int:
    """Write a LoRA into adapters that are there already, in place, so that they go on from it; returns how many took.

    networks: by component name. The product stays the same whatever the adapter's alpha; where the adapter's rank is
    the larger, its further rows keep their A and add nothing yet. Raises ConfigError for an adapter of a smaller rank.
    """
    taken = 0
    for component, network in networks.items():
        for name, layer in _adapted(network):
            factors = lora.modules.get(component_path(component, name))
            if factors is not None and adapter in layer.lora_A:
                _fill(layer, adapter, *factors)
                taken += 1
    return taken


def check(pipeline: Any, lora: Lora) -> None:
    """Raise InputError unless every module of the LoRA is in the pipeline with its shape.

    The message counts the modules that fit, names the first that does not, and the likely families.
    """
    networks = _networks(pipeline)
    faults = {path: fault for path, factors in lora.modules.items() if (fault := _fault(networks, path, factors))}
    if not faults:
        return
    found = f"{len(lora.modules) - len(faults)} of its {len(lora.modules)} modules fit"
    first = next(iter(faults.values()))
    family, base = family_of_lora(lora), family_of_pipeline(pipeline)
    if family.name == base.name:
        raise InputError(f"this LoRA is for another {family.name} than the base: {found}; {first}; choose another")
    raise InputError(f"this LoRA is for {family}, the base is {base}: {found}; {first}; choose another LoRA or base")


def install(pipeline: Any, lora: Lora, name: str, weight: float = 1.0) -> None:
    """Lay a LoRA on the pipeline as adapter `name`; the others keep their weights.

    Raises InputError for a LoRA of another base (see `check`), ConfigError for a name that is taken or not a word.
    """
    if not _NAME.fullmatch(name) or name in _adapters(pipeline):
        raise ConfigError(
            f"adapter {name!r}: expected a new name of letters and digits, found one taken or with others"
        )
    check(pipeline, lora)
    before = weights(pipeline)
    # diffusers warns of every weight that is no LoRA, where `check` has looked before; PEFT of a second adapter.
    with quiet_libraries(), warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Already found a `peft_config`")
        pipeline.load_lora_weights(_state(pipeline, lora), adapter_name=name)
    set_weights(pipeline, {**before, name: weight})


def set_weights(pipeline: Any, chosen: Mapping[str, float]) -> None:
    """Set what each adapter counts; one that is not named is off. An empty mapping leaves the bare base.

    Raises ConfigError for an unknown adapter or a weight that is not finite.
    """
    unknown = sorted(chosen.keys() - _adapters(pipeline))
    if unknown:
        known = _known(_networks(pipeline))
        raise ConfigError(f"adapter {unknown[0]!r}: expected one of {known}, found none of that name; install it first")
    if not all(map(math.isfinite, chosen.values())):
        raise ConfigError(f"weights: expected finite numbers, found {dict(chosen)}")
    if not chosen:
        if _adapters(pipeline):
            pipeline.disable_lora()
        return
    pipeline.enable_lora()
    pipeline.set_adapters(list(chosen), list(chosen.values()))


def weights(pipeline: Any) -> dict[str, float]:
    """The adapters that are on and what each counts."""
    found: dict[str, float] = {}
    for network in _networks(pipeline).values():
        for _, layer in _adapted(network):
            if layer.disable_adapters:
                continue
            found |= {
                name: layer.scaling[name] / _scale(layer, name) for name in layer.active_adapters if name in layer.r
            }
    return found


@contextlib.contextmanager
def loras_off(pipeline: Any) -> Iterator[None]:
    """The bare base while it lasts; the adapters that were on come on again, also those that are learning."""
    if not weights(pipeline):
        yield
        return
    pipeline.disable_lora()
    try:
        yield
    finally:
        pipeline.enable_lora()


def remove(pipeline: Any, name: str) -> None:
    """Take an adapter off; the others keep their weights. After the last one the base is as it was."""
    if name not in _adapters(pipeline):
        raise ConfigError(f"adapter {name!r}: expected one of {_known(_networks(pipeline))}, found none of that name")
    rest = {other: weight for other, weight in weights(pipeline).items() if other != name}
    if _adapters(pipeline) == {name}:
        pipeline.unload_lora_weights()
        return
    pipeline.delete_adapters(name)
    set_weights(pipeline, rest)


def _networks(pipeline: Any) -> dict[str, nn.Module]:
    """The parts of the pipeline that its class lets take LoRA. Raises InputError for a pipeline without any."""
    names = [name for name in getattr(pipeline, "_lora_loadable_modules", ()) if name in COMPONENTS]
    parts = {name: getattr(pipeline, name, None) for name in names}
    found = {name: part for name, part in parts.items() if part is not None}
    if not found:
        raise InputError(f"expected a pipeline that takes LoRA, found a {type(pipeline).__name__}; choose another base")
    return found


def _adapted(network: nn.Module) -> Iterator[tuple[str, Any]]:
    from peft.tuners.lora import LoraLayer

    return ((name, module) for name, module in network.named_modules() if isinstance(module, LoraLayer))


def _adapters(pipeline: Any) -> set[str]:
    return {name for network in _networks(pipeline).values() for _, layer in _adapted(network) for name in layer.lora_A}


def _known(networks: Mapping[str, nn.Module]) -> str:
    found = {name for network in networks.values() for _, layer in _adapted(network) for name in layer.lora_A}
    return ", ".join(sorted(found)) or "none yet"


def _factors(layer: Any, adapter: str) -> Factors:
    if adapter in layer.lora_magnitude_vector or layer.lora_B[adapter].bias is not None:
        raise InputError(f"adapter {adapter!r}: expected a plain LoRA, found a DoRA or biases; train without them")
    down, up = layer.lora_A[adapter].weight, layer.lora_B[adapter].weight
    return _copy(down), _copy(up) * _scale(layer, adapter)


def _fill(layer: Any, adapter: str, down: Tensor, up: Tensor) -> None:
    into_down, into_up = layer.lora_A[adapter].weight, layer.lora_B[adapter].weight
    rank = down.shape[0]
    if rank > into_down.shape[0]:
        raise ConfigError(f"rank: expected at least {rank}, found an adapter of {into_down.shape[0]}; reduce it first")
    with torch.no_grad():
        into_down[:rank] = down.view(rank, *into_down.shape[1:])
        into_up.zero_()
        into_up[:, :rank] = up.view(-1, rank, *into_up.shape[2:]) / _scale(layer, adapter)


def _copy(weight: Tensor) -> Tensor:
    return weight.detach().to("cpu", torch.float32, copy=True).contiguous()


def _scale(layer: Any, adapter: str) -> float:
    """alpha / rank of the adapter; PEFT keeps only its product with the weight set at run time."""
    rank = layer.r[adapter]
    return float(layer.lora_alpha[adapter] / (math.sqrt(rank) if layer.use_rslora.get(adapter) else rank))


def _fault(networks: Mapping[str, nn.Module], path: str, factors: Factors) -> str:
    """Why the module does not fit, in words; empty when it does."""
    module = _module(networks, path)
    if module is None:
        return f"{path} is not in the base"
    down, up = factors
    expected, found = _weight_shape(module), (up.shape[0], *down.shape[1:])
    if not expected:
        return f"{path} is a {type(module).__name__} in the base, which takes no LoRA"
    return "" if _flat(expected) == _flat(found) else f"{path} is {expected} in the base and {found} in the LoRA"


def _module(networks: Mapping[str, nn.Module], path: str) -> nn.Module | None:
    """The module at our path, below the level `text_model` in the classes that have it."""
    component, _, inner = path.partition(".")
    for name in (inner, f"text_model.{inner}"):
        # KeyError: no such component.
        with contextlib.suppress(AttributeError, KeyError):
            return networks[component].get_submodule(name)
    return None


def _weight_shape(module: nn.Module) -> tuple[int, ...]:
    """Of the weight a LoRA adds to, also where it is stored quantised; () for a module that takes none."""
    base = getattr(module, "base_layer", module)
    if isinstance(base, nn.Linear):
        return base.out_features, base.in_features
    return tuple(base.weight.shape) if isinstance(base, nn.Conv2d) else ()


def _flat(shape: tuple[int, ...]) -> tuple[int, ...]:
    """A 1x1 convolution is a matrix: some programs write it as one."""
    return shape[:2] if tuple(shape[2:]) == (1, 1) else tuple(shape)


def _state(pipeline: Any, lora: Lora) -> dict[str, Tensor]:
    """Copies for diffusers to load, of the shape, device and precision of the weights they go to."""
    networks = _networks(pipeline)
    state: dict[str, Tensor] = {}
    for path, (down, up) in lora.modules.items():
        module = _module(networks, path)
        assert module is not None, path
        size = len(_weight_shape(module))
        for side, factor in (("A", down), ("B", up)):
            shaped = factor.flatten(1)[..., None, None] if size > factor.ndim else factor
            shaped = shaped.flatten(1) if size < factor.ndim else shaped
            state[f"{peft_name(path)}.lora_{side}.weight"] = _like(shaped, getattr(module, "base_layer", module))
    return state


def _like(factor: Tensor, module: nn.Module) -> Tensor:
    weight = module.weight
    assert isinstance(weight, Tensor)
    where = "cpu" if weight.is_meta else weight.device
    return factor.to(where, weight.dtype if weight.is_floating_point() else factor.dtype, copy=True)
