from datetime import UTC, datetime, timedelta
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from registry.billing.trend import Step, average, percent, place, share_of, stretches, ticks

MONDAY = datetime(2026, 11, 23, tzinfo=UTC)
DAY = timedelta(days=1)
HALF = Fraction(1, 2)


def step(days, share):
    return Step(MONDAY + days * DAY, None if share is None else Fraction(share))


@pytest.mark.parametrize(
    ("used", "idle", "causes", "share"),
    [
        pytest.param("3/2", "1/2", ["wrong_platform"], Fraction(3, 4), id="in fractions"),
        pytest.param("2", "0", [], Fraction(1), id="all"),
        pytest.param("0", "2", [], Fraction(0), id="none, and nobody knows why"),
        pytest.param("0", "2", ["not_active"], None, id="not active"),
        pytest.param("0", "0", ["gone"], None, id="gone"),
        pytest.param("0", "2", ["unclear"], None, id="state not recorded"),
        pytest.param("0", "0", [], None, id="nothing bought"),
    ],
)
def test_which_share_was_used(used, idle, causes, share):
    assert share_of(used, idle, causes) == share


def test_each_moment_weighs_the_same():
    steps = [step(0, 1), step(1, 0), step(3, HALF)]

    found = average(steps, MONDAY, MONDAY + 4 * DAY)

    assert found.share == Fraction(3, 8)
    assert found.known == 4 * DAY


def test_what_was_before_holds_until_the_next_step():
    steps = [step(-30, 1), step(2, 0)]

    assert average(steps, MONDAY, MONDAY + 4 * DAY).share == HALF


@pytest.mark.parametrize(
    "steps", [pytest.param([step(0, HALF), step(1, None)], id="gap"), pytest.param([step(3, HALF)])]
)
def test_a_time_that_is_not_known_counts_neither_as_used_nor_as_idle(steps):
    found = average(steps, MONDAY, MONDAY + 4 * DAY)

    assert (found.share, found.known) == (HALF, DAY)


@pytest.mark.parametrize(
    "steps",
    [
        pytest.param([], id="nothing kept"),
        pytest.param([step(0, None)], id="nothing known"),
        pytest.param([step(4, 1)], id="kept only just now"),
    ],
)
def test_without_anything_known_there_is_no_average(steps):
    assert average(steps, MONDAY, MONDAY + 4 * DAY) is None
    assert stretches(steps, MONDAY, MONDAY + 4 * DAY) == []


def test_a_chart_goes_by_steps_and_leaves_gaps():
    steps = [step(-1, 1), step(1, HALF), step(2, None), step(3, 0)]

    first, second = stretches(steps, MONDAY, MONDAY + 4 * DAY)

    quarter = Fraction(1, 4)
    assert [*map(list, first.corners)] == [[0, 1], [quarter, 1], [quarter, HALF], [HALF, HALF]]
    assert [*map(list, second.corners)] == [[3 * quarter, 0], [1, 0]]


@settings(max_examples=40)
@given(st.lists(st.tuples(st.integers(1, 9), st.fractions(0, 1) | st.none()), max_size=8))
def test_the_area_under_a_chart_is_the_average(parts):
    steps, days = [], 0
    for length, share in parts:
        steps.append(step(days, share))
        days += length
    until = MONDAY + max(days, 1) * DAY

    found = average(steps, MONDAY, until)
    drawn = [pair for one in stretches(steps, MONDAY, until) for pair in one.corners]

    area = sum(
        (right[0] - left[0]) * left[1] for left, right in zip(drawn[::2], drawn[1::2], strict=True)
    )
    known = found.known / (until - MONDAY) if found else 0
    assert area == (found.share * Fraction(known).limit_denominator(100) if found else 0)


@pytest.mark.parametrize(
    ("most", "marks"),
    [
        (0, [0, 1]),
        (1, [0, 1]),
        (4, [0, 1, 2, 3, 4]),
        (5, [0, 2, 4, 6]),
        (20, [0, 5, 10, 15, 20]),
        (47, [0, 20, 40, 60]),
        (Fraction(201, 2), [0, 50, 100, 150]),
        (1_284, [0, 500, 1_000, 1_500]),
    ],
)
def test_an_axis_begins_at_zero_and_has_few_marks(most, marks):
    assert ticks(most) == marks


@given(st.integers(0, 10**9))
@settings(max_examples=50)
def test_an_axis_reaches_what_it_shows(most):
    marks = ticks(most)

    assert marks[-1] >= most
    assert 2 <= len(marks) <= 5


@pytest.mark.parametrize(
    ("value", "text"),
    [(0, "0"), (Fraction(1, 3), "0.3"), (1000, "1000"), (Fraction(12345, 10), "1234.5")],
)
def test_a_place_is_written_as_svg_reads_it(value, text):
    assert place(value) == text


def test_a_large_place_is_no_power_of_ten():
    assert place(12_345_678) == "12345678"


@pytest.mark.parametrize(
    ("share", "text"),
    [
        (Fraction(0), "0"),
        (Fraction(1, 1000), "under 1"),
        (Fraction(1, 3), "33"),
        (Fraction(999, 1000), "over 99"),
        (Fraction(1), "100"),
    ],
)
def test_nearly_all_is_not_all(share, text):
    assert percent(share) == text
