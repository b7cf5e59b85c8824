from datetime import timedelta
from decimal import Decimal

import pytest
from django.utils import timezone

from registry.models import Role
from tests.factories import (
    LATER,
    NOON,
    make_account,
    make_cover,
    make_finding,
    make_image,
    make_instance,
    make_list_price,
    make_reserved_instance,
)

pytestmark = pytest.mark.django_db
RHEL = "RunInstances:0010"


def ids(answer):
    return [purchase["id"] for purchase in answer.json()["items"]]


def reason(code, *instances):
    return {"code": code, "instance_ids": [instance.aws_id for instance in instances]}


def test_tells_what_is_used_and_what_is_idle_and_why(program):
    bought = make_reserved_instance(
        instance_count=2,
        used="1/2",
        idle="3/2",
        applies=True,
        reasons=[reason("wrong_platform"), reason("over_bought")],
        hourly_cost=Decimal("0.30"),
        idle_hourly_cost=Decimal("0.225"),
        judged_at=NOON,
    )

    (found,) = program.get("/reserved-instances").json()["items"]

    assert (found["id"], found["account"]) == (bought.aws_id, bought.account.number)
    assert (found["count"], found["used"], found["idle"], found["applies"]) == (2, 0.5, 1.5, True)
    assert found["reasons"] == ["wrong_platform", "over_bought"]
    assert (found["hourly_cost"], found["idle_hourly_cost"]) == ("0.3", "0.225")
    assert found["url"] == f"http://testserver/reserved-instances/{bought.aws_id}/"


def test_what_was_not_judged_yet_and_what_has_no_price_is_null(program):
    make_reserved_instance()

    (found,) = program.get("/reserved-instances").json()["items"]

    names = ("used", "idle", "hourly_cost", "idle_hourly_cost", "judged_at")
    assert [found[name] for name in names] == [None] * 5


def test_leaves_out_what_is_gone(program):
    make_reserved_instance(gone_at=LATER)

    assert program.get("/reserved-instances").json()["count"] == 0


def test_what_is_idle_for_most_comes_first_and_what_has_no_price_last(program):
    costs = (Decimal(1), None, Decimal(3))
    cheap, unknown, dear = (make_reserved_instance(idle_hourly_cost=cost) for cost in costs)

    found = ids(program.get("/reserved-instances"))

    assert found == [dear.aws_id, cheap.aws_id, unknown.aws_id]


@pytest.mark.parametrize(
    "asked",
    [
        pytest.param({"account": "111122223333"}, id="account"),
        pytest.param({"region": "us-east-1"}, id="region"),
        pytest.param({"state": "retired"}, id="state"),
        pytest.param({"q": " r7i "}, id="words"),
    ],
)
def test_is_narrowed(program, asked):
    account = make_account(number="111122223333")
    wanted = make_reserved_instance(
        account=account, region="us-east-1", state="retired", instance_type="r7i.large"
    )
    make_reserved_instance()

    assert ids(program.get("/reserved-instances", **asked)) == [wanted.aws_id]


def test_is_narrowed_to_what_is_idle_in_part_or_used_in_full(program):
    idle = make_reserved_instance(used="0", idle="1")
    full = make_reserved_instance(used="1", idle="0")
    make_reserved_instance()  # not judged yet

    assert ids(program.get("/reserved-instances", use="idle")) == [idle.aws_id]
    assert ids(program.get("/reserved-instances", use="full")) == [full.aws_id]


def test_is_turned_page_by_page(program):
    bought = [make_reserved_instance() for _ in range(3)]

    answer = program.get("/reserved-instances", limit=2, offset=2)

    assert ids(answer) == [bought[2].aws_id]
    assert answer.json()["count"] == 3


def test_a_use_that_there_is_not_is_refused(program):
    answer = program.get("/reserved-instances", use="some")

    assert answer.status_code == 422
    assert answer.json()["problems"].keys() == {"use"}


def test_only_readable_accounts_are_shown(another):
    mine, other = make_reserved_instance(), make_reserved_instance()
    reader = another(Role.VIEWER, account=mine.account)

    assert ids(reader.get("/reserved-instances")) == [mine.aws_id]
    assert reader.get(f"/reserved-instances/{other.aws_id}").status_code == 404


