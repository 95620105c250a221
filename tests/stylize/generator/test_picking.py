"""Picking: the same rounds again from what was kept, children near their parents, a domain to go on with."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

torch = pytest.importorskip("torch", reason="needs portraitist[stylize]")

from portraitist.errors import InputError
from portraitist.stylize.domain import DomainNote
from portraitist.stylize.generator.generator_file import Origin
from portraitist.stylize.generator.picking import SHOWN, PickingTable
from portraitist.stylize.generator.sample import sample_latents
from tests.stylize.generator.small import trained


def test_rounds_come_back_from_the_file(tmp_path: Path) -> None:
    file = tmp_path / "picks.json"
    table = PickingTable(trained(), file, seed=3)
    first = table.pictures()
    table.keep(0, [5, 2, 5])
    table.go_on(0)
    second = table.pictures()
    assert first.shape == second.shape == (SHOWN, 16, 16, 3)
    again = PickingTable(trained(), file)
    assert (again.round, again.kept, again.kept_in_all, again.seed) == (1, (), 2, 3)
    assert (again.pictures() == second).all()
    assert (again.domain("good").images == first[[2, 5]]).all()


def test_children_are_near_what_was_kept(tmp_path: Path) -> None:
    subject = trained()
    table = PickingTable(subject, tmp_path / "picks.json")
    table.keep(0, [1])
    parent = table.kept_latents()[0]
    table.go_on(0)
    children = table._latents(1)
    strangers = sample_latents(subject.generator, SHOWN, seed=99, psi=0.8)
    assert (children - parent).norm() < 0.5 * (strangers - parent).norm()
    assert (children - parent).flatten(1).norm(dim=1).min() > 0


def test_what_cannot_be_kept_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "picks.json"
    table = PickingTable(trained(), file)
    with pytest.raises(InputError, match="expected kept samples"):
        table.domain("none")
    with pytest.raises(InputError, match="from 0 to 23"):
        table.keep(0, [SHOWN])
    table.go_on(0)
    with pytest.raises(InputError, match="round 0 is over"):
        table.go_on(0)
    with pytest.raises(InputError, match="another generator"):
        PickingTable(trained(seed=1), file)


def test_kept_pictures_carry_the_mark(tmp_path: Path) -> None:
    origin = Origin((DomainNote("a", "CC BY-NC 4.0", "one", noncommercial=True), DomainNote("b", "CC0", "two")))
    table = PickingTable(replace(trained(), origin=origin), tmp_path / "picks.json")
    table.keep(0, [0])
    note = table.domain("good").note
    assert note.noncommercial
    assert (note.licence, note.attribution) == ("CC BY-NC 4.0, CC0", "one, two")
