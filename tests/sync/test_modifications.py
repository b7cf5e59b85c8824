from fractions import Fraction

import pytest

from registry.audit.coverage import audit_coverage
from registry.billing.price import hourly
from registry.models import ReservedInstance
from registry.sync import sync_scope
from tests.data.items import drop, put, reserved_item
from tests.factories import LATER, NOON
from tests.sync.versions import versions

pytestmark = pytest.mark.django_db
OPERATION = "DescribeReservedInstancesModifications"
ORIGIN = reserved_item(1, State="retired")
MADE = reserved_item(2, FixedPrice=0.0, _modified_from=[ORIGIN["ReservedInstancesId"]])


def modified_from(item):
    return ReservedInstance.objects.get(aws_id=item["ReservedInstancesId"]).modified_from


def test_what_a_purchase_was_modified_from_is_read_once(aws, ec2, scope):
    put(aws, ORIGIN, MADE)

    sync_scope(ec2, scope, at=NOON)
    sync_scope(ec2, scope, at=LATER)

    assert modified_from(MADE) == [ORIGIN["ReservedInstancesId"]]
    assert modified_from(ORIGIN) is None
    assert aws.operations_called().count(OPERATION) == 1


@pytest.mark.parametrize(
    "fields",
    [
        pytest.param({"FixedPrice": 350.0}, id="its price is told"),
        pytest.param({"FixedPrice": 0.0, "OfferingType": "No Upfront"}, id="none was paid"),
    ],
)
def test_where_a_price_is_known_nothing_is_asked(aws, ec2, scope, fields):
    put(aws, reserved_item(1, **fields))

    sync_scope(ec2, scope, at=NOON)

    assert OPERATION not in aws.operations_called()


def test_what_aws_tells_nothing_of_is_asked_for_again(aws, ec2, scope):
    put(aws, MADE | {"_modified_from": []})
    sync_scope(ec2, scope, at=NOON)
    assert modified_from(MADE) == []
    put(aws, MADE)

    sync_scope(ec2, scope, at=LATER)

    assert modified_from(MADE) == [ORIGIN["ReservedInstancesId"]]


@pytest.mark.parametrize("fault", ["access-denied", "throttle", "server-error", "half-a-page"])
def test_where_it_cannot_be_read_the_sync_goes_on(aws, impatient, scope, fault):
    put(aws, ORIGIN, MADE)
    aws.fail(OPERATION, fault)

    synced = sync_scope(impatient, scope, at=NOON)

    assert modified_from(MADE) is None
    assert synced.changes["reserved instances"].seen == 2
    assert [one.what for one in synced.missed] == ["what modified purchases were before"]


def test_what_was_read_stays_when_it_can_no_longer_be(aws, impatient, scope):
    other = reserved_item(3, FixedPrice=0.0)
    put(aws, ORIGIN, MADE)
    sync_scope(impatient, scope, at=NOON)
    put(aws, MADE | {"InstanceCount": 3}, other)
    aws.fail(OPERATION, "access-denied")

    sync_scope(impatient, scope, at=LATER)

    assert modified_from(MADE) == [ORIGIN["ReservedInstancesId"]]


def test_what_is_no_longer_told_stays(aws, ec2, scope):
    put(aws, ORIGIN, MADE)
    sync_scope(ec2, scope, at=NOON)
    drop(aws, ORIGIN)
    put(aws, MADE | {"_modified_from": []})
    sync_scope(ec2, scope, at=LATER)
    before = versions(ReservedInstance)

    sync_scope(ec2, scope, at=LATER)

    assert modified_from(MADE) == [ORIGIN["ReservedInstancesId"]]
    assert versions(ReservedInstance) == before


def test_the_next_audit_counts_what_was_paid_for_the_origin(aws, ec2, scope):
    put(aws, ORIGIN, MADE | {"InstanceCount": 1})
    sync_scope(ec2, scope, at=NOON)

    audit_coverage(at=NOON)

    made = ReservedInstance.objects.get(aws_id=MADE["ReservedInstancesId"])
    assert made.hourly_cost == hourly(Fraction(350, 8760) + Fraction("0.041"))
