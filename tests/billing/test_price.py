from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from registry.billing.price import DEAREST, hourly, hourly_cost, monthly, term

YEAR, THREE_YEARS, DAY = 31_536_000, 94_608_000, 86_400


@pytest.mark.parametrize(
    ("fixed", "usage", "hourly", "seconds", "offering", "cost"),
    [
        pytest.param("0", "0", "0.15", YEAR, "No Upfront", "0.15", id="nothing upfront"),
        pytest.param("8760", "0", "0", YEAR, "All Upfront", "1", id="all upfront"),
        pytest.param("876", "0", "0.05", YEAR, "Partial Upfront", "0.15", id="a part upfront"),
        pytest.param("26280", "0", "0", THREE_YEARS, "All Upfront", "1", id="three years"),
        pytest.param("876", "0.02", "0.03", YEAR, "Heavy Utilization", "0.15", id="of old"),
        pytest.param("876", "0", "0", YEAR, "", "0.1", id="an offering never recorded"),
        pytest.param("0", "0", "0.15", YEAR, "", "0.15", id="never recorded, hourly"),
        pytest.param("0", "0", "0.15", None, "No Upfront", "0.15", id="no term is needed"),
        pytest.param("0", "0", "0", YEAR, "All Upfront", None, id="modified, all upfront"),
        pytest.param("0", "0", "0.05", YEAR, "Partial Upfront", None, id="modified, a part"),
        pytest.param("0", "0", "0.05", YEAR, "Heavy Utilization", None, id="modified, of old"),
        pytest.param("0", "0", "0", YEAR, "No Upfront", None, id="nothing is ever free"),
        pytest.param("0", "0", "0", YEAR, "", None, id="nothing recorded is free"),
        pytest.param(None, "0", "0.15", YEAR, "No Upfront", None, id="no fixed price"),
        pytest.param("0", None, "0.15", YEAR, "No Upfront", None, id="no usage price"),
        pytest.param("0", "0", None, YEAR, "No Upfront", None, id="no recurring charge"),
        pytest.param("876", "0", "0", None, "All Upfront", None, id="no term"),
        pytest.param("876", "0", "0", 0, "All Upfront", None, id="an empty term"),
        pytest.param("876", "0", "0", -YEAR, "All Upfront", None, id="a term that ends before"),
    ],
)
def test_the_cost_of_an_hour(fixed, usage, hourly, seconds, offering, cost):
    def money(text):
        return None if text is None else Decimal(text)

    found = hourly_cost(
        fixed_price=money(fixed),
        usage_price=money(usage),
        recurring_hourly=money(hourly),
        seconds=seconds,
        offering_type=offering,
    )

    assert found == money(cost)


@pytest.mark.parametrize(
    ("offering", "used", "idle"),
    [
        pytest.param("Light Utilization", "0.15", "0.1", id="light: by use"),
        pytest.param("Medium Utilization", "0.15", "0.1", id="medium: by use"),
        pytest.param("Heavy Utilization", "0.15", "0.15", id="heavy: every hour"),
        pytest.param("Partial Upfront", "0.15", "0.15", id="as sold today"),
    ],
)
def test_the_usage_price_of_old_offerings_is_charged_for_use_alone(offering, used, idle):
    costs = [
        hourly_cost(
            fixed_price=Decimal(876),
            usage_price=Decimal("0.05"),
            recurring_hourly=Decimal(0),
            seconds=YEAR,
            offering_type=offering,
            is_used=is_used,
        )
        for is_used in (True, False)
    ]

    assert costs == [Decimal(used), Decimal(idle)]


def test_the_example_of_aws():
    found = hourly_cost(
        fixed_price=Decimal("60.00"),
        usage_price=Decimal(0),
        recurring_hourly=Decimal("0.007"),
        seconds=YEAR,
        offering_type="Partial Upfront",
    )

    assert found is not None
    assert (found * 8760).quantize(Decimal("0.01")) == Decimal("121.32")


@pytest.mark.parametrize(
    ("duration", "lasts", "seconds"),
    [
        pytest.param(YEAR, YEAR, YEAR, id="as bought"),
        pytest.param(YEAR, YEAR - 1, YEAR, id="a second short"),
        pytest.param(YEAR, YEAR + DAY, YEAR, id="over a leap day"),
        pytest.param(THREE_YEARS, THREE_YEARS + DAY, THREE_YEARS, id="three years and a leap day"),
        pytest.param(YEAR, YEAR // 2, YEAR // 2, id="bought from a reseller"),
        pytest.param(YEAR, YEAR + DAY + 1, YEAR + DAY + 1, id="longer than a leap day"),
        pytest.param(YEAR, None, YEAR, id="no end"),
        pytest.param(None, YEAR - 1, YEAR - 1, id="no duration"),
        pytest.param(None, None, None, id="neither"),
    ],
)
def test_the_term_of_a_purchase(duration, lasts, seconds):
    assert term(duration, lasts) == seconds


@pytest.mark.parametrize(
    ("cost", "stored"),
    [
        (None, None),
        (Fraction(1, 3), Decimal("0.33333333")),
        (Fraction(-1, 3), Decimal("-0.33333333")),
        (Decimal("0.000000005"), Decimal("0.00000000")),
        (Decimal("0.000000015"), Decimal("0.00000002")),
        (Decimal(DEAREST), None),
        (Fraction(-DEAREST), None),
        (Decimal("999999999999.1"), Decimal("999999999999.10000000")),
    ],
)
def test_an_hour_is_stored_to_eight_places_rounded_half_to_even(cost, stored):
    assert hourly(cost) == stored


@pytest.mark.parametrize(
    ("cost", "amount"),
    [
        (None, None),
        (Decimal(0), Decimal("0.00")),
        (Decimal("0.15"), Decimal("109.50")),
        (Decimal("-0.15"), Decimal("-109.50")),
        (Decimal("0.0000001"), Decimal("0.00")),
        (Decimal("0.00047945"), Decimal("0.35")),  # 0.3499985
        (Decimal("0.0005"), Decimal("0.36")),  # 0.365
        (Decimal(DEAREST), None),
        (Decimal("1e30"), None),
    ],
)
def test_a_month_has_730_hours_and_is_rounded_half_to_even(cost, amount):
    assert monthly(cost) == amount


@given(st.decimals(0, 1000, places=12))
def test_a_month_is_that_of_the_hour_as_it_is_stored(cost):
    assert monthly(cost) == monthly(hourly(cost))
