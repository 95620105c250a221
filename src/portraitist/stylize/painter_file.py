"""A painter on disk: a folder with `painter.onnx`, `painter.json` (its card) and a `README.md` for people.

The network takes `image` (1, 3, h, w), float32 RGB in [0, 1], h and w multiples of 32, and gives `painted`, the same;
a second output `mask` (1, 1, h, w) in [0, 1] says where the painter wants to be shown.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from portraitist.errors import ConfigError, InputError, WeightsError
from portraitist.library import read_json, write_atomic, write_json
from portraitist.options import from_mapping

NETWORK, CARD, README = "painter.onnx", "painter.json", "README.md"
TIERS = ("nano", "small", "base", "other")
MULTIPLE = 32


@dataclass(frozen=True)
class MadeFrom:
    """One thing a painter learned from. attribution: the line to carry with it."""

    name: str
    licence: str
    attribution: str = ""


@dataclass(frozen=True)
class PainterCard:
    """What `painter.json` says.

    side: pixels it was trained at. part: of a FFHQ frame that it was trained on (see `faces.align`). lift: L* that
    a darker face is lifted to before it is painted (`lift`), 0 for none. tier: by cost.
    multiply_adds_512: of one 512 x 512 picture. style: name of the set of style images it was held against, "" where
    there is none. stages: those it came through, in order (`generator`, `translate`, `student`). figures: as measured.
    """

    name: str
    title: str
    side: int
    licence: str
    part: float = 1.0
    lift: float = 0.0
    tier: str = "other"
    multiply_adds_512: int = 0
    noncommercial: bool = False
    style: str = ""
    made_from: tuple[MadeFrom, ...] = ()
    stages: tuple[str, ...] = ()
    sha256: str = ""
    figures: Mapping[str, Any] = field(default_factory=dict)

    @classmethod
    def from_json(cls, value: Any) -> PainterCard:
        """The inverse of `asdict`; raises ConfigError for keys or values that make no painter."""
        if not isinstance(value, Mapping):
            raise ConfigError(f"painter card: expected a JSON object, found {type(value).__name__}")
        sources = tuple(from_mapping(MadeFrom, each) for each in value.get("made_from", ()))
        return _checked(from_mapping(cls, {**value, "made_from": sources}))


@dataclass(frozen=True)
class PainterFile:
    """A painter that was found: its folder and its card."""

    folder: Path
    card: PainterCard

    @property
    def network(self) -> Path:
        """The ONNX file."""
        return self.folder / NETWORK


def read_painter(folder: Path) -> PainterFile:
    """The painter in a folder, its network's digest checked.

    Raises InputError when the folder is no painter, WeightsError when the network is not the one of the card.
    """
    if not (folder / CARD).is_file() or not (folder / NETWORK).is_file():
        raise InputError(f"{folder}: expected a painter ({CARD} and {NETWORK}), found none; see 'stylize --list'")
    try:
        card = PainterCard.from_json(read_json(folder / CARD))
    except (ConfigError, TypeError, AttributeError) as error:
        raise InputError(f"{folder / CARD}: expected a painter's card; {error}; make the painter again") from error
    found = hashlib.sha256((folder / NETWORK).read_bytes()).hexdigest()
    if card.sha256 and card.sha256 != found:
        raise WeightsError(
            f"{folder / NETWORK}: expected sha256 {card.sha256[:12]}, found {found[:12]}; put its own file back"
        )
    return PainterFile(folder, card)


def write_painter(folder: Path, network: bytes, card: PainterCard, readme: str) -> PainterFile:
    """Write a painter, its card last, so that a folder with a card is whole. The digest is computed here."""
    from dataclasses import replace

    written = _checked(replace(card, sha256=hashlib.sha256(network).hexdigest()))
    write_atomic(folder / NETWORK, network)
    write_atomic(folder / README, readme.encode())
    write_json(folder / CARD, asdict(written))
    return PainterFile(folder, written)


def _checked(card: PainterCard) -> PainterCard:
    if card.tier not in TIERS:
        raise ConfigError(f"painter '{card.name}': expected tier {', '.join(TIERS)}, found {card.tier!r}")
    if not isinstance(card.side, int) or card.side < MULTIPLE or card.side % MULTIPLE:
        raise ConfigError(f"painter '{card.name}': expected a side of n x {MULTIPLE} px, found {card.side!r}")
    if not 0.3 <= card.part <= 3:
        raise ConfigError(f"painter '{card.name}': expected a part of 0.3 to 3, found {card.part!r}")
    if not 0 <= card.lift <= 100:
        raise ConfigError(f"painter '{card.name}': expected a lift of 0 to 100 (L*), found {card.lift!r}")
    return card
