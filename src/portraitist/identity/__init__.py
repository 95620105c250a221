"""Learning a sitter: a LoRA trained on the album, its checkpoints chosen and fused by measured likeness."""
