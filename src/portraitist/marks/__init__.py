"""Marks: the moles, spots, pimples, scars and wrinkles of a face, annotated, found, kept and checked."""
