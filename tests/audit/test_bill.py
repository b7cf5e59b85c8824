from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from registry.audit import audit
from registry.audit.bill import compare
from registry.models import (
    Change,
    ChangeField,
    DailyTotals,
    DisagreementKind,
    Instance,
    UsageKind,
    Utilization,
)
from tests.factories import (
    NOON,
    make_account,
    make_bill,
    make_billed_purchase,
    make_billed_usage,
    make_disagreement,
    make_instance,
    make_reserved_instance,
    make_scope,
)

pytestmark = pytest.mark.django_db
RHEL, LINUX, BYOL = "RunInstances:0010", "RunInstances", "RunInstances:00g0"
OCTOBER = datetime(2026, 10, 1, tzinfo=UTC)
DAY = timedelta(days=1)


@pytest.fixture
def payer():
    return make_account(number="111122223333")


@pytest.fixture
def bill(payer):
    return make_bill(payer=payer.number)


def audited(account, first=0, days=32):
    """Keep that the account was audited on each day of October, beginning with the first one."""
    DailyTotals.objects.bulk_create(
        DailyTotals(account=account, day=at.date(), at=at)
        for at in (OCTOBER + number * DAY for number in range(first, days))
    )


def record(bought, at, used, idle, causes=()):
    Utilization.objects.create(
        reserved_instance=bought, at=at, used=used, idle=idle, causes=list(causes)
    )


def found(bill):
    return [
        (row.kind, row.subject, row.billed, row.recorded)
        for row in bill.disagreements.order_by("pk")
    ]


def test_a_purchase_that_was_used_as_recorded_is_no_disagreement(payer, bill):
    bought = make_reserved_instance(account=payer, instance_count=2)
    audited(payer)
    record(bought, OCTOBER - 19 * DAY, "0", "2")
    record(bought, OCTOBER - 9 * DAY, "2", "0")
    record(bought, OCTOBER + 10 * DAY, "1", "1")
    make_billed_purchase(
        bill=bill,
        aws_id=bought.aws_id,
        used_hours=Decimal(2 * 240 + 504),
        unused_hours=Decimal(504),
    )

    assert compare(bill, at=NOON) == 0


def test_a_purchase_that_was_used_otherwise_says_what_each_side_has(payer, bill):
    bought = make_reserved_instance(account=payer, region="us-east-1")
    audited(payer)
    record(bought, OCTOBER, "1", "0")
    make_billed_purchase(
        bill=bill, aws_id=bought.aws_id, used_hours=Decimal(372), unused_hours=Decimal(372)
    )

    assert compare(bill, at=NOON) == 1

    row = bill.disagreements.get()
    assert (row.kind, row.account, row.region) == ("use", payer.number, "us-east-1")
    assert (row.billed, row.recorded) == ("372 h used, 372 h unused", "744 h used, 0 h unused")
    assert row.hours == 372


@pytest.mark.parametrize(
    ("used", "number"),
    [
        pytest.param(48, 0, id="as audits have found it"),
        pytest.param(72, 1, id="longer"),
    ],
)
def test_audits_day_after_day_are_the_record(payer, used, number):
    machine = make_instance(account=payer)
    bought = make_reserved_instance(account=payer)
    make_scope(account=payer, synced_at=OCTOBER)
    for day, state in enumerate(("running", "running", "stopped", "stopped")):
        Instance.objects.filter(pk=machine.pk).update(state=state)
        audit(at=OCTOBER + day * DAY)
    bill = make_bill(payer=payer.number, through=OCTOBER + 3 * DAY)
    make_billed_purchase(
        bill=bill,
        aws_id=bought.aws_id,
        used_hours=Decimal(used),
        unused_hours=Decimal(72 - used),
    )

    assert compare(bill, at=NOON) == number
    assert [row.recorded for row in bill.disagreements.all()] == (
        ["48 h used, 24 h unused"] * number
    )


def test_a_bill_without_some_of_the_hours_bought_says_so(payer, bill):
    bought = make_reserved_instance(account=payer)
    audited(payer)
    record(bought, OCTOBER + 29 * DAY, "1", "0")
    make_billed_purchase(bill=bill, aws_id=bought.aws_id, used_hours=Decimal(700))

    compare(bill, at=NOON)

    row = bill.disagreements.get()
    assert (row.kind, row.recorded, row.hours) == ("use", "744 h bought", 44)


def test_days_without_an_audit_are_not_recorded(payer, bill):
    bought = make_reserved_instance(account=payer)
    record(bought, OCTOBER, "1", "0")
    audited(payer, days=20)
    make_billed_purchase(
        bill=bill, aws_id=bought.aws_id, used_hours=Decimal(0), unused_hours=Decimal(744)
    )

    assert compare(bill, at=NOON) == 0


