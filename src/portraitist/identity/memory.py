"""Where the parts of a pipeline are while it learns, and what else a memory preset switches.

A part comes to the device when it is called and the waiting ones go back to main memory: the autoencoder once the
photos are encoded, text encoders once the captions are, and with offloading the network too while a portrait is drawn.
It is done by accelerate's hooks, which diffusers asks where a pipeline computes. diffusers' own offloading is for
drawing only: it makes new parameters (sequential), or parks the last layers before the gradient is back (groups).

Tried on a CPU only, where moving is nothing: the order of moves, and that no parked weight is computed with. No
transfer to a GPU has been tried or timed.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Collection, Iterator
from functools import cached_property
from typing import Any

import torch
from accelerate.hooks import ModelHook, add_hook_to_module
from accelerate.utils import send_to_device
from torch import Tensor, nn

from portraitist.diffusion.base_row import Preset
from portraitist.progress import Report, Step, silent
from portraitist.training.config import LoopConfig
from portraitist.training.optimizers import adamw, adamw_8bit

MAIN_MEMORY = torch.device("cpu")

AS_IT_IS = Preset("cpu")
"""Switches nothing."""


class Memory:
    """Turns of the pipeline's parts on one device. device: None leaves the pipeline where it is."""

    def __init__(
        self,
        pipeline: Any,
        preset: Preset = AS_IT_IS,
        device: torch.device | str | None = None,
        report: Report = silent,
    ) -> None:
        self.pipeline, self.preset, self.report = pipeline, preset, report
        self.device = torch.device(device or pipeline.device)
        self.parts = {name: part for name, part in pipeline.components.items() if isinstance(part, nn.Module)}
        self.at_work: set[str] = set()
        self.learning: tuple[str, ...] = ()
        self._stay: frozenset[str] = frozenset()
        self._blocks: dict[str, BlockTurns] = {}
        for name, part in self.parts.items():
            add_hook_to_module(part, _Turn(self, name))

    @property
    def caches_text(self) -> bool:
        """True when captions are encoded once; then the text encoder does not learn. Offloading wants it too: a text
        encoder that has gone back to main memory can take no gradient."""
        return self.preset.cached_text or self.preset.offload != "none"

    def begin(self, network: str, learning: Collection[str]) -> None:
        """Say which part is the network and which learn, once their adapters are on."""
        self.learning = tuple(dict.fromkeys((network, *learning)))
        self._stay = frozenset(self.learning if self.preset.offload == "none" else ())
        if self.preset.offload == "sequential":
            # A U-Net's blocks keep activations between their checkpoints; it takes its turn whole.
            rows = [name for name in self.parts if name == "transformer" or name.startswith("text_encoder")]
            self._blocks = {name: BlockTurns(self.parts[name], self.device) for name in rows}
        if self.preset.gradient_checkpointing or self._blocks:
            for name in self.learning:
                checkpoint_gradients(self.parts[name])

    def bring(self, name: str) -> None:
        """The part to the device, the others that wait to main memory."""
        for other in self.at_work - self._stay - {name}:
            self._move(other, MAIN_MEMORY)
            self.at_work.discard(other)
        if name not in self.at_work:
            self._move(name, self.device)
            self.at_work.add(name)

    @cached_property
    def has_eight_bits(self) -> bool:
        """True when the preset asks for the 8-bit optimiser and it can be had; says so when it cannot."""
        if not self.preset.eight_bit_optimizer:
            return False
        found = self.device.type == "cuda" and importlib.util.find_spec("bitsandbytes") is not None
        if not found:
            lacking = "needs the package bitsandbytes and a CUDA device; the usual 32 bits are used"
            self.report(Step("memory", message=f"preset {self.preset.name}: the 8-bit optimiser {lacking}"))
        return found

    def build_optimizer(self, groups: list[dict[str, Any]], config: LoopConfig) -> torch.optim.Optimizer:
        """The optimiser the preset asks for, over what learns, which comes to the device first: a portrait may have
        been drawn since."""
        for name in self.learning:
            self.bring(name)
        return (adamw_8bit if self.has_eight_bits else adamw)(groups, config)

    def _move(self, name: str, device: torch.device) -> None:
        blocks = self._blocks.get(name)
        if blocks is None:
            self.parts[name].to(device)
        else:
            blocks.move_rest(device)


class _Turn(ModelHook):  # type: ignore[misc]
    """Before a part computes, it comes to the device, and so do its arguments. execution_device: where a diffusers
    pipeline then makes its own tensors."""

    def __init__(self, memory: Memory, name: str) -> None:
        self.memory, self.name, self.execution_device = memory, name, memory.device

    def pre_forward(self, module: nn.Module, *args: Any, **kwargs: Any) -> tuple[Any, Any]:
        self.memory.bring(self.name)
        return send_to_device(args, self.execution_device), send_to_device(kwargs, self.execution_device)


class BlockTurns:
    """The frozen weights of one block at a time on the device, for a part that does not fit it whole.

    A block's weights stay until another block is called. With gradient checkpointing that is enough for learning too:
    on the way back each block is computed anew, and its gradient has passed before the block below is called.
    """

    def __init__(self, part: nn.Module, device: torch.device) -> None:
        self.part, self.device = part, device
        self.home = {p: p.data for block in _blocks(part) for p in block.parameters() if not p.requires_grad}
        self._current: nn.Module | None = None
        for block in _blocks(part):
            block.register_forward_pre_hook(self._called)

    def move_rest(self, device: torch.device) -> None:
        """All that is in no block to `device`, adapters included; the blocks to main memory."""
        self._leave()
        for tensor in (*self.part.parameters(), *self.part.buffers()):
            if tensor not in self.home:
                tensor.data = tensor.data.to(device)

    def _called(self, block: nn.Module, _args: Any) -> None:
        if self._current is not block:
            self._leave()
            self._current = block
            for p in block.parameters():
                p.data = self.home.get(p, p.data).to(self.device)

    def _leave(self) -> None:
        """The weights have not changed, so nothing is copied back."""
        for p in self._current.parameters() if self._current is not None else ():
            p.data = self._at_rest(p)
        self._current = None

    def _at_rest(self, parameter: nn.Parameter) -> Tensor:
        return self.home.get(parameter, parameter.data)


def _blocks(module: nn.Module) -> Iterator[nn.Module]:
    """The members of the outermost module lists."""
    for child in module.children():
        yield from child if isinstance(child, nn.ModuleList) else _blocks(child)


def checkpoint_gradients(part: Any) -> None:
    """Activations of this part are computed twice instead of kept, in diffusers' and in transformers' spelling."""
    if hasattr(part, "enable_gradient_checkpointing"):
        part.enable_gradient_checkpointing()
        return
    # transformers is giving it a new name; not every version allowed has it.
    enable = getattr(part, "activation_checkpointing_enable", None) or part.gradient_checkpointing_enable
    enable({"use_reentrant": False})
