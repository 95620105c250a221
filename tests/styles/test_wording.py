"""Words that a style may not say are found in any form, and only they."""

from __future__ import annotations

import pytest

from portraitist.styles.wording import marks_named, people_named


@pytest.mark.parametrize(
    "text", ["moles", "bad Freckles", "large pores", "deep wrinkles", "scar", "skin_texture", "spots"]
)
def test_marks_are_found(text: str) -> None:
    assert marks_named(text)


@pytest.mark.parametrize("text", ["spotlight", "porcelain", "molecule", "scarf", "airbrushed"])
def test_other_words_are_not_marks(text: str) -> None:
    assert marks_named(text) == []


@pytest.mark.parametrize("text", ["1girl", "a young face", "Women", "old", "dark skin", "thin"])
def test_people_are_found(text: str) -> None:
    assert people_named(text)


@pytest.mark.parametrize("text", ["golden hour", "mandarin collar", "double-breasted coat", "half-length", "olive"])
def test_other_words_are_not_people(text: str) -> None:
    assert people_named(text) == []
