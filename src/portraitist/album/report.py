"""The album as a page: the reference, the chosen photos, what was rejected and why, and what to add."""

from __future__ import annotations

import base64
import io
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image as Pillow

from portraitist.album.store import thumbnail_of
from portraitist.album.values import AcceptedPhoto, Album, Rejection
from portraitist.image import encode_image
from portraitist.library import write_atomic
from portraitist.pages.html import environment
from portraitist.pages.sheets import contact_sheet
from portraitist.types import Image

_MOST_PICTURES = 300
"""Pictures embedded for each list: a page of ten thousand would not open. The tables in album.json are complete."""

_TEMPLATE = """{% extends "page.html" %}
{% block title %}{{ name }}: album{% endblock %}
{% macro figure(item) -%}
<figure>{% if item.picture %}<img src="data:image/jpeg;base64,{{ item.picture }}" alt="{{ item.file }}">{% endif %}
<figcaption><b>{{ item.file }}</b>{% for line in item.lines %}<br>{{ line }}{% endfor %}</figcaption></figure>
{%- endmacro %}
{% block body %}
<h1>{{ name }}</h1>
<p class="quiet">{{ accepted_count }} photos in the album, {{ rejected_count }} rejected.
Score = likeness × quality × frontality, each from 0 to 1.</p>
{% if reference %}<h2>Reference</h2><div class="row">{{ figure(reference) }}</div>{% endif %}
{% if advice %}<h2>What to add</h2><ul>{% for line in advice %}<li>{{ line }}</li>{% endfor %}</ul>{% endif %}
<h2>Coverage</h2>
<table>{% for kind, counts in coverage.items() %}<tr><th>{{ kind }}</th>
{% for name, n in counts.items() %}<td{% if not n %} class="no"{% endif %}>{{ name }} {{ n }}</td>{% endfor %}</tr>
{% endfor %}</table>
<h2>Chosen</h2><div class="row">{% for item in chosen %}{{ figure(item) }}{% endfor %}</div>
{% if spare %}<h2>Also in the album</h2>
<div class="row">{% for item in spare %}{{ figure(item) }}{% endfor %}</div>{% endif %}
{% if rejected %}<h2>Rejected</h2>
<div class="row">{% for item in rejected %}{{ figure(item) }}{% endfor %}</div>{% endif %}
{% if left_out %}<p class="quiet">{{ left_out }} more are listed in album.json.</p>{% endif %}
{% endblock %}
"""


def write_report(album: Album, name: str) -> Path:
    """Write `report.html` and `contact-sheet.jpg` beside `album.json`; returns the page's path."""
    if album.chosen:
        write_atomic(album.folder / "contact-sheet.jpg", encode_image(sheet_of(album), "jpeg", quality=88))
    return write_atomic(album.folder / "report.html", report_page(album, name).encode())


def report_page(album: Album, name: str) -> str:
    """The page, complete in itself."""
    thumbnails = _Thumbnails(album)
    spare = [photo for photo in album.accepted if not photo.chosen]
    shown, refused = spare[:_MOST_PICTURES], album.rejected[:_MOST_PICTURES]
    return (
        environment()
        .from_string(_TEMPLATE)
        .render(
            name=name,
            accepted_count=len(album.accepted),
            rejected_count=len(album.rejected),
            reference=thumbnails.accepted(album.reference) if album.reference else None,
            advice=album.coverage.advice,
            coverage=album.coverage.counts,
            chosen=[thumbnails.accepted(photo) for photo in album.chosen],
            spare=[thumbnails.accepted(photo) for photo in shown],
            rejected=[thumbnails.rejected(rejection) for rejection in refused],
            left_out=len(spare) - len(shown) + len(album.rejected) - len(refused),
        )
    )


def sheet_of(album: Album, photos: Sequence[AcceptedPhoto] | None = None) -> Image:
    """A contact sheet of the chosen photos (or of those given), best first."""
    chosen = album.chosen if photos is None else tuple(photos)
    pictures = [_decoded(thumbnail_of(album.folder, photo.record, photo.index)) for photo in chosen]
    captions = [f"{photo.file}\nscore {photo.score:.2f}  yaw {photo.measures['yaw']:+.0f}" for photo in chosen]
    return contact_sheet(pictures, captions, columns=5, cell=(220, 220))


class _Thumbnails:
    """Figures for the page, each with its photo's thumbnail where the photo could be read."""

    def __init__(self, album: Album) -> None:
        self._folder = album.folder

    def accepted(self, photo: AcceptedPhoto) -> dict[str, Any]:
        lines = [
            f"score {photo.score:.2f} = {photo.likeness:.2f} × {photo.quality:.2f} × {photo.frontality:.2f}",
            f"distance {photo.distance:.2f}, face {photo.measures.get('face_width', 0):.0f} px",
            photo.caption,
        ]
        if photo.crop.needs:
            lines.append("crop wants: " + ", ".join(photo.crop.needs))
        return {"file": photo.file, "picture": self._picture(photo.record, photo.index), "lines": lines}

    def rejected(self, rejection: Rejection) -> dict[str, Any]:
        picture = self._picture(rejection.record, rejection.index) if rejection.record else None
        return {"file": rejection.file, "picture": picture, "lines": [rejection.reason]}

    def _picture(self, record: str, index: int) -> str | None:
        data = thumbnail_of(self._folder, record, index)
        return base64.b64encode(data).decode() if data else None


def _decoded(data: bytes | None) -> Image:
    if data is None:
        return np.full((220, 220, 3), 230, np.uint8)
    return np.asarray(Pillow.open(io.BytesIO(data)).convert("RGB"))