def test_purchases_of_the_payers_accounts_that_are_not_on_the_bill_are_listed(payer, bill):
    member = make_account(payer=payer.number)
    missing = [make_reserved_instance(account=account) for account in (payer, member)]
    make_reserved_instance()  # another payer's
    make_reserved_instance(account=member, state="payment-failed")
    make_reserved_instance(account=member, end_at=OCTOBER)
    make_reserved_instance(account=member, start_at=OCTOBER + 31 * DAY)
    make_reserved_instance(account=member, gone_at=OCTOBER)

    compare(bill, at=NOON)

    assert found(bill) == [
        ("not_billed", bought.aws_id, "", "1 × m5.large, Linux/UNIX") for bought in missing
    ]


def test_a_purchase_that_is_over_before_its_end_is_not_missed_on_the_bill(payer, bill):
    """Modified, sold or exchanged: it was paid for up to a time that AWS does not show."""
    over = {"state": "retired", "first_seen_at": OCTOBER - DAY, "last_seen_at": OCTOBER}
    make_reserved_instance(account=payer, **over)
    bought = make_reserved_instance(account=payer, **over)
    make_billed_purchase(
        bill=bill, aws_id=bought.aws_id, used_hours=Decimal(200), unused_hours=Decimal(0)
    )

    assert compare(bill, at=NOON) == 0


def test_a_purchase_that_is_over_since_its_end_was_paid_for_up_to_that(payer, bill):
    over = {"state": "retired", "first_seen_at": OCTOBER, "last_seen_at": OCTOBER + 20 * DAY}
    make_reserved_instance(account=payer, end_at=OCTOBER + 19 * DAY, **over)

    assert compare(bill, at=NOON) == 1


def test_a_report_of_days_is_not_blamed_for_the_hours_of_today_that_are_still_to_come(payer):
    """It states a day as billed to its end as soon as some of its hours are."""
    read = {"through": OCTOBER + 3 * DAY, "read_at": OCTOBER + 2.5 * DAY}
    bill = make_bill(payer=payer.number, **read)
    bought = make_reserved_instance(account=payer)
    audited(payer)
    record(bought, OCTOBER, "1", "0")
    billed = make_billed_purchase(
        bill=bill, aws_id=bought.aws_id, used_hours=Decimal(53), unused_hours=Decimal(0)
    )

    assert compare(bill, at=OCTOBER + 3 * DAY) == 0

    billed.used_hours = Decimal(40)
    billed.save()
    assert compare(bill, at=OCTOBER + 3 * DAY) == 1


def test_a_month_that_was_read_a_day_after_its_end_has_all_hours(payer):
    bought = make_reserved_instance(account=payer)
    for read_at, number in ((OCTOBER + 31.5 * DAY, 0), (OCTOBER + 32 * DAY, 1)):
        bill = make_bill(payer=payer.number, read_at=read_at)
        make_billed_purchase(bill=bill, aws_id=bought.aws_id, used_hours=Decimal(725))

        assert compare(bill, at=NOON) == number
        bill.delete()


def test_purchases_that_the_inventory_does_not_know_say_why(payer, bill):
    make_scope(account=payer, region="eu-west-1", synced_at=NOON)
    reasons = {
        ("999988887777", "eu-west-1"): "Its account is not connected",
        (payer.number, "us-east-1"): "Its region is not read in its account",
        (payer.number, "eu-west-1"): "AWS has not shown it",
        ("", ""): "AWS has not shown it",
    }
    for account, region in reasons:
        make_billed_purchase(bill=bill, account=account, region=region)

    compare(bill, at=NOON)

    rows = bill.disagreements.order_by("pk")
    assert [row.recorded for row in rows] == list(reasons.values())
    assert {row.kind for row in rows} == {DisagreementKind.NOT_KNOWN}
    assert rows[3].account == payer.number


def test_a_purchase_of_another_account_is_not_the_one_on_the_bill(payer, bill):
    bought = make_reserved_instance()
    make_billed_purchase(bill=bill, aws_id=bought.aws_id)

    compare(bill, at=NOON)

    assert bill.disagreements.get().kind == DisagreementKind.NOT_KNOWN


