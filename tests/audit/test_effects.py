from decimal import Decimal

import pytest

from registry.audit.effects import Corrected, ImageEffect, effects_of
from registry.audit.fleet import Fleet
from tests.factories import NOON, make_account, make_instance, make_reserved_instance

pytestmark = pytest.mark.django_db
PLAIN, RHEL, RHEL_HA = "RunInstances", "RunInstances:0010", "RunInstances:1010"
LOST = Corrected("ami-lost", PLAIN, RHEL)


@pytest.fixture
def account(db):
    return make_account()


def launched(account, **fields):
    """An instance of the image that lost its code, without it."""
    return make_instance(
        account=account, **{"image_id": "ami-lost", "usage_operation": PLAIN} | fields
    )


def red_hat(account, **fields):
    platform = "Red Hat Enterprise Linux"
    return make_reserved_instance(account=account, product_description=platform, **fields)


def effect(image=LOST):
    return effects_of(Fleet.load(at=NOON), {1: image})[1]


def test_an_image_without_its_code_leaves_a_purchase_idle(account):
    launched(account)
    bought = red_hat(account, recurring_hourly=Decimal("0.15"))

    assert effect() == ImageEffect((bought.aws_id,), Decimal("109.50"), 1)


def test_a_price_that_is_not_known_makes_no_amount(account):
    launched(account)
    bought = red_hat(account, recurring_hourly=None)

    assert effect() == ImageEffect((bought.aws_id,), None, 1)


def test_without_a_purchase_nothing_is_idle_but_instances_run(account):
    launched(account)
    launched(account)

    assert effect() == ImageEffect((), Decimal("0.00"), 2)


@pytest.mark.parametrize(
    "fields",
    [
        pytest.param({"state": "stopped"}, id="stopped"),
        pytest.param({"state": ""}, id="a state never recorded"),
        pytest.param({"gone_at": NOON}, id="gone"),
        pytest.param({"image_id": "ami-other"}, id="of another image"),
        pytest.param({"image_id": ""}, id="of an image never recorded"),
        pytest.param({"usage_operation": RHEL}, id="converted to the right code"),
        pytest.param({"usage_operation": RHEL_HA}, id="converted to a third"),
        pytest.param(
            {"usage_operation": None, "platform_details": None}, id="a code never recorded"
        ),
    ],
)
def test_only_instances_that_run_with_the_wrong_code_are_concerned(account, fields):
    launched(account, **fields)
    red_hat(account)

    assert effect() == ImageEffect((), Decimal("0.00"), 0)


def test_a_code_may_be_spelled_in_two_ways(account):
    launched(account, usage_operation="RunInstances:0000")
    launched(account, usage_operation=None, platform_details="Linux/UNIX")
    red_hat(account)

    assert effect().running == 2


def test_a_code_that_was_left_empty_is_found_as_such(account):
    launched(account, usage_operation="", platform_details="")
    bought = red_hat(account)

    found = effect(Corrected("ami-lost", "", RHEL))

    assert (found.purchases, found.running) == ((bought.aws_id,), 1)


def test_images_that_compete_for_a_purchase_share_what_it_costs(account):
    launched(account)
    launched(account)
    launched(account, image_id="ami-also")
    bought = red_hat(account, instance_count=2, recurring_hourly=Decimal("0.15"))
    images = {1: Corrected("ami-also", PLAIN, RHEL), 2: LOST}

    found = effects_of(Fleet.load(at=NOON), images)

    assert {pk: each.monthly for pk, each in found.items()} == {
        1: Decimal("0.00"),
        2: Decimal("219.00"),
    }
    assert {pk: each.running for pk, each in found.items()} == {1: 1, 2: 2}
    assert {each.purchases for each in found.values()} == {(bought.aws_id,)}


def test_the_amounts_of_images_sum_up_to_that_of_all_in_cents(account):
    """A third of a cent thrice is a cent."""
    images = {}
    for number in range(3):
        launched(account, image_id=f"ami-{number}")
        images[number] = Corrected(f"ami-{number}", PLAIN, RHEL)
    red_hat(account, instance_count=3, recurring_hourly=Decimal("0.00000457"))

    found = effects_of(Fleet.load(at=NOON), images)

    assert sum(each.monthly or 0 for each in found.values()) == Decimal("0.01")


@pytest.mark.parametrize("number", [1, 20])
def test_the_number_of_queries_does_not_grow(account, number, django_assert_num_queries):
    for _ in range(number):
        launched(account)
        red_hat(account)

    with django_assert_num_queries(3):
        effect()
