"""Portraits by diffusion: from words, and inside a template."""
