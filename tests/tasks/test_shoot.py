"""From a folder of photos to finished portraits, on files, with recipes that replay."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image as PillowImage

from portraitist.errors import ConfigError, InputError
from portraitist.faces.topology import triangles
from portraitist.library import Consent, Library
from portraitist.marks.anchor import Anchor
from portraitist.marks.map import MarksMap, write_map
from portraitist.marks.mark import PointMark
from portraitist.tasks.add import add
from portraitist.tasks.config import FinishConfig, ShootConfig, Stages
from portraitist.tasks.replay import make_again
from portraitist.tasks.shoot import shoot
from portraitist.tasks.sitting import parse_slots, template_paths
from portraitist.types import Pixels


@pytest.fixture(scope="module")
def people(tmp_path_factory: pytest.TempPathFactory, astronaut_path: Path, hopper_path: Path) -> Library:
    library = Library(tmp_path_factory.mktemp("library"))
    public = Consent.now("public domain", "test")
    add(library, "collins", [astronaut_path], consent=public)
    add(library, "grace", [hopper_path], consent=public)
    return library


def test_portraits_land_on_disk_with_their_recipe_and_replay(people: Library, hopper_path: Path) -> None:
    saved = shoot(people, ["collins"], ShootConfig(templates=(str(hopper_path),), count=2))
    assert len(saved) == 2
    assert len({s.path for s in saved}) == 2
    for portrait in saved:
        pixels = np.asarray(PillowImage.open(portrait.path))
        assert Pixels(pixels).digest == portrait.recipe.output
        assert portrait.recipe.likeness is None, "one photo: nothing is left to measure against"
        person = portrait.recipe.measures["people"][0]
        assert person["source_distance"] < 0.52
        assert person["template_distance"] > 0.55
        assert {i.role for i in portrait.recipe.inputs} == {"template", "album"}
        assert Pixels(make_again(people, portrait.recipe).image).digest == portrait.recipe.output


def test_a_second_run_makes_the_same_files(people: Library, hopper_path: Path) -> None:
    request = ShootConfig(templates=(str(hopper_path),), seed=4)
    first, second = (shoot(people, ["collins"], request)[0] for _ in range(2))
    assert first.path == second.path
    assert first.recipe.output == second.recipe.output


def test_a_map_made_later_changes_no_replay(people: Library, hopper_path: Path, tmp_path: Path) -> None:
    """The map's mole would be drawn on a new portrait, and its digest stands in that recipe; another map is refused."""
    request = ShootConfig(templates=(str(hopper_path),), seed=5)
    before = shoot(people, ["collins"], request, out=tmp_path)[0].recipe
    folder = people.sitter("collins").marks_dir
    anchor = Anchor(int(np.argmin(np.abs(triangles() - 50).min(axis=1))), (0.4, 0.3, 0.3))
    mole = PointMark("mole-1", "mole", anchor, 6.0, (-40.0, 5.0, 5.0), seen_in=("a", "b"))
    write_map(MarksMap((mole,), photos=("a", "b")), folder)
    try:
        after = shoot(people, ["collins"], request, out=tmp_path)[0].recipe
        assert Pixels(make_again(people, before).image).digest == before.output
        assert after.output != before.output
        assert Pixels(make_again(people, after).image).digest == after.output
        write_map(MarksMap((replace(mole, diameter_mm=7.0),), photos=("a", "b")), folder)
        with pytest.raises(InputError, match="marks of collins"):
            make_again(people, after)
    finally:
        shutil.rmtree(folder)


