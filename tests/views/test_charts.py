from datetime import UTC, datetime, timedelta
from fractions import Fraction

import pytest

from registry.billing.trend import Step, stretches
from registry.views.charts import Bar, Line, line_chart, spark, stacked_bars, step_chart

MONDAY = datetime(2026, 11, 23, tzinfo=UTC)
COLORS = {"low": "gray", "high": "red"}


def test_a_step_chart_draws_an_area_and_its_upper_edge():
    steps = [Step(MONDAY, Fraction(1)), Step(MONDAY + timedelta(days=1), Fraction(1, 2))]

    chart = step_chart(stretches(steps, MONDAY, MONDAY + timedelta(days=2)), ["Mon", "Wed"])

    area, line = chart.shapes
    assert line.path == "M0,0 L500,0 L500,120 L1000,120"
    assert area.path == f"{line.path} L1000,240 L0,240Z"
    assert [(mark.down, mark.up) for mark in chart.marks] == [
        ("240", "0"),
        ("120", "50"),
        ("0", "100"),
    ]


def test_columns_stand_on_each_other_from_the_bottom():
    chart = stacked_bars([Bar({"low": 1, "high": 3}), Bar(None)], COLORS, [])

    low, high = chart.shapes
    assert (low.path, low.style) == ("M75,240v-60h350v60z", "fill:gray")
    assert (high.path, high.style) == ("M75,180v-180h350v180z", "fill:red")


def test_what_is_none_has_no_column():
    chart = stacked_bars([Bar({"low": 0}), Bar({})], COLORS, [])

    assert chart.shapes == []
    assert [mark.text for mark in chart.marks] == ["0", "1"]


def test_a_spark_lies_between_its_least_and_its_most():
    found = spark([Fraction(2), None, Fraction(4)], "red")

    assert (found.path, found.x, found.y) == ("M0,27 L84,3", "84", "3")


def test_a_spark_that_never_changes_is_a_line():
    assert spark([Fraction(5), Fraction(5)], "red").path == "M0,27 L84,27"


@pytest.mark.parametrize("values", [[], [None, None], [Fraction(1), None]])
def test_without_two_points_there_is_no_spark(values):
    assert spark(values, "red") is None


def test_a_line_goes_by_steps_and_leaves_gaps():
    shares = [Fraction(1), Fraction(1, 2), None, Fraction(0)]

    chart = line_chart([Line(shares, "blue", "6 4")], ["Mon"], [["Mon"]])

    assert [shape.path for shape in chart.shapes] == [
        "M0,0 L250,0 L250,120 L500,120",
        "M750,240 L1000,240",
    ]
    assert chart.shapes[0].style == "fill:none;stroke:blue;stroke-width:2;stroke-dasharray:6 4"


def test_of_what_is_not_known_no_line_is_drawn():
    assert line_chart([Line([None, None], "blue")], [], []).shapes == []
