from datetime import timedelta
from decimal import Decimal

import pytest
from django.db.models import Sum

from registry.billing import price
from registry.models import Finding, FindingState, Report, ReservedInstance
from registry.reports.build import build
from registry.templatetags import registry as tags
from tests.factories import (
    LATER,
    NOON,
    make_account,
    make_finding,
    make_image,
    make_report,
    make_reserved_instance,
    make_scope,
    make_user,
    make_waiver,
)

pytestmark = pytest.mark.django_db
NEXT_DAY = NOON + timedelta(days=1)


def built(at=NOON):
    return build(make_report(), at=at)


def resolve(finding):
    Finding.objects.filter(pk=finding.pk).update(resolved_at=LATER, state=FindingState.RESOLVED)


def test_a_report_says_how_the_audit_stands():
    make_image(verdict="ok")
    make_image(verdict="ok")
    image = make_image(verdict="lost")
    make_image(verdict="lost", gone_at=NOON)
    make_finding(image=image)

    report = built()

    assert report.created_at == NOON
    assert report.result["as_of"] == "2026-11-24T12:00:00+00:00"
    assert report.result["totals"] == {
        "images": 3,
        "verdicts": {"ok": 2, "lost": 1},
        "open_findings": 1,
        "waived": 0,
        "idle_per_month": "0.00",
        "idle_unpriced": 0,
    }


def test_a_finding_about_an_image_is_whole_without_its_rows():
    image = make_image(
        account=make_account(number="111111111111", name="core-prod"),
        name="web",
        usage_operation="RunInstances",
        expected_usage_operation="RunInstances:0010",
    )
    finding = make_finding(image=image, monthly_cost=Decimal("12.50"))

    [row] = built().result["findings"]

    assert row == {
        "ref": finding.ref,
        "rule": "AMI001",
        "severity": "high",
        "state": "open",
        "waived": None,
        "title": "Billing code lost",
        "message": "Billed as Linux/UNIX, expected Red Hat Enterprise Linux.",
        "account": "111111111111",
        "account_name": "core-prod",
        "region": "eu-west-1",
        "thing": image.aws_id,
        "name": "web",
        "opened_at": "2026-11-24T12:00:00+00:00",
        "per_month": "12.50",
        "actual": "RunInstances",
        "expected": "RunInstances:0010",
    }


def test_what_is_waived_is_counted_and_says_who_answers_for_it():
    owner = make_user(username="olga")
    finding = make_waiver(owner=owner, reason="It goes in May.", until=NEXT_DAY).finding
    make_waiver(finding=make_finding(), ended_at=NOON)
    make_waiver(finding=finding, ended_at=NOON, reason="It goes in April.")
    Finding.objects.exclude(pk=finding.pk).update(state=FindingState.REOPENED)

    result = built().result

    assert (result["totals"]["open_findings"], result["totals"]["waived"]) == (2, 1)
    assert [(row["state"], row["waived"]) for row in result["findings"]] == [
        (
            "waived",
            {"owner": "olga", "until": "2026-11-25T12:00:00+00:00", "reason": "It goes in May."},
        ),
        ("reopened", None),
    ]


def test_a_finding_about_a_purchase_has_no_codes():
    purchase = make_reserved_instance(instance_count=3, instance_type="m5.xlarge")
    make_finding(reserved_instance=purchase, rule="RI001")

    [row] = built().result["findings"]

    assert (row["thing"], row["name"]) == (purchase.aws_id, "3 × m5.xlarge")
    assert (row["actual"], row["expected"], row["per_month"]) == ("", "", None)


def test_a_code_that_was_never_recorded_stays_empty():
    image = make_image(usage_operation=None, expected_usage_operation=None)
    make_finding(image=image)

    [row] = built().result["findings"]

    assert (row["actual"], row["expected"]) == ("", "")


def test_the_most_urgent_comes_first():
    make_finding(severity="low")
    make_finding(severity="critical")
    make_finding(severity="high", monthly_cost=Decimal(1))
    make_finding(severity="high", monthly_cost=Decimal(5))

    rows = built().result["findings"]

    assert [(row["severity"], row["per_month"]) for row in rows] == [
        ("critical", None),
        ("high", "5.00"),
        ("high", "1.00"),
        ("low", None),
    ]


