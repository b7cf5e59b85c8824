from datetime import datetime, timedelta, timezone
from decimal import Decimal

import pytest

from registry.audit import audit, audit_answer
from registry.audit.answer import money
from tests.factories import (
    LATER,
    NOON,
    make_account,
    make_image,
    make_instance,
    make_reserved_instance,
)

pytestmark = pytest.mark.django_db
RHEL = "RunInstances:0010"


def shape(value):
    """Return the keys and types of a value, of a list those of its first item."""
    if isinstance(value, dict):
        return {key: shape(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [shape(inner) for inner in value[:1]]
    return type(value)


def test_the_answer_has_the_keys_and_types_of_the_contract():
    account = make_account(number="123456789012")
    make_image(account=account, declared=RHEL)
    place = {"account": account, "instance_type": "m5.xlarge"}
    make_instance(**place, usage_operation=RHEL)
    make_instance(**place, usage_operation="RunInstances")
    make_reserved_instance(
        **place, instance_count=2, product_description="Red Hat Enterprise Linux"
    )
    audit(at=NOON)

    answer = audit_answer(at=NOON)

    assert shape(answer) == {
        "schema_version": int,
        "as_of": str,
        "images": [
            {
                "account": str,
                "region": str,
                "image_id": str,
                "platform_details": str,
                "usage_operation": str,
                "expected": {
                    "usage_operation": str,
                    "platform": str,
                    "confidence": str,
                    "source": str,
                },
                "verdict": str,
                "missing": [str],
                "unexpected": [],
                "rules": [str],
            }
        ],
        "reserved_instances": [
            {
                "account": str,
                "region": str,
                "reserved_instances_id": str,
                "platform": str,
                "count": int,
                "used": float,
                "idle": float,
                "applies": bool,
                "reasons": [{"code": str, "instance_ids": [str]}],
                "covers": [{"instance_id": str, "fraction": float}],
                "hourly_cost": str,
                "idle_hourly_cost": str,
            }
        ],
        "instances": [{"instance_id": str, "covered": float, "rules": []}],
    }
    assert answer["schema_version"] == 1


def test_what_is_not_known_is_null():
    make_image(platform_details=None, usage_operation=None)
    make_reserved_instance(fixed_price=None)
    audit(at=NOON)

    answer = audit_answer(at=NOON)

    (image,), (bought,) = answer["images"], answer["reserved_instances"]
    assert (image["platform_details"], image["usage_operation"]) == (None, None)
    assert image["expected"]["usage_operation"] is None
    assert (bought["hourly_cost"], bought["idle_hourly_cost"]) == (None, None)


def test_what_was_not_judged_yet_has_no_evidence():
    make_image()

    (image,) = audit_answer(at=NOON)["images"]

    assert image["verdict"] == "unknown"
    assert image["expected"]["source"] == "none"


@pytest.mark.parametrize(
    "at", [NOON, NOON.astimezone(timezone(timedelta(hours=-5)))], ids=["UTC", "New York"]
)
def test_its_time_is_utc(at):
    assert audit_answer(at=at)["as_of"] == "2026-11-24T12:00:00Z"


def test_an_idle_cost_that_is_not_known_is_null():
    account = make_account()
    make_instance(account=account, usage_operation=None, platform_details=None)
    make_reserved_instance(account=account)
    audit(at=NOON)

    (bought,) = audit_answer(at=NOON)["reserved_instances"]

    assert (bought["used"], bought["idle"], bought["reasons"]) == (0, 1, [])
    assert (bought["hourly_cost"], bought["idle_hourly_cost"]) == ("0.05", None)


def test_its_time_has_whole_seconds():
    at = datetime.fromisoformat("2026-11-24T12:00:00.987654+00:00")

    assert audit_answer(at=at)["as_of"] == "2026-11-24T12:00:00Z"


def test_what_is_gone_is_not_in_it():
    make_image(gone_at=LATER)
    make_instance(gone_at=LATER)
    make_reserved_instance(gone_at=LATER)

    answer = audit_answer(at=NOON)

    assert [answer[key] for key in ("images", "reserved_instances", "instances")] == [[], [], []]


def test_instances_that_do_not_run_are_not_in_it():
    make_instance(state="stopped")

    assert audit_answer(at=NOON)["instances"] == []


@pytest.mark.parametrize(
    ("place", "count"),
    [
        ({}, 3),
        ({"account": "111111111111"}, 2),
        ({"region": "us-east-1"}, 2),
        ({"account": "111111111111", "region": "us-east-1"}, 1),
    ],
    ids=["everything", "an account", "a region", "a region of an account"],
)
def test_it_may_be_about_a_part(place, count):
    one, two = make_account(number="111111111111"), make_account(number="222222222222")
    places = ((one, "us-east-1"), (one, "eu-west-1"), (two, "us-east-1"))
    for account, region in places:
        make_image(account=account, region=region)
        make_instance(account=account, region=region)
        make_reserved_instance(account=account, region=region)

    answer = audit_answer(**place, at=NOON)

    assert [len(answer[key]) for key in ("images", "reserved_instances", "instances")] == [
        count,
        count,
        count,
    ]


def test_things_are_in_the_order_of_account_region_and_id():
    one, two = make_account(number="111111111111"), make_account(number="222222222222")
    make_image(account=two, aws_id="ami-1")
    make_image(account=one, region="us-east-1", aws_id="ami-2")
    make_image(account=one, region="eu-west-1", aws_id="ami-4")
    make_image(account=one, region="eu-west-1", aws_id="ami-3")

    found = [image["image_id"] for image in audit_answer(at=NOON)["images"]]

    assert found == ["ami-3", "ami-4", "ami-2", "ami-1"]


@pytest.mark.parametrize("count", [1, 25])
def test_the_number_of_queries_does_not_grow(count, django_assert_num_queries):
    account = make_account()
    for _ in range(count):
        make_image(account=account, declared=RHEL)
        make_instance(account=account)
        make_reserved_instance(account=account)
    audit(at=NOON)

    with django_assert_num_queries(6):
        audit_answer(at=NOON)


@pytest.mark.parametrize(
    ("amount", "text"),
    [
        (None, None),
        (Decimal(0), "0"),
        (Decimal("0.00000000"), "0"),
        (Decimal("0.45000000"), "0.45"),
        (Decimal("100.00"), "100"),
        (Decimal("1E+2"), "100"),
        (Decimal("0.00000001"), "0.00000001"),
        (Decimal("123456789012.12345678"), "123456789012.12345678"),
    ],
)
def test_money_is_decimal_text(amount, text):
    assert money(amount) == text
