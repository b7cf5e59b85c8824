from datetime import timedelta
from decimal import Decimal

import pytest

from registry.audit.waste import waste_of
from registry.billing.waste import Ahead
from registry.models import Utilization
from tests.factories import NOON, make_reserved_instance

pytestmark = pytest.mark.django_db
DAY = timedelta(days=1)
NOTHING = Ahead(Decimal(0), Decimal(0))


def make_idle(**fields):
    """A purchase of which half has been idle for ten days, and will be for ten more."""
    defaults = {
        "instance_count": 2,
        "used": "1",
        "idle": "1",
        "offering_type": "Partial Upfront",
        "fixed_price": Decimal(876),
        "recurring_hourly": Decimal("0.05"),
        "hourly_cost": Decimal("0.3"),
        "idle_hourly_cost": Decimal("0.15"),
        "judged_at": NOON,
        "end_at": NOON + 10 * DAY,
    }
    row = make_reserved_instance(**defaults | fields)
    note(row, NOON - 10 * DAY, "0.15")
    return row


def note(row, at, cost):
    Utilization.objects.create(
        reserved_instance=row, at=at, used="1", idle="1", idle_hourly_cost=cost and Decimal(cost)
    )


def test_what_was_recorded_and_what_is_ahead():
    found = waste_of(make_idle(), at=NOON)

    assert found.since == NOON - 10 * DAY
    assert found.so_far == Decimal("36.00")
    assert found.ahead == Ahead(sunk=Decimal("24.00"), avoidable=Decimal("12.00"))


@pytest.mark.parametrize(
    ("offering", "avoidable"), [("Light Utilization", "2.40"), ("Heavy Utilization", "12.00")]
)
def test_what_is_charged_by_use_alone_is_not_to_be_paid_of_what_is_idle(offering, avoidable):
    old = {"usage_price": Decimal("0.04"), "recurring_hourly": Decimal("0.01")}

    found = waste_of(make_idle(offering_type=offering, **old), at=NOON)

    assert found.ahead == Ahead(Decimal("36.00") - Decimal(avoidable), Decimal(avoidable))


def test_nothing_is_said_of_the_time_since_the_last_audit():
    found = waste_of(make_idle(), at=NOON + DAY)

    assert found.so_far == Decimal("36.00")
    assert found.ahead == Ahead(sunk=Decimal("21.60"), avoidable=Decimal("10.80"))


@pytest.mark.parametrize(
    ("fields", "so_far", "ahead"),
    [
        pytest.param({"end_at": NOON - 5 * DAY}, "18.00", NOTHING, id="it has ended"),
        pytest.param({"gone_at": NOON - 9 * DAY}, "3.60", NOTHING, id="it is gone"),
        pytest.param({"end_at": None}, "36.00", None, id="without an end"),
        pytest.param({"recurring_hourly": None}, "36.00", None, id="charges not recorded"),
        pytest.param({"usage_price": None}, "36.00", None, id="no usage price"),
        pytest.param({"idle_hourly_cost": None}, "36.00", None, id="a price that is not known"),
        pytest.param({"judged_at": None, "idle": ""}, None, None, id="not judged"),
    ],
)
def test_what_bounds_it(fields, so_far, ahead):
    found = waste_of(make_idle(**fields), at=NOON)

    assert found.so_far == (so_far and Decimal(so_far))
    assert found.ahead == ahead


def test_a_time_whose_cost_is_not_known_leaves_the_sum_unknown():
    row = make_idle()
    note(row, NOON - DAY, None)

    assert waste_of(row, at=NOON).so_far is None


def test_before_the_first_record_nothing_is_known():
    row = make_idle()
    Utilization.objects.all().delete()

    found = waste_of(row, at=NOON)

    assert (found.since, found.so_far) == (None, None)


def test_it_is_one_query_however_often_a_purchase_changed(django_assert_max_num_queries):
    row = make_idle()
    for number in range(30):
        note(row, NOON - DAY + number * timedelta(minutes=1), "0.15")

    with django_assert_max_num_queries(1):
        waste_of(row, at=NOON)
