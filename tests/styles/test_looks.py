"""The styles there are: words that may be said, looks that differ, names that find them, the prompt they make."""

from __future__ import annotations

import itertools
import re
from pathlib import Path

import pytest

from portraitist.diffusion.captions import PHRASES, Phrase, unknown_words, words
from portraitist.errors import ConfigError, InputError
from portraitist.library import Library
from portraitist.styles.looks import Prompt, Style, add_styles, compose_prompt, find_style, own_folder, styles
from portraitist.styles.style_file import write_style
from portraitist.styles.wording import people_named

ALL = list(styles().values())
MINI = [style for style in ALL if style.needs == "mini"]
PHRASE = {phrase.text: phrase for phrase in PHRASES}
DOCS = Path(__file__).resolve().parents[2] / "docs" / "styles.md"


def _own(key: str, name: str = "", name_zh: str = "") -> Style:
    return Style(key, name or key, name_zh or key, "Of a test.", Prompt("portrait"))


def test_there_are_enough_of_both_kinds() -> None:
    assert len(ALL) >= 30
    assert len(MINI) >= 8
    assert len(ALL) - len(MINI) >= 22


@pytest.mark.parametrize("style", ALL, ids=lambda s: s.key)
def test_a_style_speaks_of_the_look_and_never_of_the_person(style: Style) -> None:
    prompt, negative = compose_prompt(style)
    assert not re.search(r"mole|freckle|wrinkle|pore|scar|blemish|pimple|skin|\bage", negative)
    assert people_named(f"{prompt}, {negative}") == []
    assert not re.search(r"(?i)style of|by [A-Z]|®|™", prompt)
    assert re.search(r"[\u4e00-\u9fff]", style.name_zh)
    assert style.about.endswith(".")
    # A CLIP encoder reads 77 tokens; every word is at least one.
    assert len(words(compose_prompt(style, trigger="sitter", attributes=("long hair", "glasses"))[0])) <= 70


@pytest.mark.parametrize("style", [s for s in ALL if s.needs == "hub"], ids=lambda s: s.key)
def test_what_was_not_drawn_here_says_so(style: Style) -> None:
    assert not style.tested


@pytest.mark.parametrize("style", MINI, ids=lambda s: s.key)
def test_portrait_mini_knows_every_word(style: Style) -> None:
    prompt, negative = compose_prompt(style, trigger="sitter")
    assert unknown_words(f"{prompt}, {negative}") == []
    assert set(style.prompt.phrases()) <= set(PHRASE)
    facts = [PHRASE[phrase].fact for phrase in style.prompt.phrases()]
    assert len(facts) == len(set(facts)), "two phrases about one fact"


@pytest.mark.parametrize(("one", "other"), list(itertools.combinations(MINI, 2)), ids=lambda s: s.key)
def test_mini_styles_differ_in_facts_that_can_be_measured(one: Style, other: Style) -> None:
    """At least one fact is asked to be opposite, or at least three are asked of one style and not of the other."""
    ours, theirs = _asked(one), _asked(other)
    opposite = [fact for fact in ours.keys() & theirs.keys() if _apart(ours[fact], theirs[fact])]
    assert opposite or len(ours.keys() ^ theirs.keys()) >= 3


def _asked(style: Style) -> dict[str, Phrase]:
    return {PHRASE[text].fact: PHRASE[text] for text in style.prompt.phrases()}


def _apart(one: Phrase, other: Phrase) -> bool:
    return one.high < other.low or other.high < one.low


def test_no_two_styles_share_a_name() -> None:
    names = [name.casefold() for style in ALL for name in {style.key, style.name.casefold(), style.name_zh}]
    assert len(names) == len(set(names))


@pytest.mark.parametrize("name", ["film-noir", "Film noir", " FILM  NOIR ", "黑色电影"])
def test_a_style_is_found_by_key_and_by_either_name(name: str) -> None:
    assert find_style(name).key == "film-noir"


@pytest.mark.parametrize(
    ("name", "near"), [("hamfu", "hanfu"), ("golden our", "golden-hour"), ("水彩画", "watercolour")]
)
def test_an_unknown_name_is_answered_with_near_ones(name: str, near: str) -> None:
    with pytest.raises(ConfigError, match=rf"{name}.*{near}.*style list"):
        find_style(name)


def test_the_users_own_styles_join(library: Library) -> None:
    paths = add_styles(library, [_own("balcony", "Balcony", "阳台")])
    assert paths == [own_folder(library) / "balcony.yaml"]
    assert find_style("阳台", library) == _own("balcony", "Balcony", "阳台")
    assert len(styles(library)) == len(ALL) + 1
    with pytest.raises(ConfigError, match="unknown"):
        find_style("阳台")


@pytest.mark.parametrize("own", [_own("hanfu"), _own("mine", "Film Noir"), _own("mine", name_zh="汉服")])
def test_nothing_is_hidden_by_a_style_of_the_same_name(own: Style, library: Library) -> None:
    with pytest.raises(ConfigError, match="already"):
        add_styles(library, [_own("fine"), own])
    assert not own_folder(library).exists()
    write_style(own_folder(library) / f"{own.key}.yaml", own)
    with pytest.raises(ConfigError, match="already"):
        styles(library)


def test_a_file_is_never_written_over(library: Library) -> None:
    add_styles(library, [_own("balcony")])
    with pytest.raises(InputError, match="no file yet"):
        add_styles(library, [_own("balcony")])


def test_the_prompt_puts_the_trigger_behind_the_subject() -> None:
    style = find_style("hanfu")
    prompt, negative = compose_prompt(style, extra="light snow, ", trigger="ohwx", attributes=("glasses", "dark hair"))
    phrases = prompt.split(", ")
    assert phrases[:2] == ["portrait photograph", "ohwx"]
    assert phrases[-3:] == ["light snow", "glasses", "dark hair"]
    assert negative == ", ".join(style.negative)


def test_nothing_is_said_twice() -> None:
    prompt, _ = compose_prompt(find_style("bright-smile"), extra="Smiling, glasses", attributes=("smiling", "glasses"))
    assert prompt == "portrait, facing the camera, smiling, light background, glasses"


def test_the_table_of_the_docs_is_the_folder() -> None:
    rows = [line for line in DOCS.read_text(encoding="utf-8").splitlines() if re.match(r"\| `.*\| (mini|hub) \|", line)]
    assert rows == [_row(style) for needs in ("mini", "hub") for style in ALL if style.needs == needs]


def _row(style: Style) -> str:
    tested = "yes" if style.tested else "no"
    return f"| `{style.key}` | {style.name} | {style.name_zh} | {style.needs} | {tested} | {style.about} |"
