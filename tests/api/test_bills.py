from datetime import UTC, date, datetime
from decimal import Decimal

import pytest

from registry.models import DisagreementKind, Role, UsageKind, Utilization
from tests.factories import (
    make_account,
    make_bill,
    make_billed_purchase,
    make_billed_usage,
    make_disagreement,
    make_image,
    make_instance,
    make_reserved_instance,
)

pytestmark = pytest.mark.django_db
OCTOBER = datetime(2026, 10, 1, tzinfo=UTC)
ADDRESS = "/bills/111122223333/2026-10"


@pytest.fixture
def bill():
    return make_bill(payer="111122223333")


def test_bills_are_told_with_what_they_come_to(program, bill):
    make_bill(payer=bill.payer, month=date(2026, 9, 1), through=None)
    make_bill()
    make_billed_usage(bill=bill, kind=UsageKind.RESERVED, hours=Decimal("7.5"))
    make_billed_purchase(
        bill=bill, used_hours=Decimal(8), unused_hours=None, unused_cost=Decimal("0.50")
    )
    make_billed_purchase(bill=bill, used_hours=Decimal(0), unused_cost=None)
    make_disagreement(bill=bill)

    answer = program.get("/bills", payer=bill.payer).json()

    assert answer["count"] == 2
    first, second = answer["items"]
    assert (first["payer"], first["month"]) == ("111122223333", "2026-10")
    assert first["through"] == "2026-11-01T00:00:00Z"
    assert first["hours"] == {"on_demand": 0, "reserved": 7.5, "savings_plan": 0, "spot": 0}
    assert first["purchases"] == {
        "count": 2,
        "unstated": 1,
        "used_hours": 8,
        "unused_hours": 0,
        "unused_costs": [{"cost": "0.5", "currency": "USD"}],
        "without_cost": 1,
    }
    assert first["disagreements"] == 1
    assert first["url"] == "http://testserver/bills/111122223333/2026-10/"
    assert (second["month"], second["through"]) == ("2026-09", None)


def test_one_bill_has_its_operations(program, bill):
    make_billed_usage(bill=bill, operation="RunInstances:0010", resource_id="i-unknown")

    answer = program.get(ADDRESS).json()

    assert (answer["names_instances"], answer["unknown_instances"]) == (True, 1)
    assert answer["operations"] == [
        {
            "operation": "RunInstances:0010",
            "hours": {"on_demand": 744, "reserved": 0, "savings_plan": 0, "spot": 0},
        }
    ]


def test_disagreements_are_told_and_narrowed(program, bill):
    row = make_disagreement(bill=bill, subject="i-0a", account="444455556666")
    make_disagreement(bill=bill, kind=DisagreementKind.USE, hours=Decimal(1000))

    def subjects(**asked):
        found = program.get(f"{ADDRESS}/disagreements", **asked).json()
        return [one["subject"] for one in found["items"]]

    assert len(subjects()) == 2
    assert subjects()[1] == "i-0a"  # after what is apart by more
    for asked in ({"kind": "operation"}, {"account": "444455556666"}, {"q": "i-0a"}):
        assert subjects(**asked) == ["i-0a"]
    assert subjects(region="us-east-1") == []
    assert program.get(f"{ADDRESS}/disagreements", kind="operation").json()["items"] == [
        {
            "kind": "operation",
            "subject": "i-0a",
            "account": "444455556666",
            "region": "eu-west-1",
            "billed": row.billed,
            "recorded": row.recorded,
            "hours": 744,
        }
    ]


def test_purchases_are_told_with_what_was_recorded(program, bill):
    account = make_account(number=bill.payer)
    bought = make_reserved_instance(account=account)
    Utilization.objects.create(reserved_instance=bought, at=OCTOBER, used="1", idle="0")
    make_billed_purchase(bill=bill, aws_id=bought.aws_id, unused_cost=Decimal("0.50"))
    make_billed_purchase(bill=bill, aws_id="unknown", used_hours=None, unused_hours=None)

    first, second = program.get(f"{ADDRESS}/purchases").json()["items"]

    assert first == {
        "id": bought.aws_id,
        "account": bill.payer,
        "region": "eu-west-1",
        "used_hours": 744,
        "unused_hours": 0,
        "unused_cost": "0.5",
        "currency": "USD",
        "bought_hours": 744,
        "recorded_used_hours": None,  # no audit was made in that month
        "recorded_unused_hours": None,
        "recorded_since": None,
        "compared": "short",
        "adds_up": True,
    }
    assert (second["compared"], second["used_hours"]) == ("not_known", None)


def test_images_are_told_with_what_their_instances_were_billed_with(program, bill):
    image = make_image(usage_operation="RunInstances:0010")
    machine = make_instance(account=image.account, image_id=image.aws_id)
    make_billed_usage(bill=bill, account=image.account.number, resource_id=machine.aws_id)

    answer = program.get(f"{ADDRESS}/images").json()

    assert answer["items"] == [
        {
            "id": image.aws_id,
            "account": image.account.number,
            "usage_operation": "RunInstances:0010",
            "hours": 744,
            "other_hours": 744,
            "operations": [{"operation": "RunInstances", "hours": 744, "instances": 1}],
        }
    ]


def test_only_what_is_of_readable_accounts_is_told(another, bill):
    mine, theirs = make_account(), make_account()
    for account, hours in ((mine, 10), (theirs, 1000)):
        make_billed_usage(bill=bill, account=account.number, hours=Decimal(hours))
        make_billed_purchase(bill=bill, account=account.number)
        make_disagreement(bill=bill, account=account.number)
    unread = make_bill()
    make_billed_usage(bill=unread, account=theirs.number)
    program = another(Role.VIEWER, account=mine)

    (one,) = program.get("/bills").json()["items"]

    assert one["hours"]["on_demand"] == 10
    assert (one["purchases"]["count"], one["disagreements"]) == (1, 1)
    assert program.get(ADDRESS).json()["unknown_instances"] == 1
    for part in ("disagreements", "purchases"):
        assert [row["account"] for row in program.get(f"{ADDRESS}/{part}").json()["items"]] == [
            mine.number
        ]
    assert program.get(f"/bills/{unread.payer}/2026-10").status_code == 404


@pytest.mark.parametrize("part", ["", "/disagreements", "/purchases", "/images"])
def test_a_bill_that_was_not_read_is_not_there(program, bill, part):
    answer = program.get(f"/bills/{bill.payer}/2026-08{part}")

    assert answer.status_code == 404
    assert answer.json()["detail"] == "There is no bill of 111122223333 for 2026-08."


def test_a_kind_that_there_is_not_is_refused(program, bill):
    answer = program.get(f"{ADDRESS}/disagreements", kind="all")

    assert answer.status_code == 422
    assert answer.json()["problems"].keys() == {"kind"}