def test_an_instance_that_is_billed_with_another_code_is_listed_once(payer, bill):
    machine = make_instance(account=payer, usage_operation=RHEL, first_seen_at=OCTOBER)
    billed = {"bill": bill, "resource_id": machine.aws_id, "region": "us-east-1"}
    make_billed_usage(**billed, operation=RHEL, hours=Decimal(700))
    make_billed_usage(**billed, operation=LINUX, hours=Decimal("40.25"))
    make_billed_usage(**billed, operation=LINUX, kind=UsageKind.RESERVED, hours=Decimal("3.75"))

    assert compare(bill, at=NOON) == 1

    row = bill.disagreements.get()
    assert (row.kind, row.account, row.region) == ("operation", payer.number, "us-east-1")
    assert (row.billed, row.recorded) == (f"{RHEL} 700 h, {LINUX} 44 h", RHEL)
    assert row.hours == 44


@pytest.mark.parametrize(
    ("code", "billed"),
    [
        pytest.param(RHEL, {"operation": RHEL}, id="the same"),
        pytest.param(BYOL, {"operation": LINUX}, id="a licence of one's own is billed as plain"),
        pytest.param(RHEL, {"operation": LINUX, "kind": UsageKind.SPOT}, id="spot"),
        pytest.param(RHEL, {"operation": "RunInstances:SV006"}, id="spot by its operation"),
        pytest.param(RHEL, {"operation": "Hourly"}, id="no platform"),
        pytest.param(None, {"operation": RHEL}, id="not recorded"),
        pytest.param("", {"operation": RHEL}, id="empty"),
    ],
)
def test_what_contradicts_nothing(payer, bill, code, billed):
    machine = make_instance(account=payer, usage_operation=code, platform_details=None)
    make_billed_usage(bill=bill, resource_id=machine.aws_id, **billed)

    assert compare(bill, at=NOON) == 0


def test_an_old_recording_is_read_by_its_platform_details(payer, bill):
    machine = make_instance(
        account=payer, usage_operation=None, platform_details="Windows", first_seen_at=OCTOBER
    )
    make_billed_usage(bill=bill, resource_id=machine.aws_id)

    compare(bill, at=NOON)

    assert bill.disagreements.get().recorded == "RunInstances:0002"


def test_a_code_that_held_in_a_part_of_the_month_agrees(payer, bill):
    machine = make_instance(account=payer, usage_operation=RHEL)
    Change.objects.create(
        instance=machine, field=ChangeField.CODE, before=LINUX, after=RHEL, at=OCTOBER + 9 * DAY
    )
    for operation in (LINUX, RHEL):
        make_billed_usage(bill=bill, resource_id=machine.aws_id, operation=operation)

    assert compare(bill, at=NOON) == 0


def test_a_code_of_before_the_month_does_not_agree(payer, bill):
    machine = make_instance(account=payer, usage_operation=RHEL, first_seen_at=OCTOBER - 9 * DAY)
    Change.objects.create(
        instance=machine, field=ChangeField.CODE, before=LINUX, after=RHEL, at=OCTOBER - DAY
    )
    make_billed_usage(bill=bill, resource_id=machine.aws_id, operation=LINUX)

    assert compare(bill, at=NOON) == 1


@pytest.mark.parametrize(
    ("seen_at", "number"),
    [
        pytest.param(OCTOBER + 9 * DAY, 0, id="it may have had another code before"),
        pytest.param(OCTOBER - DAY, 1, id="another code would have been noted"),
    ],
)
def test_a_code_that_is_of_the_middle_of_the_month(payer, bill, seen_at, number):
    machine = make_instance(
        account=payer,
        usage_operation=RHEL,
        usage_operation_updated_at=OCTOBER + 9 * DAY,
        first_seen_at=seen_at,
    )
    make_billed_usage(bill=bill, resource_id=machine.aws_id, operation=LINUX)

    assert compare(bill, at=NOON) == number


@pytest.mark.parametrize(
    ("seen_at", "number"),
    [
        pytest.param(OCTOBER + 40 * DAY, 0, id="read after the month"),
        pytest.param(OCTOBER - DAY, 1, id="read before it"),
    ],
)
def test_a_code_of_which_nobody_knows_since_when_is_known_since_it_was_read(
    payer, bill, seen_at, number
):
    machine = make_instance(account=payer, usage_operation=RHEL, first_seen_at=seen_at)
    make_billed_usage(bill=bill, resource_id=machine.aws_id, operation=LINUX, first_at=OCTOBER)

    assert compare(bill, at=NOON) == number


