"""docs/portrait-mini.md lists the vocabulary as it is."""

from __future__ import annotations

from pathlib import Path

from portraitist.diffusion.captions import PHRASES

PAGE = Path(__file__).parents[2] / "docs" / "portrait-mini.md"


def test_the_page_lists_every_phrase_and_no_other() -> None:
    table = PAGE.read_text().split("| of | phrases |")[1].split("\n\n")[0]
    rows = [line.split("|")[2] for line in table.splitlines() if line.count("|") == 3 and "---" not in line]
    listed = [phrase.strip() for row in rows for phrase in row.split(",")]
    assert sorted(listed) == sorted(phrase.text for phrase in PHRASES)
