"""Pages: escaping, embedded pictures, nothing fetched."""

from __future__ import annotations

import numpy as np
import pytest
from jinja2 import UndefinedError

from portraitist.pages.html import environment, picture


def test_picture_embeds_its_pixels_and_escapes_its_words() -> None:
    tag = str(picture(np.zeros((100, 2000, 3), np.uint8), alt='a "quoted" <name>', max_side=200))
    assert 'src="data:image/jpeg;base64,/9j/' in tag
    assert 'width="200" height="10"' in tag
    assert "<name>" not in tag


def test_values_are_escaped_and_missing_ones_raise() -> None:
    page = environment().from_string("{{ name }}")
    assert page.render(name="<b>") == "&lt;b&gt;"
    with pytest.raises(UndefinedError):
        page.render()


def test_the_page_style_loads_nothing() -> None:
    text = environment().get_template("page.html").render()
    assert "http://" not in text
    assert "https://" not in text
    assert "@import" not in text
