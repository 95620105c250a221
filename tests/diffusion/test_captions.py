"""Captions: what is said of which facts, mirrored facts, unknown words."""

from __future__ import annotations

import itertools
from dataclasses import fields

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portraitist.diffusion.captions import (
    PHRASES,
    SUBJECT,
    TRIGGER,
    FaceFacts,
    caption,
    describe,
    unknown_words,
    vocabulary,
    words,
)

FORBIDDEN = {"man", "woman", "male", "female", "boy", "girl", "young", "old", "white", "black", "asian", "age", "race"}


def test_nothing_known_nothing_said() -> None:
    assert describe(FaceFacts()) == ()
    assert caption(()) == SUBJECT


def test_clear_facts_are_said_and_unclear_ones_are_not() -> None:
    assert describe(FaceFacts(yaw=-20, smile=0.9)) == ("turned left", "smiling")
    assert describe(FaceFacts(yaw=-7.5, smile=0.45)) == ()


@given(st.builds(FaceFacts, yaw=st.floats(-90, 90), light_x=st.floats(-50, 50), smile=st.floats(0, 1)))
def test_a_mirror_swaps_sides_and_nothing_else(facts: FaceFacts) -> None:
    def swap(text: str) -> str:
        return text.replace("left", "?").replace("right", "left").replace("?", "right")

    assert sorted(map(swap, describe(facts))) == sorted(describe(facts.mirrored()))
    assert facts.mirrored().mirrored() == facts


@pytest.mark.parametrize("fact", [field.name for field in fields(FaceFacts)])
def test_phrases_of_one_fact_never_both_hold(fact: str) -> None:
    ranges = sorted((p.low, p.high) for p in PHRASES if p.fact == fact)
    assert ranges, f"nothing is ever said of {fact}"
    assert all(before[1] < after[0] for before, after in itertools.pairwise(ranges))


def test_no_word_speaks_of_sex_age_or_ethnicity() -> None:
    assert not FORBIDDEN & {word for phrase in PHRASES for word in words(phrase.text)} - {"light", "dark"}


def test_the_vocabulary_holds_every_caption_and_the_trigger() -> None:
    everything = caption([phrase.text for phrase in PHRASES])
    assert unknown_words(f"{everything}, {TRIGGER}") == []
    assert unknown_words("Portrait, SMILING, pirate hat, pirate 3") == ["pirate", "3"]
    assert vocabulary() == sorted(set(vocabulary()))


@given(st.text(max_size=40))
def test_any_text_has_words(text: str) -> None:
    found = words(text)
    assert all(found)
    assert set(unknown_words(text)) <= set(found)
