from datetime import UTC, datetime
from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from registry.billing.coverage import price
from registry.billing.modified import Bought, traced
from registry.billing.normalization import factor
from tests.billing.fleets import OTHER, bought

YEAR = 31_536_000
BEGIN, END = datetime(2026, 1, 1, tzinfo=UTC), datetime(2027, 1, 1, tzinfo=UTC)
CHANGED, AGAIN = datetime(2026, 7, 1, tzinfo=UTC), datetime(2026, 9, 1, tzinfo=UTC)


def purchase(aws_id, kind="m5.large", *, price="0", **fields):
    """A purchase that was paid for upfront, from the first day on and for a year."""
    defaults = {
        "aws_id": aws_id,
        "offering_type": "All Upfront",
        "fixed_price": None if price is None else Decimal(price),
        "recurring_hourly": Decimal(0),
        "duration_seconds": YEAR,
        "start": BEGIN,
        "end": END,
    }
    return bought(kind, **defaults | fields)


def origin(aws_id="ri-origin", kind="m5.large", *, price="876", **fields):
    """It was modified half a year later, and ended then."""
    fields = {"state": "retired", "end": CHANGED} | fields
    return Bought(purchase(aws_id, kind, price=price, **fields))


def made(*sources, kind="m5.large", **fields):
    return Bought(purchase("ri-made", kind, **{"start": CHANGED} | fields), sources)


def between(aws_id, *sources, kind="m5.large", **fields):
    """A purchase that was made and modified in its turn."""
    times = {"start": CHANGED, "end": AGAIN, "state": "retired"}
    return Bought(purchase(aws_id, kind, **times | fields), sources)


def hourly(*every):
    """What one Reserved Instance of the purchase that was made costs in an hour."""
    (found,) = [each for each in traced(every) if each.aws_id == "ri-made"]
    return price(found)


@pytest.mark.parametrize(
    ("every", "cost"),
    [
        pytest.param([origin(), made("ri-origin")], "0.1", id="one origin"),
        pytest.param(
            [origin(), made("ri-origin", start=AGAIN)], "0.1", id="whenever it was modified"
        ),
        pytest.param(
            [origin(), between("ri-1", "ri-origin"), made("ri-1", start=AGAIN)],
            "0.1",
            id="several modifications",
        ),
        pytest.param(
            [
                origin(),
                between("ri-1", "ri-origin"),
                between("ri-2", "ri-origin"),
                made("ri-1", "ri-2"),
            ],
            "0.1",
            id="split and merged again",
        ),
        pytest.param([origin(price="1752"), made("ri-origin")], "0.2", id="another price"),
        pytest.param(
            [origin(kind="m5.xlarge"), made("ri-origin", kind="m5.large")],
            "0.05",
            id="into halves",
        ),
        pytest.param(
            [origin(kind="m5.large"), made("ri-origin", kind="m5.2xlarge")],
            "0.4",
            id="of four into one",
        ),
        pytest.param(
            [
                origin(kind="m5.large"),
                between("ri-1", "ri-origin", kind="m5.2xlarge"),
                made("ri-1", kind="m5.xlarge"),
            ],
            "0.2",
            id="of several sizes",
        ),
        pytest.param(
            [origin(kind="m5.huge"), made("ri-origin", kind="m5.huge")],
            "0.1",
            id="a size without a factor, unchanged",
        ),
        pytest.param(
            [
                origin(offering_type="Partial Upfront", recurring_hourly=Decimal(7)),
                made(
                    "ri-origin", offering_type="Partial Upfront", recurring_hourly=Decimal("0.05")
                ),
            ],
            "0.15",
            id="with its own recurring charge",
        ),
        pytest.param(
            [origin(start=CHANGED, end=AGAIN, price="441.6"), made("ri-origin", start=AGAIN)],
            "0.1",
            id="an origin bought from a reseller: to the end of what was made",
        ),
        pytest.param([origin(duration_seconds=None), made("ri-origin")], "0.1", id="no duration"),
        pytest.param([origin(end=None), made("ri-origin")], "0.1", id="an origin without an end"),
        pytest.param(
            [origin(), made("ri-origin", offering_type="")], "0.1", id="an offering not recorded"
        ),
        pytest.param(
            [
                origin(price="0", offering_type="No Upfront"),
                made("ri-origin", offering_type="", recurring_hourly=Decimal("0.15")),
            ],
            "0.15",
            id="an origin of which nothing was paid upfront",
        ),
        pytest.param(
            [made("ri-origin", offering_type="No Upfront", recurring_hourly=Decimal("0.15"))],
            "0.15",
            id="nothing upfront needs no origin",
        ),
        pytest.param(
            [made("ri-origin", price="438", end=END, start=BEGIN)],
            "0.05",
            id="a price of its own needs none",
        ),
    ],
)
def test_a_modified_purchase_costs_what_was_paid_for_it(every, cost):
    assert hourly(*every) == Decimal(cost)


