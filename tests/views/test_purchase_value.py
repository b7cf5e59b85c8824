from datetime import timedelta
from decimal import Decimal

import pytest
from django.utils import timezone

from registry.models import Utilization
from tests.factories import make_image, make_instance, make_reserved_instance

MODIFIED = {"fixed_price": Decimal(0), "offering_type": "All Upfront", "hourly_cost": None}
DAY = timedelta(days=1)


@pytest.fixture
def make_idle(db):
    """Make a purchase of which one has been idle for 100 hours at $1, and is for 1,000 more."""
    now = timezone.now()

    def make(**fields):
        defaults = {
            "used": "0",
            "idle": "1",
            "judged_at": now,
            "end_at": now + timedelta(hours=1_000, minutes=1),
            "recurring_hourly": Decimal("0.25"),
            "hourly_cost": Decimal(1),
            "idle_hourly_cost": Decimal(1),
        }
        row = make_reserved_instance(**defaults | fields)
        Utilization.objects.create(
            reserved_instance=row,
            at=now - timedelta(hours=100),
            used=row.used,
            idle=row.idle,
            idle_hourly_cost=row.idle_hourly_cost,
        )
        return row

    return make


def page(client, row):
    return " ".join(client.get(row.get_absolute_url()).content.decode().split())


def test_what_is_spent_and_what_is_still_to_be_paid_stand_apart(signed_in, make_idle):
    found = page(signed_in, make_idle())

    assert "<dt>Idle so far</dt> <dd> $100" in found
    assert "Recorded since" in found
    assert "$1,000" in found
    assert "$750 was paid upfront and is spent" in found
    assert "$250 is still to be paid for nothing" in found


def test_without_a_price_nothing_is_called_free(signed_in, make_idle):
    found = page(signed_in, make_idle(idle_hourly_cost=None, **MODIFIED))

    assert "<dt>Idle so far</dt> <dd> Unknown" in found
    assert "still to be paid" not in found
    assert "$0" not in found


@pytest.mark.parametrize(
    ("fields", "says"),
    [
        pytest.param(
            {**MODIFIED, "modified_from": ["ri-1"], "hourly_cost": Decimal(1)},
            "the price of its origin is counted",
            id="traced",
        ),
        pytest.param(
            {**MODIFIED, "modified_from": ["ri-1"]},
            "what was paid for its origin is not known",
            id="traced to nothing known",
        ),
        pytest.param(
            {**MODIFIED, "modified_from": []}, "was modified or exchanged", id="of nothing told"
        ),
        pytest.param(
            {"usage_price": None, "fixed_price": None, "hourly_cost": None},
            "What was paid for it is not known.</p>",
            id="not recorded",
        ),
    ],
)
def test_says_where_a_price_is_from(signed_in, make_idle, fields, says):
    assert says in page(signed_in, make_idle(**fields))


def test_a_lost_code_is_not_called_a_saving_nor_dear(signed_in, make_idle):
    bad = make_image(expected_usage_operation="RunInstances:0010")
    machines = [make_instance(image_id=image_id) for image_id in (bad.aws_id, "ami-of-linux")]
    lost, plain = (
        page(
            signed_in,
            make_idle(
                product_description="Red Hat Enterprise Linux",
                reasons=[{"code": "wrong_platform", "instance_ids": [machine.aws_id]}],
            ),
        )
        for machine in machines
    )

    words = "costs less per hour, because no license is charged for it"
    assert words in lost
    assert "the risk of running without a license" in lost
    assert words not in plain
    assert "Savings Plans may pay for instances" in plain
