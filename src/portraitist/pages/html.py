"""HTML pages that stand alone: pictures are embedded, styles are inline, nothing is loaded from anywhere."""

from __future__ import annotations

import base64
from functools import lru_cache
from importlib import resources
from typing import Any

from jinja2 import BaseLoader, Environment, TemplateNotFound, select_autoescape
from markupsafe import Markup

from portraitist.geometry import fit_within
from portraitist.types import Image


def render(template: str, **values: Any) -> str:
    """The page `template` (a file of `portraitist/pages`) filled with values; everything is escaped.

    Filters: `picture` turns pixels into an `<img>` (longest side 640 by default).
    """
    return environment().get_template(template).render(**values)


@lru_cache(maxsize=1)
def environment() -> Environment:
    """The jinja2 environment all pages share. Missing values raise instead of printing nothing."""
    from jinja2 import StrictUndefined

    made = Environment(
        loader=_PageFiles(), autoescape=select_autoescape(default=True), undefined=StrictUndefined, trim_blocks=True
    )
    made.filters["picture"] = picture
    return made


def picture(image: Image, alt: str = "", max_side: int = 640) -> Markup:
    """An `<img>` with the pixels in it, as JPEG without metadata."""
    from portraitist.image import encode_image

    small = fit_within(image, max_side)
    data = base64.b64encode(encode_image(small, "jpeg", quality=88)).decode()
    h, w = small.shape[:2]
    return Markup('<img src="data:image/jpeg;base64,{}" width="{}" height="{}" alt="{}">').format(data, w, h, alt)


class _PageFiles(BaseLoader):
    """Templates are files beside this module, so they are found in a wheel, a zip and a checkout alike."""

    def get_source(self, environment: Environment, template: str) -> tuple[str, str | None, Any]:
        file = resources.files("portraitist.pages").joinpath(template)
        if not file.is_file():
            raise TemplateNotFound(template)
        return file.read_text(encoding="utf-8"), None, lambda: True
