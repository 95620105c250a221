"""Words that a style may not say: marks belong to the sitter, and who the sitter is comes from the album."""

from __future__ import annotations

import re
from collections.abc import Iterable

MARKS = (
    "mole", "freckle", "wrinkle", "pore", "scar", "birthmark", "blemish", "pimple", "acne", "spot", "imperfection",
    "laugh line", "skin texture",
)  # fmt: skip
"""What no style may be against: each is refused in a negative part, in the singular and the plural."""

PEOPLE = (
    "man", "men", "woman", "women", "girl", "boy", "guy", "lady", "ladies", "gentleman", "gentlemen", "male", "female",
    "masculine", "feminine", "handsome", "teen", "teenager", "child", "children", "kid", "baby", "adult", "young",
    "youthful", "old", "elderly", "aged", "middle-aged", "asian", "african", "european", "caucasian", "latino",
    "latina", "hispanic", "arab", "fair skin", "pale skin", "white skin", "dark skin", "black skin", "tanned skin",
    "slim", "thin", "skinny", "slender", "curvy", "busty", "muscular", "chubby", "fat", "breast", "cleavage",
    "narrow waist", "big eyes", "small face", "sexy",
)  # fmt: skip
"""Sex, age, ethnicity and the shape of the body: a style changes the light and the clothes, never the person."""


def marks_named(text: str) -> list[str]:
    """Words of MARKS in a text, in the table's order.

    >>> marks_named("blurry, freckles")
    ['freckle']
    """
    return _named(text, MARKS)


def people_named(text: str) -> list[str]:
    """Words of PEOPLE in a text, in the table's order; a count in front does not hide one.

    >>> people_named("1girl, red hanfu")
    ['girl']
    """
    return _named(text, PEOPLE)


def _named(text: str, table: Iterable[str]) -> list[str]:
    plain = re.sub(r"[\s_]+", " ", text.lower())
    return [word for word in table if re.search(rf"(?<![^\W\d]){re.escape(word)}(?:e?s)?(?![^\W\d])", plain)]
