"""Charts as SVG: points where they belong, round ticks, nothing that needs a script."""

from __future__ import annotations

import xml.etree.ElementTree as ElementTree

import pytest

from portraitist.pages.charts import Line, line_chart, ticks


def drawn(*lines: Line, most_x: float = 400) -> ElementTree.Element:
    return ElementTree.fromstring(line_chart(lines, title='a "chart" <x>', most_x=most_x))


def test_a_falling_curve_falls_on_the_picture() -> None:
    chart = drawn(Line("distance", [(0, 0.9), (200, 0.6), (400, 0.5)]))
    points = [tuple(map(float, p.split(","))) for p in chart.find(".//polyline").attrib["points"].split()]  # type: ignore[union-attr]
    xs, ys = zip(*points)
    assert list(xs) == sorted(xs)
    # Down on the picture is a larger y.
    assert list(ys) == sorted(ys)
    assert xs[1] - xs[0] == pytest.approx(xs[2] - xs[1], abs=0.2)
    assert (ys[1] - ys[0]) / (ys[2] - ys[1]) == pytest.approx(3, abs=0.1)
    _, _, width, height = map(float, chart.attrib["viewBox"].split())
    assert 0 < min(xs) <= max(xs) < width
    assert 0 < min(ys) <= max(ys) < height


def test_every_measurement_tells_its_value() -> None:
    chart = drawn(Line("in words", [(100, 0.512), (200, 0.498)]), Line("loss", [(100, 0.5)], has_dots=False))
    assert [title.text for title in chart.iter("title")] == ["in words at 100: 0.512", "in words at 200: 0.498"]
    assert [group.attrib["class"] for group in chart.findall("g")] == ["line-0", "line-1"]
    assert chart.attrib["aria-label"] == 'a "chart" <x>'


def test_without_a_point_it_says_so() -> None:
    assert "nothing measured yet" in line_chart([Line("loss", [])], title="Loss", most_x=10)


def test_a_single_point_and_a_flat_curve_have_a_place() -> None:
    for points in ([(0.0, 0.5)], [(0.0, 0.0), (10.0, 0.0)]):
        assert "nan" not in line_chart([Line("loss", points)], title="Loss", most_x=10)


@pytest.mark.parametrize(
    ("low", "high", "expected"),
    [
        (0, 800, [0, 200, 400, 600, 800]),
        (0, 2, [0, 0.5, 1, 1.5, 2]),
        (0.43, 0.61, [0.45, 0.5, 0.55, 0.6]),
        (0, 1, [0, 0.5, 1]),
        (0.0312, 0.0391, [0.032, 0.034, 0.036, 0.038]),
    ],
)
def test_ticks_are_round_and_few(low: float, high: float, expected: list[float]) -> None:
    assert ticks(low, high) == pytest.approx(expected)