@pytest.mark.parametrize(
    "every",
    [
        pytest.param([made()], id="none was told"),
        pytest.param([made("ri-origin")], id="the origin is not known"),
        pytest.param(
            [origin(), origin("ri-2"), made("ri-origin", "ri-2")], id="two origins, priced alike"
        ),
        pytest.param([origin(), made("ri-origin", "ri-2")], id="one of two is not known"),
        pytest.param([origin(price="0"), made("ri-origin")], id="its price reads 0 too"),
        pytest.param([origin(price=None), made("ri-origin")], id="its price is not recorded"),
        pytest.param(
            [origin(price="0", offering_type=""), made("ri-origin")],
            id="its price reads 0 and its offering is not recorded",
        ),
        pytest.param(
            [
                origin(price="0", offering_type="Partial Upfront"),
                made("ri-origin", offering_type="", recurring_hourly=Decimal("0.05")),
            ],
            id="its price reads 0 though something was paid upfront",
        ),
        pytest.param([between("ri-1", "ri-0"), made("ri-1")], id="the way ends"),
        pytest.param([made("ri-made")], id="of itself"),
        pytest.param(
            [between("ri-1", "ri-2"), between("ri-2", "ri-1"), made("ri-1")], id="in a ring"
        ),
        pytest.param([origin(kind="c5.large"), made("ri-origin")], id="another family"),
        pytest.param(
            [origin(kind="m5.huge"), made("ri-origin")], id="another size without a factor"
        ),
        pytest.param(
            [origin(duration_seconds=None, start=None), made("ri-origin")], id="no term is known"
        ),
        pytest.param(
            [made("ri-origin", offering_type="", recurring_hourly=Decimal("0.05"))],
            id="not recorded whether anything was paid upfront",
        ),
        pytest.param([origin(account=OTHER), made("ri-origin")], id="an id of another account"),
        pytest.param([origin(region="eu-west-1"), made("ri-origin")], id="an id of another region"),
        pytest.param(
            [origin(), made("ri-origin", recurring_hourly=None)], id="its charges are not recorded"
        ),
    ],
)
def test_otherwise_its_cost_is_not_known(every):
    assert hourly(*every) is None


def test_what_is_earlier_is_an_origin_and_is_not_returned():
    (found,) = traced([made("ri-origin")], [origin()])

    assert price(found) == Decimal("0.1")


def test_a_ring_beside_an_origin_changes_nothing():
    ring = between("ri-1", "ri-2", "ri-origin"), between("ri-2", "ri-1")

    assert hourly(origin(), *ring, made("ri-1")) == Decimal("0.1")


def test_what_was_cut_short_does_not_tell_what_it_cost():
    """A retired purchase ended when it was modified; how long it was paid for is not with it."""
    assert price(origin().purchase) is None
    assert price(purchase("ri-1", price="876", state="retired")) == Decimal("0.1")


sizes = st.sampled_from(["nano", "small", "large", "xlarge", "2xlarge", "3xlarge", "24xlarge"])


@given(st.lists(sizes, min_size=2, max_size=5), st.decimals("0.01", "99999", places=2))
def test_the_footprint_costs_the_same_whatever_is_done_to_it(kinds, paid):
    first, *others = [f"m5.{size}" for size in kinds]
    every = [origin("ri-0", first, price=paid)]
    for number, kind in enumerate(others, 1):
        every.append(between(f"ri-{number}", f"ri-{number - 1}", kind=kind))

    last = traced(every)[-1]

    assert last.fixed_price is not None
    before, after = factor(first), factor(last.instance_type)
    assert before
    assert after
    exact = Fraction(paid) * after / before
    assert abs(Fraction(last.fixed_price) - exact) <= exact / 10**26
    assert last.paid_seconds == (AGAIN - BEGIN).total_seconds()
