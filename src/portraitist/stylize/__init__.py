"""Stylise: faces painted in a new look, and the making of painters. Applying one needs no torch."""
