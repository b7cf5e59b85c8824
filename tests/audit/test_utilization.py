from datetime import timedelta
from decimal import Decimal
from fractions import Fraction

import pytest

from registry.audit.utilization import MONTH, month
from registry.models import ReservedInstance, Utilization
from tests.factories import NOON, make_reserved_instance

pytestmark = pytest.mark.django_db
DAY = timedelta(days=1)


def bought(instance_type="m5.xlarge", **fields):
    return make_reserved_instance(instance_type=instance_type, **{"judged_at": NOON} | fields)


def keep(purchase, days, used, idle, *causes):
    Utilization.objects.create(
        reserved_instance=purchase,
        at=NOON - days * DAY,
        used=str(used),
        idle=str(idle),
        causes=causes,
    )


def found():
    return month(ReservedInstance.objects.present(), at=NOON)


def only():
    (kind,) = found().kinds
    return kind


def test_each_moment_weighs_the_same_and_what_was_before_holds():
    purchase = bought()
    keep(purchase, 200, 0, 2)
    keep(purchase, 100, 1, 1)
    keep(purchase, 10, 2, 0)

    assert only().share == Fraction(20 * 1 + 10 * 2, 30 * 2)
    assert found().since == NOON - MONTH


def test_the_hours_of_each_reserved_instance_are_counted():
    purchase = bought()
    keep(purchase, 1, "3/2", "1/2")

    assert (found().used, found().bought, found().share) == (36, 48, Fraction(3, 4))


def test_what_holds_holds_until_the_last_audit_and_not_longer():
    purchase = bought(judged_at=NOON - 2 * DAY)
    keep(purchase, 5, 1, 0)

    assert found().bought == 3 * 24


def test_a_purchase_that_was_not_judged_for_a_month_says_nothing():
    keep(bought(judged_at=NOON - 40 * DAY), 50, 1, 0)

    assert (only().share, found().share, found().since) == (None, None, None)


@pytest.mark.parametrize("cause", ["not_active", "gone", "unclear"])
def test_what_was_not_in_force_or_is_unclear_counts_neither_as_used_nor_as_idle(cause):
    purchase = bought()
    keep(purchase, 20, 0, 1, cause)
    keep(purchase, 10, 1, 0)

    assert (only().share, found().bought) == (1, 10 * 24)


def test_in_a_family_a_size_weighs_by_its_normalization_factor():
    keep(bought("m5.xlarge"), 1, 1, 0)
    keep(bought("m5.4xlarge"), 1, 0, 1)

    assert only().share == Fraction(8, 8 + 32)
    assert found().share == Fraction(1, 2)  # of all, each hour counts as one


def test_where_a_size_has_no_factor_all_weigh_the_same():
    keep(bought("g4dn.metal"), 1, 1, 0)
    keep(bought("g4dn.4xlarge"), 1, 0, 1)

    assert only().share == Fraction(1, 2)


def test_families_and_platforms_are_told_apart_and_spellings_are_not():
    for instance_type, platform in (
        ("m5.large", "Windows"),
        ("m5.xlarge", "Windows (Amazon VPC)"),
        ("m5.large", "Linux/UNIX"),
        ("c5.large", "Windows"),
    ):
        bought(instance_type, product_description=platform)

    kinds = {(kind.family, kind.platform): kind.purchases for kind in found().kinds}

    assert kinds == {("m5", "Windows"): 2, ("m5", "Linux/UNIX"): 1, ("c5", "Windows"): 1}


def test_the_costliest_comes_first_and_what_is_not_known_last():
    for family, cost in (("c5", None), ("m5", Decimal("0.1")), ("r5", Decimal("0.2"))):
        bought(f"{family}.large", idle_hourly_cost=cost)
    bought("m5.large", idle_hourly_cost=None)

    rows = [(kind.family, kind.idle_hourly, kind.unpriced) for kind in found().kinds]

    assert rows == [("r5", Decimal("0.2"), 0), ("m5", Decimal("0.1"), 1), ("c5", None, 1)]


def test_what_is_used_as_a_whole_has_no_idle_cost_whatever_its_price_is():
    bought("m5.large", idle="0", idle_hourly_cost=None)

    (kind,) = found().kinds

    assert (kind.idle_hourly, kind.unpriced) == (0, 0)


def test_the_others_are_together():
    for family, cost in (("m5", 3), ("c5", 2), ("r5", 1), ("t3", None)):
        keep(bought(f"{family}.large", idle_hourly_cost=cost), 1, int(family == "c5"), 1)

    first, others = found().first(1)

    assert [kind.family for kind in first] == ["m5"]
    assert (others.purchases, others.idle_hourly, others.unpriced) == (3, 3, 1)
    assert others.share == Fraction(1, 4)


def test_one_alone_is_no_other():
    for family in ("m5", "c5"):
        bought(f"{family}.large")

    first, others = found().first(1)

    assert (len(first), others) == (2, None)


def test_only_what_is_active_now_counts():
    keep(bought(state="retired"), 1, 0, 1)
    keep(bought(gone_at=NOON), 1, 0, 1)

    assert found().kinds == []


@pytest.mark.parametrize("count", [1, 12])
def test_a_month_takes_two_queries(count, django_assert_num_queries):
    for _ in range(count):
        purchase = bought()
        keep(purchase, 40, 0, 1)
        keep(purchase, 4, 1, 0)

    with django_assert_num_queries(2):
        found()
