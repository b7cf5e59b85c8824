from decimal import Decimal

import pytest

from registry.models import FindingState, Role
from tests.audit.reckoned import reckon
from tests.factories import (
    NOON,
    make_account,
    make_finding,
    make_image,
    make_instance,
    make_reserved_instance,
)

pytestmark = pytest.mark.django_db
CHANGES = "/reserved-instances/changes"
RHEL = "RunInstances:0010"
NOTHING = {"changes": 0, "unpriced": 0, "units": 0, "hourly": "0", "per_month": "0"}


@pytest.fixture
def account(db):
    return make_account(name="web")


def lost(account, *, cause="", number=1, **fields):
    image = make_image(account=account, verdict="lost", expected_usage_operation=RHEL, **fields)
    make_finding(image=image, rule="AMI001", cause=cause)
    for _ in range(number):
        make_instance(account=account, image_id=image.aws_id, region=image.region)
    return image


def red_hat(account, number=1, **fields):
    return make_reserved_instance(
        account=account,
        product_description="Red Hat Enterprise Linux",
        instance_count=number,
        **{"recurring_hourly": Decimal("0.15")} | fields,
    )


def names(answer):
    return [each["name"] for each in answer.json()["items"]]


def test_changes_are_told_the_dearest_first_with_what_all_do_together(program, account):
    first, second = lost(account, cause="ami-0", number=2), lost(account, cause="ami-0")
    red_hat(account, 2)
    reckon()

    answer = program.get(CHANGES).json()

    found = {each["name"]: each for each in answer["items"]}
    assert list(found) == [first.aws_id, "ami-0", second.aws_id]
    assert found[first.aws_id] == {
        "kind": "image",
        "name": first.aws_id,
        "title": f"Correct the image {first.aws_id}",
        "where": "web, eu-west-1",
        "zone": None,
        "images": [first.aws_id],
        "instances": 2,
        "gained": 2,
        "lost": 0,
        "hourly": "0.3",
        "per_month": "219",
        "is_certain": True,
        "adds": {"units": 2, "hourly": "0.3"},
        "url": f"http://testserver{first.findings.get().get_absolute_url()}",
    }
    assert found["ami-0"]["adds"] is None
    assert found[second.aws_id]["adds"] == {"units": 0, "hourly": "0"}
    whole = {"changes": 2, "unpriced": 0, "units": 2, "hourly": "0.3", "per_month": "219"}
    assert answer["sums"] == {
        "together": whole,
        "codes": whole,
        "moves": NOTHING,
        "sharing": NOTHING,
    }
    assert answer["audited_at"] == "2026-11-24T12:00:00Z"


def test_before_the_first_audit_there_is_no_time_of_it(program):
    answer = program.get(CHANGES).json()

    assert (answer["audited_at"], answer["count"], answer["sums"]) == (None, 0, None)


def test_money_that_is_not_known_is_null(program, account):
    lost(account)
    red_hat(account, recurring_hourly=None)
    reckon()

    answer = program.get(CHANGES).json()

    (found,) = answer["items"]
    assert (found["hourly"], found["per_month"], found["adds"]["hourly"]) == (None, None, None)
    assert answer["sums"]["together"] == {
        "changes": 1,
        "unpriced": 1,
        "units": 1,
        "hourly": None,
        "per_month": None,
    }


def test_what_is_waived_since_is_left_out(program, account):
    image = lost(account)
    red_hat(account)
    reckon()
    image.findings.update(state=FindingState.WAIVED)

    answer = program.get(CHANGES)

    assert names(answer) == []
    assert answer.json()["sums"]["together"] == NOTHING


def test_is_turned_page_by_page(program, account):
    images = [lost(account, number=number) for number in (3, 2, 1)]
    red_hat(account, 6)
    reckon()

    answer = program.get(CHANGES, limit=1, offset=1)

    assert names(answer) == [images[1].aws_id]
    assert answer.json()["count"] == 3
    assert answer.json()["sums"]["together"]["units"] == 6


@pytest.mark.parametrize("asked", [{"account": "111122223333"}, {"region": "us-east-1"}])
def test_is_narrowed_with_its_sums(program, asked):
    wanted = lost(make_account(number="111122223333"), region="us-east-1")
    other = lost(make_account())
    for image in (wanted, other):
        red_hat(image.account, region=image.region)
    reckon()

    answer = program.get(CHANGES, **asked)

    assert names(answer) == [wanted.aws_id]
    assert answer.json()["sums"]["together"]["units"] == 1


def test_is_narrowed_to_a_kind_beside_the_sums_of_all(program, account):
    lost(account)
    red_hat(account)
    alone = make_account(payer=account.number, reserved_instance_sharing=False)
    make_reserved_instance(account=alone, instance_type="r5.large")
    make_instance(account=account, instance_type="r5.large")
    reckon()

    answer = program.get(CHANGES, kind="sharing")

    assert names(answer) == [alone.number]
    assert answer.json()["sums"]["together"]["changes"] == 2
    elsewhere = program.get(CHANGES, region="us-east-1").json()["sums"]
    assert (elsewhere["codes"]["changes"], elsewhere["sharing"]["changes"]) == (0, 1)


def test_a_kind_that_there_is_not_is_refused(program):
    answer = program.get(CHANGES, kind="zone")

    assert answer.status_code == 422
    assert answer.json()["problems"].keys() == {"kind"}


def test_only_changes_to_accounts_that_one_may_read_are_told(another, account):
    image = lost(account)
    red_hat(account)
    other = make_account(payer=account.number, reserved_instance_sharing=False)
    lost(other)
    red_hat(other, 3)
    reckon()

    answer = another(Role.VIEWER, account=account).get(CHANGES)

    assert names(answer) == [image.aws_id]
    assert answer.json()["sums"]["together"]["changes"] == 1
    assert other.number not in answer.content.decode()


def test_a_purchase_of_that_name_hides_nothing(program):
    make_reserved_instance(aws_id="changes", gone_at=NOON)

    assert "sums" in program.get(CHANGES).json()


@pytest.mark.parametrize("number", [1, 10])
def test_takes_the_same_queries_however_many(program, account, number, django_assert_num_queries):
    for _ in range(number):
        lost(account)
    red_hat(account, number)
    reckon()
    program.get(CHANGES)

    with django_assert_num_queries(10):
        program.get(CHANGES)