def test_the_freshness_of_every_region_is_kept():
    account = make_account(number="111111111111")
    make_scope(account=account, region="eu-west-1", synced_at=NOON)
    make_scope(
        account=account, region="us-east-1", failing_since=NOON, failed_at=NOON, error="Denied."
    )
    make_scope(account=account, region="us-west-2", is_enabled=False)

    scopes = built().result["scopes"]

    assert sorted(scopes, key=lambda row: row["region"]) == [
        {
            "account": "111111111111",
            "region": "eu-west-1",
            "synced_at": "2026-11-24T12:00:00+00:00",
            "error": "",
        },
        {
            "account": "111111111111",
            "region": "us-east-1",
            "synced_at": None,
            "error": "Denied.",
        },
    ]


def test_a_report_never_changes():
    report = built()
    before = report.result
    make_finding()

    build(Report.objects.get(pk=report.pk), at=NEXT_DAY)

    report.refresh_from_db()
    assert report.created_at == NOON
    assert report.result == before


def test_a_report_stays_when_what_it_is_about_changes():
    finding = make_finding()
    report = built()

    resolve(finding)

    report.refresh_from_db()
    assert report.result["totals"]["open_findings"] == 1


def test_the_first_report_differs_from_nothing():
    make_finding()

    report = built()

    assert report.previous is None
    assert report.result["difference"] == {"opened": [], "closed": []}


def test_a_report_names_what_opened_and_what_closed_since_the_one_before():
    stays, closes = make_finding(), make_finding(title="SQL Server Web missing")
    before = built()
    resolve(closes)
    opens = make_finding(image=stays.image, rule="AMI006")

    report = built(at=NEXT_DAY)

    assert report.previous == before
    assert report.result["difference"] == {
        "opened": [opens.ref],
        "closed": [f"{closes.ref} SQL Server Web missing"],
    }


def test_a_finding_that_came_back_was_closed_and_opened():
    finding = make_finding()
    built()
    back = {"state": FindingState.REOPENED, "opened_at": LATER}
    Finding.objects.filter(pk=finding.pk).update(**back)

    report = built(at=NEXT_DAY)

    assert report.result["difference"]["opened"] == [finding.ref]
    assert report.result["difference"]["closed"] == [f"{finding.ref} Billing code lost"]


def test_a_report_is_compared_with_the_newest_that_was_made():
    built(at=NOON)
    newest = built(at=LATER)
    make_report()  # asked for, not made

    report = built(at=NEXT_DAY)

    assert report.previous == newest


@pytest.mark.parametrize(
    ("costs", "per_month", "unpriced"),
    [
        pytest.param([], "0.00", 0, id="nothing bought"),
        pytest.param(["0.15", "0.05"], "146.00", 0, id="a month has 730 hours"),
        pytest.param(["0"], "0.00", 0, id="fully used"),
        pytest.param(["0.00000001"], "0.00", 0, id="in cents"),
        pytest.param([None], None, 1, id="no price known"),
        pytest.param([None, "0.15"], "109.50", 1, id="what is known"),
    ],
)
def test_what_idle_purchases_cost_in_a_month(costs, per_month, unpriced):
    for cost in costs:
        make_reserved_instance(idle_hourly_cost=cost)

    totals = built().result["totals"]

    assert (totals["idle_per_month"], totals["idle_unpriced"]) == (per_month, unpriced)


def test_a_report_says_what_the_pages_say():
    """A cost of $0.50000599 an hour, three times over: the sum is rounded, not the parts."""
    for _ in range(3):
        make_reserved_instance(idle_hourly_cost=Decimal("0.50000599"))

    totals = built().result["totals"]

    hourly = ReservedInstance.objects.aggregate(total=Sum("idle_hourly_cost"))["total"]
    assert totals["idle_per_month"] == str(price.monthly(hourly)) == "1095.01"
    assert tags.dollars(Decimal(totals["idle_per_month"])) == tags.monthly(hourly)


def test_a_purchase_whose_state_was_never_recorded_lacks_a_cost():
    make_reserved_instance(state="", idle_hourly_cost=None)

    totals = built().result["totals"]

    assert (totals["idle_per_month"], totals["idle_unpriced"]) == (None, 1)


@pytest.mark.parametrize(
    "fields",
    [
        pytest.param({"state": "retired"}, id="retired"),
        pytest.param({"gone_at": NOON}, id="gone"),
    ],
)
def test_a_purchase_that_is_over_costs_nothing(fields):
    make_reserved_instance(idle_hourly_cost=Decimal("0.15"), **fields)

    assert built().result["totals"]["idle_per_month"] == "0.00"


@pytest.mark.parametrize("number", [1, 20])
def test_many_findings_take_no_more_queries(number, django_assert_num_queries):
    for _ in range(number):
        make_finding()
        make_waiver(finding=make_finding(reserved_instance=make_reserved_instance()))
        make_scope()
    report = make_report()

    with django_assert_num_queries(7):
        build(report, at=NOON)
