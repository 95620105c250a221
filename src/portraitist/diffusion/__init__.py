"""Diffusion building blocks: captions, the patch autoencoder, flow sampling, controls, masked inpainting."""
