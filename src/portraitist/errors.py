"""The exception tree. A message says what was expected, what was found, and what to do next.

A rejected photo or a weak portrait is a *result*, not an error: errors are for requests that cannot be carried out.
"""

from __future__ import annotations


class PortraitistError(Exception):
    """Base of everything this package raises on purpose."""


class InputError(PortraitistError):
    """A file, folder or value given by the user cannot be used."""


class ConfigError(PortraitistError):
    """A configuration has an unknown key or a value out of range."""


class WeightsError(PortraitistError):
    """Model weights are missing, offline, of another digest, or not licensed for this use."""


class PlacementError(PortraitistError):
    """The device or precision asked for is not available."""


class EngineError(PortraitistError):
    """The engine is unknown, or the extra it needs is not installed."""