def test_slots_say_who_goes_where(people: Library, astronaut_path: Path, hopper_path: Path, tmp_path: Path) -> None:
    pair = np.hstack([np.asarray(PillowImage.open(p).convert("RGB"))[:512] for p in (astronaut_path, hopper_path)])
    template = tmp_path / "pair.png"
    PillowImage.fromarray(pair).save(template)
    (swapped,) = shoot(
        people,
        ["collins", "grace"],
        ShootConfig(templates=(str(template),), slots=("1=grace", "2=collins")),
        out=tmp_path,
    )
    assert all(p["source_distance"] < 0.52 for p in swapped.recipe.measures["people"])
    (left,) = shoot(
        people, [], ShootConfig(templates=(str(template),), slots=("left=grace", "right=none")), out=tmp_path
    )
    result = np.asarray(PillowImage.open(left.path))
    assert (result[:, 540:] == pair[:, 540:]).all()
    assert (result[:, :512] != pair[:, :512]).any()


def test_head_shot_and_id_photo(people: Library, tmp_path: Path) -> None:
    (shot,) = shoot(people, ["collins"], ShootConfig(backdrop="studio-grey"), out=tmp_path)
    assert shot.recipe.details["backdrop"] == "studio-grey"
    (photo,) = shoot(people, ["collins"], ShootConfig(id_photo="us-passport", format="jpeg"), out=tmp_path)
    with PillowImage.open(photo.path) as opened:
        assert opened.size == (600, 600)
        assert round(opened.info["dpi"][0]) == 300
    assert photo.path.with_name(photo.path.stem + "-sheet.jpg").is_file()
    assert any("authorities" in w.lower() for w in photo.recipe.details["warnings"])


def test_enlarged_portraits_are_larger(people: Library, hopper_path: Path, tmp_path: Path) -> None:
    small = tmp_path / "small.png"
    PillowImage.open(hopper_path).convert("RGB").crop((150, 60, 360, 270)).resize((72, 72)).save(small)
    (portrait,) = shoot(
        people, ["collins"], ShootConfig(templates=(str(small),)), Stages(finish=FinishConfig(scale=2)), out=tmp_path
    )
    assert PillowImage.open(portrait.path).size == (144, 144)


def test_wrong_requests_teach(people: Library, hopper_path: Path, tmp_path: Path) -> None:
    template = (str(hopper_path),)
    with pytest.raises(ConfigError, match="one of --template"):
        shoot(people, ["collins"], ShootConfig())
    with pytest.raises(ConfigError, match="several"):
        shoot(people, ["collins"], ShootConfig(templates=template, backdrop="white"))
    with pytest.raises(InputError, match="nobody-knows"):
        shoot(people, ["nobody-knows"], ShootConfig(templates=template))
    with pytest.raises(InputError, match="slot 3"):
        shoot(people, ["collins"], ShootConfig(templates=template, slots=("3=collins",)))
    with pytest.raises(InputError, match="2 sitters for 1 faces"):
        shoot(people, ["collins", "grace"], ShootConfig(templates=template))
    with pytest.raises(InputError, match="no such template"):
        template_paths(["/no/such/file.jpg"])
    with pytest.raises(InputError, match="found none"):
        template_paths([str(tmp_path)])
    blank = tmp_path / "blank.png"
    PillowImage.new("RGB", (300, 300), "grey").save(blank)
    with pytest.raises(InputError, match=r"blank\.png.*at least one face"):
        shoot(people, ["collins"], ShootConfig(templates=(str(blank),)))


@pytest.mark.parametrize("bad", ["anna", "0=anna", "x=anna", "1=", "-1=anna"])
def test_slot_words(bad: str) -> None:
    with pytest.raises(ConfigError):
        parse_slots((bad,))
    assert parse_slots(("left=anna", "2=none")) == {1: "anna", 2: "none"}


def test_a_changed_template_is_refused(people: Library, hopper_path: Path, tmp_path: Path) -> None:
    template = tmp_path / "template.png"
    PillowImage.open(hopper_path).convert("RGB").save(template)
    (portrait,) = shoot(people, ["collins"], ShootConfig(templates=(str(template),)), out=tmp_path)
    PillowImage.open(hopper_path).convert("RGB").rotate(1).save(template)
    with pytest.raises(InputError, match="changed"):
        make_again(people, portrait.recipe)
