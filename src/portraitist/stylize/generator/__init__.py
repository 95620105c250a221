"""The generator: a compact StyleGAN2, its training with few pictures, blending, inversion and edits. Needs torch."""
