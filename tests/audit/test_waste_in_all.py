from datetime import timedelta
from decimal import Decimal

import pytest

from registry.audit.waste import waste_of
from registry.audit.waste_in_all import waste_in_all
from registry.models import ReservedInstance, Utilization
from tests.factories import NOON, make_reserved_instance

pytestmark = pytest.mark.django_db
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
TEN_CENTS = Decimal("0.1")


def bought(**fields):
    """Make a purchase of which one of two is idle, for 100 more hours."""
    defaults = {
        "instance_count": 2,
        "used": "1",
        "idle": "1",
        "idle_hourly_cost": TEN_CENTS,
        "recurring_hourly": Decimal("0.06"),
        "judged_at": NOON,
        "end_at": NOON + 100 * HOUR,
    }
    return make_reserved_instance(**defaults | fields)


def keep(purchase, hours, cost):
    Utilization.objects.create(
        reserved_instance=purchase,
        at=NOON - hours * HOUR,
        used="1",
        idle="1",
        idle_hourly_cost=cost,
    )


def found():
    return waste_in_all(ReservedInstance.objects.present(), at=NOON)


def test_what_is_idle_is_summed_up_so_far_and_until_the_end():
    first, second = bought(), bought()
    keep(first, 30, TEN_CENTS)
    keep(first, 10, Decimal("0.2"))
    keep(second, 5, TEN_CENTS)

    waste = found()

    assert (waste.purchases, waste.hourly, waste.since) == (2, Decimal("0.2"), NOON - 30 * HOUR)
    assert waste.so_far == Decimal("4.50")
    assert (waste.sunk, waste.avoidable, waste.ahead) == (8, 12, 20)
    assert (waste.unpriced, waste.so_far_unknown, waste.ahead_unknown) == (0, 0, 0)


@pytest.mark.parametrize(
    ("fields", "records", "unknown"),
    [
        pytest.param({}, [(9, TEN_CENTS)], (0, 0, 0), id="all known"),
        pytest.param({}, [], (0, 1, 0), id="nothing recorded"),
        pytest.param({}, [(9, None), (5, TEN_CENTS)], (0, 1, 0), id="a cost not known then"),
        pytest.param({}, [(9, TEN_CENTS), (0, None)], (0, 0, 0), id="not known for no time"),
        pytest.param({"idle_hourly_cost": None}, [(9, None)], (1, 1, 1), id="no price"),
        pytest.param({"usage_price": None}, [(9, TEN_CENTS)], (0, 0, 1), id="not what is charged"),
        pytest.param({"end_at": None}, [(9, TEN_CENTS)], (0, 0, 1), id="no end"),
        pytest.param({"judged_at": None, "idle": ""}, [], (0, 1, 1), id="not judged"),
        pytest.param({"end_at": NOON - 5 * HOUR}, [(9, TEN_CENTS)], (0, 0, 0), id="over"),
        pytest.param({"end_at": NOON - DAY}, [(9, TEN_CENTS)], (0, 1, 0), id="over before"),
        pytest.param({"idle": "0", "idle_hourly_cost": 0}, [(9, 0)], (0, 0, 0), id="nothing idle"),
        pytest.param(
            {"idle": "0", "idle_hourly_cost": None}, [(9, None)], (0, 1, 0), id="none, no price"
        ),
    ],
)
def test_it_is_what_the_page_of_the_purchase_says(fields, records, unknown):
    purchase = bought(**fields)
    for hours, cost in records:
        keep(purchase, hours, cost)
    purchase.refresh_from_db()
    alone = waste_of(purchase, at=NOON)

    waste = found()

    assert (waste.unpriced, waste.so_far_unknown, waste.ahead_unknown) == unknown
    assert waste.so_far == (alone.so_far or 0)
    assert waste.ahead == (alone.ahead.total if alone.ahead else 0)


def test_of_nothing_there_is_no_waste():
    waste = found()

    assert (waste.purchases, waste.hourly, waste.so_far, waste.since) == (0, 0, 0, None)


@pytest.mark.parametrize("count", [1, 12])
def test_however_many_it_takes_two_queries(count, django_assert_num_queries):
    for _ in range(count):
        keep(bought(), 5, TEN_CENTS)

    with django_assert_num_queries(2):
        found()
