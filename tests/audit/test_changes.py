from decimal import Decimal

import pytest

from registry.audit.changes import changes, changes_for
from registry.audit.fleet import Fleet
from registry.models import FindingState
from tests.factories import (
    NOON,
    make_account,
    make_finding,
    make_image,
    make_instance,
    make_reserved_instance,
)

pytestmark = pytest.mark.django_db
PLAIN, RHEL = "RunInstances", "RunInstances:0010"
ZONE = {"availability_zone": "eu-west-1b", "availability_zone_id": "euw1-az2"}


@pytest.fixture
def account(db):
    return make_account()


def lost(account, *, cause="", number=1):
    """An image that lost its code, with running instances."""
    image = make_image(account=account, verdict="lost", expected_usage_operation=RHEL)
    make_finding(image=image, rule="AMI001", cause=cause)
    for _ in range(number):
        make_instance(account=account, image_id=image.aws_id)
    return image


def red_hat(account, number=1, **fields):
    platform = "Red Hat Enterprise Linux"
    price = {"recurring_hourly": Decimal("0.15")}
    return make_reserved_instance(
        account=account, product_description=platform, instance_count=number, **price | fields
    )


def zonal(account, **fields):
    return make_reserved_instance(
        account=account, scope="Availability Zone", **ZONE | {"instance_type": "c5.large"} | fields
    )


def reckoned():
    return changes(Fleet.load(at=NOON))


def told(found):
    return [(each.kind, each.name, each.effect.units) for each in found]


def test_each_kind_of_change_is_told_the_dearest_first(account):
    alone = make_account(payer=account.number, reserved_instance_sharing=False)
    first, second = lost(account, cause="ami-0", number=2), lost(account, cause="ami-0")
    red_hat(account, 3)
    moved = zonal(account, recurring_hourly=Decimal("0.2"))
    make_instance(account=account, instance_type="c5.large")
    make_reserved_instance(account=alone, instance_type="r5.large")
    make_instance(account=account, instance_type="r5.large")

    found = reckoned()

    assert told(found) == [
        ("cause", "ami-0", 3),
        ("image", first.aws_id, 2),
        ("region", moved.aws_id, 1),
        ("image", second.aws_id, 1),
        ("sharing", alone.number, 1),
    ]
    added = [each.adds for each in found if each.adds]
    assert sum(each.units for each in added) == 5
    assert sum(each.hourly for each in added) == Decimal("0.70")
    assert [each.instances for each in found] == [3, 2, 0, 1, 0]
    assert found[0].adds is None


def test_changes_that_compete_for_a_purchase_count_once(account):
    lost(account)
    lost(account)
    red_hat(account)

    found = reckoned()

    assert [each.effect.units for each in found] == [1, 1]
    assert [each.adds.units for each in found] == [1, 0]


def test_what_would_use_nothing_is_not_told(account):
    lost(account)
    make_instance(account=account, instance_type="c5.large", **ZONE)
    zonal(account)

    assert reckoned() == ()


@pytest.mark.parametrize(
    "fields",
    [
        pytest.param({"resolved_at": NOON, "state": "resolved"}, id="put right"),
        pytest.param({"state": FindingState.WAIVED}, id="waived"),
        pytest.param({"rule": "AMI012"}, id="about something else"),
    ],
)
def test_only_images_with_a_wrong_code_are_corrected(account, fields):
    image = make_image(account=account, expected_usage_operation=RHEL)
    make_finding(image=image, **{"rule": "AMI001"} | fields)
    make_instance(account=account, image_id=image.aws_id)
    red_hat(account)

    assert reckoned() == ()


def test_a_price_that_is_not_known_is_no_amount(account):
    lost(account)
    red_hat(account, recurring_hourly=None)

    (found,) = reckoned()

    assert found.effect.units == 1
    assert found.effect.hourly is None


def test_for_one_purchase_the_change_that_uses_most_of_it_comes_first(account):
    image = lost(account)
    lost(make_account())
    more = lost(account, cause="ami-0", number=2)
    lost(account, cause="ami-0")
    bought = red_hat(account, 3)
    red_hat(account, instance_type="c5.large")

    found = changes_for(bought, at=NOON)

    names = [("cause", "ami-0", 3), ("image", more.aws_id, 2), ("image", image.aws_id, 1)]
    assert told(found)[:3] == names
    assert len(found) == 4


def test_a_purchase_moves_to_the_region_or_to_the_zone_where_something_runs(account):
    bought = zonal(account)
    make_instance(account=account, instance_type="c5.large")

    found = changes_for(bought, at=NOON)

    assert [(each.kind, each.zone) for each in found] == [("region", ""), ("zone", "euw1-az1")]


def test_what_is_near_a_purchase_is_of_its_payer_region_and_family(account):
    bought = red_hat(account)
    member = make_account(payer=account.number)
    images = [lost(member), lost(make_account())]
    make_instance(account=member, image_id=images[0].aws_id, instance_type="m5n.large")
    make_instance(account=member, image_id=images[0].aws_id, region="us-east-1")

    (found,) = changes_for(bought, at=NOON)

    assert (found.name, found.instances) == (images[0].aws_id, 1)


def test_a_cause_is_corrected_without_what_is_waived(account):
    images = [lost(account, cause="ami-0") for _ in range(3)]
    images[0].findings.update(state=FindingState.WAIVED)
    red_hat(account, 3)

    (cause,) = [each for each in reckoned() if each.kind == "cause"]

    assert cause.images == tuple(image.aws_id for image in images[1:])
    assert cause.effect.units == 2


@pytest.mark.parametrize("number", [1, 10])
def test_the_number_of_queries_does_not_grow(account, number, django_assert_num_queries):
    for _ in range(number):
        lost(account)
        bought = red_hat(account)

    with django_assert_num_queries(4):
        reckoned()
    with django_assert_num_queries(5):
        changes_for(bought, at=NOON)
