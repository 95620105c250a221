"""The tokenizer: one token a known word, letters for the rest, the same numbers every time."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

pytest.importorskip("transformers", reason="needs portraitist[diffusion]")

from portraitist.diffusion.captions import vocabulary
from portraitist.diffusion.vocabulary_tokenizer import build_tokenizer, learn_merges

TOKENIZER = build_tokenizer(48)


def test_every_known_word_is_one_token() -> None:
    assert [word for word in vocabulary() if len(TOKENIZER.tokenize(word)) != 1] == []


def test_unknown_words_fall_apart_and_keep_their_letters() -> None:
    assert "".join(TOKENIZER.tokenize("pirate")).replace("</w>", "") == "pirate"
    assert len(TOKENIZER.tokenize("pirate")) > 1


def test_it_comes_back_from_disk(tmp_path: Path) -> None:
    from transformers import CLIPTokenizer

    TOKENIZER.save_pretrained(tmp_path)
    again = CLIPTokenizer.from_pretrained(tmp_path)
    text = "portrait, close-up, smiling, pirate"
    assert again(text).input_ids == TOKENIZER(text).input_ids
    assert again.model_max_length == 48


def test_numbers_do_not_change_between_builds() -> None:
    assert build_tokenizer(48).get_vocab() == TOKENIZER.get_vocab()


@settings(max_examples=50)
@given(st.lists(st.text("abcdeh", min_size=1, max_size=6), min_size=1, max_size=8, unique=True))
def test_merges_build_every_word(words: list[str]) -> None:
    merges = learn_merges(words)
    for word in words:
        pieces = [*word[:-1], f"{word[-1]}</w>"]
        for one, other in merges:
            joined: list[str] = []
            for piece in pieces:
                if joined and (joined[-1], piece) == (one, other):
                    joined[-1] += piece
                else:
                    joined.append(piece)
            pieces = joined
        assert pieces == [f"{word}</w>"]


def test_an_empty_prompt_is_padding() -> None:
    ids = TOKENIZER("", padding="max_length", max_length=48).input_ids
    assert len(ids) == 48
    assert set(ids[1:]) == {TOKENIZER.eos_token_id}