def test_one_purchase_comes_with_what_it_covers_and_its_findings(program):
    bought = make_reserved_instance(fixed_price=Decimal("350.00"), tags={"team": "erp"})
    instance = make_instance(account=bought.account)
    make_cover(reserved_instance=bought, instance=instance, share="1/4")
    finding = make_finding(reserved_instance=bought, rule="RI001")
    make_finding(reserved_instance=bought, rule="RI002", resolved_at=LATER, state="resolved")

    found = program.get(f"/reserved-instances/{bought.aws_id}").json()

    assert found["covers"] == [{"instance_id": instance.aws_id, "fraction": 0.25}]
    assert found["covers_in_all"] == 1
    assert [each["ref"] for each in found["findings"]] == [finding.ref]
    assert (found["fixed_price"], found["recurring_hourly"]) == ("350", "0.05")
    assert (found["scope"], found["tags"]) == ("Region", {"team": "erp"})


def test_a_cause_names_its_instances_with_the_code_that_each_has_and_should_have(program):
    image = make_image(usage_operation="RunInstances", expected_usage_operation=RHEL)
    lost = make_instance(account=image.account, image_id=image.aws_id)
    plain = make_instance(account=image.account, image_id="ami-unknown")
    bought = make_reserved_instance(
        account=image.account,
        product_description="Red Hat Enterprise Linux",
        reasons=[reason("wrong_platform", lost, plain)],
    )

    (cause,) = program.get(f"/reserved-instances/{bought.aws_id}").json()["causes"]

    assert (cause["code"], cause["title"]) == ("wrong_platform", "AMI lost its code")
    assert cause["instances"] == [
        {
            "id": lost.aws_id,
            "image_id": image.aws_id,
            "usage_operation": "RunInstances",
            "expected_usage_operation": RHEL,
            "code": "lost",
        },
        {
            "id": plain.aws_id,
            "image_id": "ami-unknown",
            "usage_operation": "RunInstances",
            "expected_usage_operation": None,
            "code": "unknown",
        },
    ]


def test_one_purchase_comes_with_what_can_be_done_and_what_it_wastes(program):
    now = timezone.now()
    bought = make_reserved_instance(
        used="0",
        idle="1",
        reasons=[reason("no_instance_of_type")],
        idle_hourly_cost=Decimal("0.05"),
        end_at=now + timedelta(hours=10, minutes=30),
        judged_at=now,
    )
    for hours, used, idle, cost in ((4, "1", "0", 0), (2, "0", "1", Decimal("0.05"))):
        at = now - timedelta(hours=hours)
        bought.utilizations.create(at=at, used=used, idle=idle, idle_hourly_cost=cost)

    found = program.get(f"/reserved-instances/{bought.aws_id}").json()

    assert found["remedies"]
    assert all(each["title"] and each["why"] for each in found["remedies"])
    waste = found["waste"]
    assert (waste["so_far"], waste["sunk"], waste["avoidable"]) == ("0.1", "0", "0.52")
    steps = [(step["used"], step["idle"], step["idle_hourly_cost"]) for step in found["over_time"]]
    assert steps == [(0.0, 1.0, "0.05"), (1.0, 0.0, "0")]


@pytest.fixture
def lost():
    """An image that lost its code, with a running instance, and the purchase that waits for it."""
    image = make_image(verdict="lost", expected_usage_operation=RHEL)
    make_finding(image=image, rule="AMI001")
    make_instance(account=image.account, image_id=image.aws_id)
    payer = image.account.number
    bought = make_reserved_instance(
        account=make_account(payer=payer), product_description="Red Hat Enterprise Linux", idle="1"
    )
    return image, bought


def test_one_purchase_comes_with_what_one_change_would_do(program, lost):
    image, bought = lost

    (found,) = program.get(f"/reserved-instances/{bought.aws_id}").json()["changes"]

    assert (found["kind"], found["name"], found["instances"]) == ("image", image.aws_id, 1)
    assert (found["used"], found["hourly"]) == (1.0, "0.05")