@pytest.mark.parametrize(
    ("first", "last", "number"),
    [
        pytest.param(9, 12, 1, id="days after it was launched with its code"),
        pytest.param(9, 10, 0, id="on that day, of which no report of days says what was when"),
        pytest.param(0, 31, 0, id="before that, too"),
    ],
)
def test_a_report_of_days_tells_of_an_instance_that_was_launched_in_the_month(
    payer, bill, first, last, number
):
    launched_at = OCTOBER + 9.5 * DAY
    machine = make_instance(
        account=payer,
        usage_operation=RHEL,
        usage_operation_updated_at=launched_at,
        first_seen_at=launched_at + DAY / 24,
    )
    make_billed_usage(
        bill=bill,
        resource_id=machine.aws_id,
        operation=LINUX,
        first_at=OCTOBER + first * DAY,
        last_at=OCTOBER + last * DAY,
    )

    assert compare(bill, at=NOON) == number


def test_a_conversion_in_the_month_agrees_however_late_it_was_noted(payer, bill):
    machine = make_instance(
        account=payer,
        usage_operation=RHEL,
        usage_operation_updated_at=OCTOBER + 29 * DAY,
        first_seen_at=OCTOBER - DAY,
    )
    Change.objects.create(
        instance=machine, field=ChangeField.CODE, before=LINUX, after=RHEL, at=OCTOBER + 34 * DAY
    )
    for operation in (LINUX, RHEL):
        make_billed_usage(bill=bill, resource_id=machine.aws_id, operation=operation)

    assert compare(bill, at=NOON) == 0


@pytest.mark.parametrize(
    ("synced_at", "number"),
    [
        pytest.param(OCTOBER - DAY, 0, id="before the month"),
        pytest.param(OCTOBER + DAY, 3, id="in the month"),
    ],
)
def test_what_was_last_read_before_the_month_says_nothing_of_it(payer, bill, synced_at, number):
    make_scope(account=payer, region="eu-west-1", synced_at=synced_at)
    machine = make_instance(account=payer, usage_operation=RHEL, first_seen_at=OCTOBER - 9 * DAY)
    make_billed_usage(bill=bill, resource_id=machine.aws_id)
    bought = make_reserved_instance(account=payer)
    make_reserved_instance(account=payer)  # and not on the bill
    audited(payer)
    record(bought, OCTOBER, "0", "1")
    make_billed_purchase(bill=bill, aws_id=bought.aws_id)

    assert compare(bill, at=NOON) == number


def test_instances_that_are_not_known_and_those_on_hosts_are_left_out(payer, bill):
    make_billed_usage(bill=bill, operation=RHEL)
    elsewhere = make_instance()
    on_host = make_instance(account=payer, tenancy="host")
    for machine in (elsewhere, on_host):
        make_billed_usage(bill=bill, resource_id=machine.aws_id, operation=RHEL)

    assert compare(bill, at=NOON) == 0


def test_what_was_written_before_is_replaced(payer, bill):
    make_disagreement(bill=bill)
    other = make_disagreement()

    assert compare(bill, at=NOON) == 0

    assert not bill.disagreements.exists()
    assert other.bill.disagreements.exists()


def test_a_bill_that_was_read_anew_meanwhile_is_left_to_whoever_did(bill):
    type(bill).objects.filter(pk=bill.pk).delete()

    assert compare(bill, at=NOON) == 0


def test_a_purchase_of_nobody_knows_how_many_is_not_compared(payer, bill):
    bought = make_reserved_instance(account=payer, instance_count=0)
    make_reserved_instance(account=payer, instance_count=0)
    make_billed_purchase(bill=bill, aws_id=bought.aws_id)

    assert compare(bill, at=NOON) == 0


def test_a_bill_that_does_not_say_how_far_it_reaches_compares_no_hours(payer):
    bill = make_bill(payer=payer.number, through=None)
    bought = make_reserved_instance(account=payer)
    make_reserved_instance(account=payer)
    audited(payer)
    record(bought, OCTOBER, "0", "1")
    make_billed_purchase(bill=bill, aws_id=bought.aws_id, unused_hours=Decimal(99))

    assert compare(bill, at=NOON) == 0


def test_the_number_of_queries_does_not_grow(payer, bill, django_assert_num_queries):
    def more():
        for _ in range(3):
            bought = make_reserved_instance(account=payer)
            record(bought, OCTOBER, "1", "0")
            make_billed_purchase(bill=bill, aws_id=bought.aws_id, used_hours=Decimal(0))
            machine = make_instance(account=payer, usage_operation=RHEL, first_seen_at=OCTOBER)
            make_billed_usage(bill=bill, resource_id=machine.aws_id)

    more()
    with django_assert_num_queries(19):
        assert compare(bill, at=NOON) == 6
    more()
    with django_assert_num_queries(19):
        assert compare(bill, at=NOON) == 12
