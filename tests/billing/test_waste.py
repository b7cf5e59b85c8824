from datetime import timedelta
from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from registry.billing.price import hourly
from registry.billing.waste import Ahead, Record, ahead, so_far
from tests.billing.fleets import NOON

HOUR = timedelta(hours=1)
NOTHING = Ahead(Decimal(0), Decimal(0))


def records(*steps):
    """Records at so many hours after noon."""
    return [
        Record(NOON + hours * HOUR, None if cost is None else Decimal(cost))
        for hours, cost in steps
    ]


def money(text):
    return None if text is None else Decimal(text)


@pytest.mark.parametrize(
    ("steps", "hours", "cost"),
    [
        pytest.param([(0, "0.15")], 730, "109.50", id="idle for a month"),
        pytest.param([(0, "0.15"), (10, "0.3")], 20, "4.50", id="more of it since"),
        pytest.param([(0, "0.15"), (10, "0")], 730, "1.50", id="used since"),
        pytest.param([(0, "0.15"), (10, "0"), (20, "0.15")], 30, "3.00", id="idle again"),
        pytest.param([(0, "0")], 730, "0.00", id="never idle"),
        pytest.param([(0, "0.15")], 0, "0.00", id="seen just now"),
        pytest.param([(0, "0.15")], 0.5, "0.08", id="half an hour, to the even cent"),
        pytest.param([(0, "0.15"), (10, "9")], 10, "1.50", id="what begins at its end"),
        pytest.param([(0, "0.15"), (10, "9"), (20, "9")], 5, "0.75", id="what is after its end"),
        pytest.param([(0, "0.15"), (10, None)], 10, "1.50", id="not known from its end on"),
        pytest.param([(0, "0.15"), (10, None)], 11, None, id="not known at last"),
        pytest.param([(0, None), (10, "0.15")], 20, None, id="not known at first"),
        pytest.param([(0, "0"), (5, None), (10, "0.15")], 20, None, id="not known between"),
        pytest.param([], 730, None, id="nothing was recorded"),
        pytest.param([(10, "0.15")], 5, None, id="nothing was recorded by then"),
    ],
)
def test_what_idle_ones_have_cost(steps, hours, cost):
    assert so_far(records(*steps), until=NOON + hours * HOUR) == money(cost)


@pytest.mark.parametrize(
    ("idle_hourly", "charged", "idle", "hours", "sunk", "avoidable"),
    [
        pytest.param("0.15", "0.15", 1, 730, "0.00", "109.50", id="nothing upfront"),
        pytest.param("0.15", "0", 1, 730, "109.50", "0.00", id="all upfront"),
        pytest.param("0.15", "0.05", 1, 730, "73.00", "36.50", id="a part upfront"),
        pytest.param("0.45", "0.05", 3, 100, "30.00", "15.00", id="several"),
        pytest.param("0.05", "0.15", Fraction(1, 3), 10, "0.00", "0.50", id="a third of one"),
        pytest.param("0", "0.15", 0, 730, "0", "0", id="all used"),
        pytest.param("0", None, 0, 730, "0", "0", id="all used, whatever it costs"),
        pytest.param("0", "0.15", 2, None, "0", "0", id="not active: it costs nothing"),
        pytest.param("0.15", "0.15", 1, 0, "0", "0", id="it ends now"),
        pytest.param(None, None, 1, -5, "0", "0", id="it has ended"),
    ],
)
def test_what_idle_ones_will_cost(idle_hourly, charged, idle, hours, sunk, avoidable):
    end = None if hours is None else NOON + hours * HOUR

    found = ahead(money(idle_hourly), money(charged), Fraction(idle), at=NOON, end=end)

    assert found == Ahead(Decimal(sunk), Decimal(avoidable))


@pytest.mark.parametrize(
    ("idle_hourly", "charged", "hours"),
    [
        pytest.param(None, "0.15", 730, id="what idle ones cost"),
        pytest.param("0.15", None, 730, id="what is charged each hour"),
        pytest.param("0.15", "0.15", None, id="its end"),
        pytest.param("0.15", "0.16", 730, id="which of two prices is right"),
    ],
)
def test_what_is_not_known_leaves_the_cost_unknown(idle_hourly, charged, hours):
    end = None if hours is None else NOON + hours * HOUR

    assert ahead(money(idle_hourly), money(charged), Fraction(1), at=NOON, end=end) is None


prices = st.decimals("0", "50", places=8)


@given(prices, prices, st.fractions(0, 100, max_denominator=768), st.integers(0, 26_280))
def test_the_two_parts_are_the_whole(upfront, charged, idle, hours):
    rate = hourly((Fraction(upfront) + Fraction(charged)) * idle)

    found = ahead(rate, charged, idle, at=NOON, end=NOON + hours * HOUR)

    assert found is not None
    assert min(found.sunk, found.avoidable) >= 0
    assert found.total == found.sunk + found.avoidable
    assert abs(Fraction(found.total) - Fraction(rate or 0) * hours) <= Fraction(1, 200)
    assert upfront or not found.sunk


@given(
    st.lists(st.tuples(st.integers(1, 500), prices), min_size=1, max_size=8), st.integers(0, 500)
)
def test_it_is_the_sum_of_every_hour(steps, last):
    at, told, every = 0, [], Fraction(0)
    for length, cost in steps:
        told.append((at, cost))
        at += length
    until = at - steps[-1][0] + last
    for hour in range(until):
        every += Fraction([cost for begin, cost in told if begin <= hour][-1])

    found = so_far(records(*told), until=NOON + until * HOUR)

    assert found is not None
    assert abs(Fraction(found) - every) <= Fraction(1, 200)
