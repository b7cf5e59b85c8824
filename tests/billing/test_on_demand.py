from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from fractions import Fraction

import pytest

from registry.billing.codes import TABLE
from registry.billing.on_demand import (
    NO_PRICE,
    NOT_READ,
    Comparison,
    Kind,
    Line,
    Price,
    Worth,
    charged_code,
    codes_paid_by,
    kind_of,
    kind_of_purchase,
    price_of,
)
from tests.factories import LATER, NOON

PLAIN, RHEL, BYOL = "RunInstances", "RunInstances:0010", "RunInstances:00g0"


def dollars(amount, at=NOON):
    return Price(Decimal(amount), "USD", at)


UNKNOWN = Price(None, read_at=NOON, problem="AWS lists none.")


def line(now="0.10", due="0.16", count=1):
    prices = [each if isinstance(each, Price) else dollars(each) for each in (now, due)]
    return Line("m5.large", PLAIN, "default", count, *prices)


# What is listed


@pytest.mark.parametrize(
    ("code", "charged"),
    [
        (RHEL, RHEL),
        (PLAIN, PLAIN),
        (BYOL, PLAIN),
        ("RunInstances:0010:SV006", RHEL),
        ("RunInstances:0800", "RunInstances:0800"),
        ("RunInstances:01g0", "RunInstances:01g0"),
        ("Hourly", None),
        ("", None),
        (None, None),
    ],
)
def test_a_code_is_charged_as(code, charged):
    assert charged_code(code) == charged


@pytest.mark.parametrize(
    ("code", "tenancy", "has_price"),
    [
        (RHEL, "default", True),
        (RHEL, "dedicated", True),
        (RHEL, "host", False),
        (RHEL, "", False),
        (None, "default", False),
    ],
)
def test_what_is_not_known_or_billed_by_its_host_is_not_listed(code, tenancy, has_price):
    kind = kind_of("eu-west-1", "m5.large", code, tenancy)

    assert kind == (Kind("eu-west-1", "m5.large", RHEL, tenancy) if has_price else None)


def test_each_platform_that_can_be_bought_is_one_listed_price():
    platforms = {code.reserved_platform for code in TABLE if code.reserved_platform}

    kinds = {kind_of_purchase("eu-west-1", "m5.large", name, "default") for name in platforms}

    assert None not in kinds
    assert len(kinds) == len(platforms)
    assert codes_paid_by("Linux/UNIX (Amazon VPC)") == {PLAIN, BYOL}


def test_a_platform_that_nobody_knows_has_no_price():
    assert kind_of_purchase("eu-west-1", "m5.large", "Plan 9", "default") is None


def test_a_price_that_was_not_read_says_so():
    kind = Kind("eu-west-1", "m5.large", RHEL, "default")

    assert price_of(kind, {kind: UNKNOWN}) is UNKNOWN
    assert price_of(kind, {}) is NOT_READ
    assert price_of(None, {}) is NO_PRICE
    assert NOT_READ.hourly is NO_PRICE.hourly is None


# Instances of an image


def test_an_hour_of_all_is_the_sum_over_the_instances():
    found = Comparison([line(count=3), line("0.20", "0.32", count=2)])

    assert (found.now, found.due) == (Decimal("0.70"), Decimal("1.12"))
    assert found.difference == Decimal("0.42")
    assert found.excess == Decimal("-0.42")
    assert (found.count, found.unknown, found.currency) == (5, 0, "USD")


def test_the_difference_of_one_is_what_it_should_cost_more():
    assert line().difference == Decimal("0.06")
    assert line("0.16", "0.10").difference == Decimal("-0.06")


@pytest.mark.parametrize(
    ("unknown", "known"),
    [
        (line(now=UNKNOWN, count=2), ("now", "due")),
        (line(due=UNKNOWN, count=2), ("due", "now")),
    ],
)
def test_one_price_that_is_not_known_leaves_the_sum_unknown(unknown, known):
    found = Comparison([line(), unknown])

    assert getattr(found, known[0]) is None
    assert getattr(found, known[1]) is not None
    assert found.difference is None
    assert found.excess is None
    assert found.unknown == 2


def test_two_currencies_have_no_sum():
    yuan = replace(dollars("0.7"), currency="CNY")
    found = Comparison([line(), line(now=yuan, due=yuan)])

    assert (found.currency, found.now, found.difference) == ("", None, None)
    assert line(due=yuan).difference is None


def test_nothing_has_no_sum():
    found = Comparison([], others=4)

    assert (found.now, found.due, found.count, found.total) == (None, None, 0, 4)


def test_the_oldest_price_dates_it():
    old = dollars("0.1", NOON - timedelta(days=3))

    assert Comparison([line(due=old), line()]).read_at == old.read_at
    assert Comparison([line(now=NOT_READ, due=NOT_READ)]).read_at is None


# Purchases


def make_worth(**fields):
    kind = Kind("eu-west-1", "m5.large", RHEL, "default")
    defaults = {
        "kind": kind,
        "price": dollars("0.16", LATER),
        "paid": Decimal("0.10"),
        "currency": "USD",
        "rest": Fraction(5, 2),
    }
    return Worth(**defaults | fields)


def test_an_hour_of_use_is_worth_what_on_demand_costs_more():
    assert make_worth().gain == Decimal("0.06")


@pytest.mark.parametrize(
    "fields", [{"paid": None}, {"price": UNKNOWN}, {"currency": "CNY"}], ids=str
)
def test_without_both_prices_in_one_currency_nothing_is_said_of_worth(fields):
    assert make_worth(**fields).gain is None


def test_what_nobody_pays_for_costs_its_list_price():
    assert make_worth().rest_hourly == Decimal("0.40")
    assert make_worth(rest=Fraction(0)).rest_hourly == 0
    assert make_worth(rest=None).rest_hourly is None
    assert make_worth(price=UNKNOWN).rest_hourly is None
