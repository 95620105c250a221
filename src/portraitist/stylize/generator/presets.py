"""Sizes and settings that were chosen together: what runs on a laptop, and the real sizes for a GPU."""

from __future__ import annotations

from portraitist.stylize.generator.config import GanConfig, GeneratorPreset, GeneratorSize, TransferConfig

TINY = GeneratorPreset(
    GeneratorSize(side=16, latent=8, mapping_layers=2, channel_base=128, channel_max=16),
    GanConfig(batch=4, penalty_every=4, path_every=4),
    pictures=64,
)
"""For tests."""
CPU_64 = GeneratorPreset(GeneratorSize(side=64, latent=128, mapping_layers=4, channel_base=1536, channel_max=160))
"""120 million multiply-adds a picture; 43 ms of processor time a picture and step, 1.8 hours for the whole run when
both cores are free, before penalties and augmentation."""
GPU_256 = GeneratorPreset(
    GeneratorSize(side=256, latent=512, mapping_layers=8, channel_base=16384, channel_max=512),
    GanConfig(batch=64, gamma=1.0, augment_pictures=500_000, path_every=4, mixing=0.9),
    pictures=5_000_000,
)
GPU_512 = GeneratorPreset(
    GeneratorSize(side=512, latent=512, mapping_layers=8, channel_base=32768, channel_max=512),
    GanConfig(batch=32, gamma=5.0, augment_pictures=500_000, path_every=4, mixing=0.9),
    pictures=5_000_000,
)
GPU_1024 = GeneratorPreset(
    GeneratorSize(side=1024, latent=512, mapping_layers=8, channel_base=32768, channel_max=512),
    GanConfig(batch=32, gamma=10.0, augment_pictures=500_000, path_every=4, mixing=0.9, learning_rate=0.002),
    pictures=10_000_000,
)
"""The GPU presets have the sizes of the papers (configuration F, half the channels at 256 px); they were not run."""
PRESETS = {"tiny": TINY, "cpu64": CPU_64, "gpu256": GPU_256, "gpu512": GPU_512, "gpu1024": GPU_1024}
FEW_SHOT = TransferConfig(
    mapping_rate=0.0, coarse_rate=0.0, coarse_side=8, fine_rate=0.5, frozen_blocks=2, match_weight=2.0, match_side=16
)
"""For a style of fewer than 30 pictures: shapes stay the source's, only drawing and colour are learned."""