def test_a_change_of_something_that_may_not_be_read_is_left_out(another, lost):
    _, bought = lost
    reader = another(Role.VIEWER, account=bought.account)

    assert reader.get(f"/reserved-instances/{bought.aws_id}").json()["changes"] == []


def test_a_code_that_was_lost_elsewhere_is_told_as_the_page_tells_it_without_ids(another):
    image = make_image(verdict="lost", expected_usage_operation=RHEL)
    hidden = make_instance(account=image.account, image_id=image.aws_id)
    bought = make_reserved_instance(
        product_description="Red Hat Enterprise Linux",
        idle="1",
        reasons=[reason("wrong_platform", hidden)],
    )
    reader = another(Role.VIEWER, account=bought.account)

    answer = reader.get(f"/reserved-instances/{bought.aws_id}")

    assert answer.json()["causes"][0]["title"] == "AMI lost its code"
    assert answer.json()["remedies"][0]["is_possible"] is True
    assert image.aws_id not in answer.content.decode()


def test_instances_of_others_are_counted_and_not_named(another):
    mine, theirs = make_instance(), make_instance()
    bought = make_reserved_instance(
        account=mine.account, reasons=[reason("wrong_az", mine, theirs)]
    )
    make_cover(reserved_instance=bought, instance=theirs)
    reader = another(Role.VIEWER, account=mine.account)

    found = reader.get(f"/reserved-instances/{bought.aws_id}").json()

    (cause,) = found["causes"]
    assert [each["id"] for each in cause["instances"]] == [mine.aws_id]
    assert cause["instances_in_all"] == 2
    assert (found["covers"], found["covers_in_all"]) == ([], 1)


def test_a_purchase_that_is_gone_can_still_be_asked_for(program):
    bought = make_reserved_instance(gone_at=LATER)

    assert program.get(f"/reserved-instances/{bought.aws_id}").json()["gone_at"] is not None


def test_of_two_rows_the_present_one_is_shown(program):
    present = make_reserved_instance(aws_id="ri-1")
    make_reserved_instance(aws_id="ri-1", gone_at=LATER)

    assert program.get("/reserved-instances/ri-1").json()["account"] == present.account.number


def test_takes_the_same_queries_however_long(program, django_assert_num_queries):
    for _ in range(20):
        make_reserved_instance()
    program.get("/reserved-instances")

    with django_assert_num_queries(4):
        program.get("/reserved-instances", limit=20)


def test_an_hour_of_use_stands_beside_its_list_price(program):
    bought = make_reserved_instance(
        product_description="Red Hat Enterprise Linux",
        instance_count=2,
        hourly_cost=Decimal("0.20"),
        judged_at=NOON,
    )
    make_instance(account=bought.account, usage_operation=RHEL)
    path = f"/reserved-instances/{bought.aws_id}"
    assert program.get(path).json()["list_prices"] is None
    make_list_price(usage_operation=RHEL, hourly=Decimal("0.1536"))

    assert program.get(path).json()["list_prices"] == {
        "usage_operation": RHEL,
        "currency": "USD",
        "read_at": "2026-11-24T12:00:00Z",
        "on_demand": "0.1536",
        "paid": "0.1",
        "gain": "0.0536",
        "instances_not_covered": 1.0,
        "not_covered": "0.1536",
        "problem": "",
    }


def test_a_list_price_that_is_not_known_is_null_and_says_why(program):
    bought = make_reserved_instance(product_description="Plan 9")
    make_list_price()

    found = program.get(f"/reserved-instances/{bought.aws_id}").json()["list_prices"]

    assert {name for name, value in found.items() if value is not None} == {"problem"}
    assert found["problem"]


def test_what_the_person_may_not_read_is_not_in_the_rest(another):
    bought = make_reserved_instance(judged_at=NOON)
    make_instance(account=make_account(payer=bought.account.number))
    make_list_price()
    program = another(Role.VIEWER, account=bought.account)

    found = program.get(f"/reserved-instances/{bought.aws_id}").json()["list_prices"]

    assert (found["instances_not_covered"], found["not_covered"]) == (0, "0")
