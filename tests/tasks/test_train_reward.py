"""`train --reward likeness` end to end with tiny weights: noise has no face, so nothing is learned and all is said."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("torch", reason="needs portraitist[diffusion]")
pytest.importorskip("diffusers", reason="needs portraitist[diffusion]")

from portraitist.errors import ConfigError
from portraitist.identity.record import CARD, read_identity, reward_sentence
from portraitist.library import Library
from portraitist.tasks.train import train
from portraitist.tasks.train_reward import Painter
from portraitist.types import Image
from tests.tasks.test_train import FEW, album_of, anna, mini  # noqa: F401  the fixtures

REWARDED = replace(FEW, reward="likeness", reward_rounds=1, reward_drawn=4)


def test_a_small_album_is_refused_and_told_why(anna: Library) -> None:  # noqa: F811
    with pytest.raises(ConfigError, match="at least 10 photos, found 1; likeness is rewarded by photos that were not"):
        train(anna, "anna", config=REWARDED)
    assert not anna.sitter("anna").identities_dir.exists()


def test_the_stage_follows_a_training_that_is_done(library: Library, astronaut: Image, tmp_path: Path) -> None:
    album = album_of(10, library, astronaut, tmp_path / "photos")
    plain = train(album, "anna", config=FEW)
    assert plain.outcome.rounds == ()
    assert "none" in (plain.folder / CARD).read_text()
    # The same run goes on into the stage: its settings are not the training's.
    trained = train(album, "anna", config=REWARDED)
    assert [(done.drawn, done.faceless, done.learned_from) for done in trained.outcome.rounds] == [(24, 24, 0)]
    record = read_identity(trained.folder)
    assert (record.reward_rounds, record.reward_rounds_kept) == (1, 0)
    assert record.distance_before_reward == record.distance == plain.record.distance
    assert "0 of 1 rounds kept" in (trained.folder / CARD).read_text()
    assert "0 of 1 rounds kept" in reward_sentence(record)


def test_the_painter_draws_in_batches_that_change_nothing() -> None:
    asked: list[tuple[list[str], int, int]] = []

    class Engine:
        config = type("Config", (), {"batch": 2})

        def draw(self, prompts: list[str], negative: str, seed: int, first: int) -> list[Any]:
            asked.append((prompts, seed, first))
            return [np.zeros((2, 2, 3), np.uint8)] * len(prompts)

    assert len(Painter(Engine())(["portrait", "portrait, smiling", "portrait"], 5)) == 3  # type: ignore[arg-type]
    assert asked == [(["portrait, sitter", "portrait, sitter, smiling"], 5, 0), (["portrait, sitter"], 5, 2)]
