"""The bill of the seeded company, read from its bucket."""

from datetime import timedelta
from decimal import Decimal

import pytest
from django.db.models import Sum
from django.utils import timezone

from registry.jobs.bills import request_bills, run_bills
from registry.jobs.connect import connect_bucket
from registry.models import Bill, BilledPurchase, BilledUsage, RunState
from registry.sync.bills import BillProblem, Stored, read_months
from sandbox.aws.__main__ import SEED
from sandbox.aws.bill import publish
from sandbox.aws.catalog import MANAGEMENT
from sandbox.aws.files import Bucket, File
from sandbox.aws.ran import FEWER, MISSING, STRANGE
from sandbox.aws.world import populate
from tests.conftest import BASE_ACCOUNT
from tests.factories import NOON, make_account, make_scope
from tests.sync.bills.reports import usage, write_csv

pytestmark = pytest.mark.django_db
BILL = "s3://northwind-bills/cur/northwind"


def make_payer(**fields):
    defaults = {
        "number": MANAGEMENT,
        "name": "northwind-billing",
        "role_arn": f"arn:aws:iam::{MANAGEMENT}:role/amiportal",
        "external_id": "northwind-1000",
        "bill": BILL,
    }
    return make_account(**defaults | fields)


def run():
    made = request_bills(by=None)
    run_bills(made.pk)
    made.refresh_from_db()
    return made


def test_the_seeded_company_is_billed_for_what_it_bought_and_ran(aws):
    populate(aws.state, seed=SEED, now=timezone.now())
    publish(aws.state)
    make_payer()

    made = run()

    assert made.state == RunState.SUCCEEDED
    assert made.note == "2 months read, 0 unchanged, 0 in trouble"
    last, this = Bill.objects.order_by("month")
    assert (last.payer, last.source) == (MANAGEMENT, BILL)
    assert last.names_instances
    assert last.through.date() == this.month
    _check_purchases(aws, last)
    kinds = set(BilledUsage.objects.values_list("kind", flat=True))
    assert kinds == {"on_demand", "reserved", "spot"}
    assert run().note == "0 months read, 2 unchanged, 0 in trouble"


def _check_purchases(aws, bill):
    """See that used and unused hours are those bought, but where something was planted."""
    things = aws.state.things["reserved_instances"]
    hours = (bill.through.date() - bill.month) // timedelta(hours=1)
    billed = {row.aws_id: row for row in BilledPurchase.objects.filter(bill=bill)}
    paid = dict(
        bill.usages.exclude(purchase="").values_list("purchase").annotate(Sum("hours")).order_by()
    )
    assert STRANGE in billed
    for aws_id, row in billed.items():
        thing = things.get(aws_id)
        if thing is None or thing["Start"] > f"{bill.month}" or thing["State"] != "active":
            continue
        count = thing["InstanceCount"] - (thing["InstanceType"] == FEWER)
        assert [row.unused_hours] == [count * hours - (row.used_hours or 0)]
        if thing["ProductDescription"] != "Linux/UNIX":
            assert row.used_hours == paid.get(aws_id, 0)
    assert not {things[aws_id]["InstanceType"] for aws_id in billed if aws_id in things} & {MISSING}
    assert max(row.unused_cost or Decimal() for row in billed.values()) > 0


def test_a_file_that_cannot_be_fetched_stops_no_other_month(aws, tmp_path):
    stored = aws.state.buckets["bills"] = Bucket(BASE_ACCOUNT)
    for month in ("2026-10", "2026-11"):
        start = f"{month}-01T00:00:00Z"
        told = {"PayerAccountId": BASE_ACCOUNT, "BillingPeriodStartDate": start}
        path = write_csv(tmp_path / f"{month}.csv", [usage(**told)])
        stored.files[f"cur/BILLING_PERIOD={month}/a.csv"] = File(path.read_bytes(), NOON)
    aws.fail("GetObject", "access-denied", times=1)
    account = make_account(number=BASE_ACCOUNT, bill="s3://bills/cur")
    place = Stored(connect_bucket(account, "bills"), "cur")

    october, november = read_months(place, payer=BASE_ACCOUNT, at=NOON)

    assert "a.csv can't be fetched. GetObject: AccessDenied" in october.problem
    assert november.is_new


def test_a_bucket_that_is_not_there_is_said(aws):
    aws.state.accounts[MANAGEMENT] = {
        "Name": "n",
        "RoleArn": f"arn:aws:iam::{MANAGEMENT}:role/amiportal",
        "ExternalId": "northwind-1000",
    }
    make_payer(bill="s3://elsewhere")

    with pytest.raises(BillProblem, match="northwind-billing: ListObjectsV2: NoSuchBucket"):
        run()


def test_an_account_without_a_role_is_not_read_with_foreign_credentials(aws):
    make_payer(role_arn="", external_id="")

    with pytest.raises(BillProblem, match="the portal's credentials are of account 999999999999"):
        run()


def test_a_bucket_is_asked_in_the_partition_of_its_account(aws):
    account = make_account(number=BASE_ACCOUNT)
    make_scope(account=account, region="eu-central-1", is_enabled=False)

    assert connect_bucket(account, "bills")._client.meta.region_name == "eu-central-1"
