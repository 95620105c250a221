"""Faces: find, measure, compare."""
