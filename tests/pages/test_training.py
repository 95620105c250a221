"""The page of a training, read back by a parser: what it shows, when it reloads; nothing is loaded from elsewhere."""

from __future__ import annotations

from dataclasses import replace
from html.parser import HTMLParser

from portraitist.pages.charts import Line
from portraitist.pages.training import CheckRow, Shot, TrainingView, in_words, thinned, training_page

VIEW = TrainingView(
    "anna on mini",
    120,
    400,
    150.0,
    "12:00:00",
    {"Loss": [Line("of the training", [(10, 0.2), (20, 0.1)], has_dots=False)], "Distance": [Line("in words", [])]},
    [
        CheckRow(
            "step <100>", "distance 0.5", [Shot("checks/a.png", "0.512"), Shot("checks/b.png", "0.4, a copy", True)]
        )
    ],
)
VOID = {"meta", "img", "br", "hr", "input", "link"}


class Page(HTMLParser):
    """Tags with their attributes, and a check that each is closed."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []
        self.words = ""
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.words += data

    def all(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.tags if name == tag]


def test_it_shows_curves_pictures_and_what_is_left() -> None:
    page = Page(training_page(VIEW))
    assert page.open == []
    assert len(page.all("svg")) == 1
    assert "Distance: nothing measured yet" in page.words
    assert [image["src"] for image in page.all("img")] == ["checks/a.png", "checks/b.png"]
    assert "step 120 of 400, about 2 min 30 s left" in page.words
    assert "step <100>" in page.words
    assert page.all("progress")[0] == {"value": "120", "max": "400"}


def test_it_reloads_while_it_runs_and_not_after() -> None:
    def refreshes(view: TrainingView) -> list[str | None]:
        return [meta.get("content") for meta in Page(training_page(view)).all("meta") if meta.get("http-equiv")]

    assert refreshes(VIEW) == ["5"]
    ended = replace(VIEW, has_ended=True, said=("kept: step 300",))
    assert refreshes(ended) == []
    assert "kept: step 300" in Page(training_page(ended)).words
    assert not Page(training_page(ended)).all("progress")


def test_nothing_is_loaded_from_elsewhere() -> None:
    text = training_page(VIEW)
    page = Page(text)
    assert not page.all("script")
    assert not page.all("link")
    assert "//" not in text.replace("</", "")
    assert "prefers-color-scheme: dark" in text


def test_durations_are_said_as_people_do() -> None:
    assert [in_words(seconds) for seconds in (0.4, 59, 61, 3599.6, 7300)] == [
        "0 s", "59 s", "1 min 1 s", "1 h 0 min", "2 h 1 min",
    ]  # fmt: skip


def test_many_losses_become_few_means() -> None:
    points = [(float(step), float(step % 2)) for step in range(1, 1001)]
    few = thinned(points, 100)
    assert len(few) == 100
    assert few[-1] == (1000.0, 0.5)
    assert thinned(points[:3], 100) == points[:3]
    assert thinned([]) == []
