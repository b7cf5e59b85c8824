from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest

from registry.audit import audit
from registry.audit.coverage import audit_coverage
from registry.audit.fleet import Fleet
from registry.audit.over_time import record
from registry.models import (
    DailyTotals,
    Finding,
    FindingState,
    Image,
    Instance,
    ReservedInstance,
    Utilization,
)
from tests.factories import (
    LATER,
    NOON,
    make_account,
    make_image,
    make_instance,
    make_reserved_instance,
    make_scope,
)

pytestmark = pytest.mark.django_db
RHEL = "RunInstances:0010"
MIDNIGHT = datetime(2026, 11, 25, tzinfo=UTC)


def kept(bought):
    return list(bought.utilizations.order_by("at").values_list("at", "used", "idle", "causes"))


def test_a_purchase_is_kept_with_what_it_costs_and_why_it_is_idle():
    account = make_account()
    make_instance(account=account)
    bought = make_reserved_instance(account=account, instance_count=3)

    audit(at=NOON)

    row = bought.utilizations.get()
    assert (row.at, row.used, row.idle, row.causes) == (NOON, "1", "2", ["over_bought"])
    assert (row.hourly_cost, row.idle_hourly_cost) == (Decimal("0.15"), Decimal("0.10"))


def test_only_a_purchase_that_changed_is_kept_again():
    account = make_account()
    machine = make_instance(account=account)
    used = make_reserved_instance(account=account)
    idle = make_reserved_instance(instance_type="c5.large")
    audit(at=NOON)
    Instance.objects.filter(pk=machine.pk).update(state="stopped")

    audit(at=LATER)

    assert kept(used) == [(NOON, "1", "0", []), (LATER, "0", "1", ["not_running"])]
    assert len(kept(idle)) == 1


def test_a_purchase_that_is_gone_is_kept_once_more_and_then_no_more():
    bought = make_reserved_instance()
    audit(at=NOON)
    ReservedInstance.objects.update(gone_at=LATER)

    audit(at=LATER)
    audit(at=MIDNIGHT)

    assert kept(bought)[1:] == [(LATER, "0", "0", ["gone"])]
    assert bought.utilizations.get(at=LATER).idle_hourly_cost is None


def test_a_purchase_that_comes_back_is_kept_as_it_is():
    bought = make_reserved_instance()
    audit(at=NOON)
    ReservedInstance.objects.update(gone_at=LATER)
    audit(at=LATER)
    ReservedInstance.objects.update(gone_at=None)

    audit(at=MIDNIGHT)

    assert kept(bought)[-1] == (MIDNIGHT, "0", "1", ["no_instance_of_type"])


def test_a_purchase_that_was_gone_before_it_was_ever_judged_is_not_kept():
    make_reserved_instance(gone_at=NOON)

    audit(at=NOON)

    assert not Utilization.objects.exists()


def test_a_purchase_whose_term_is_over_is_kept_as_not_active():
    bought = make_reserved_instance(end_at=LATER)
    audit(at=NOON)

    audit(at=LATER)

    assert kept(bought)[-1] == (LATER, "0", "1", ["not_active"])


def test_of_a_purchase_without_a_state_no_use_is_claimed():
    bought = make_reserved_instance(state="")

    audit(at=NOON)

    assert bought.utilizations.get().causes == ["unclear"]


def test_two_audits_at_one_time_leave_what_the_second_found():
    account = make_account()
    bought = make_reserved_instance(account=account)
    audit(at=NOON)
    make_instance(account=account)

    audit(at=NOON)

    assert kept(bought) == [(NOON, "1", "0", [])]


def test_what_a_later_audit_has_kept_stays():
    account = make_account()
    bought = make_reserved_instance(account=account)
    audit(at=LATER)
    make_instance(account=account)

    audit(at=NOON)

    assert kept(bought) == [(LATER, "0", "1", ["no_instance_of_type"])]
    assert DailyTotals.objects.get(account=account).running == 0


def test_the_totals_of_a_day_are_those_of_its_last_audit():
    account = make_account()
    make_reserved_instance(account=account)
    audit(at=NOON)
    make_instance(account=account)

    audit(at=LATER)

    row = DailyTotals.objects.get()
    assert (row.account, row.day, row.at) == (account, date(2026, 11, 24), LATER)
    assert (row.running, row.covered, row.idle_hourly_cost) == (1, "1", Decimal(0))


def test_each_day_in_utc_has_totals_of_its_own():
    make_image()

    audit(at=NOON)
    audit(at=MIDNIGHT - timedelta(microseconds=1))
    audit(at=MIDNIGHT)

    days = DailyTotals.objects.order_by("day").values_list("day", flat=True)
    assert list(days) == [date(2026, 11, 24), date(2026, 11, 25)]


def test_totals_count_each_account_by_itself():
    one, other = make_account(), make_account()
    make_image(account=one, declared=RHEL)
    make_image(account=one, declared="RunInstances")
    make_instance(account=other, instance_type="m5.2xlarge")
    make_instance(account=other, state="stopped")
    make_reserved_instance(account=other, instance_type="m5.large")

    audit(at=NOON)

    first = DailyTotals.objects.get(account=one)
    assert first.verdicts == {"lost": 1, "ok": 1}
    assert first.severities == {"high": 1}
    assert (first.purchases, first.idle_hourly_cost, first.running) == (0, Decimal(0), 0)
    second = DailyTotals.objects.get(account=other)
    assert (second.purchases, second.running, second.covered) == (1, 1, "1/4")
    assert second.verdicts == {}


def test_only_findings_that_ask_for_something_are_in_the_totals():
    account = make_account()
    bought = make_reserved_instance(account=account)
    make_image(account=account, declared=RHEL)
    audit(at=NOON)
    before = DailyTotals.objects.get().severities
    Finding.objects.filter(reserved_instance=bought).update(state=FindingState.WAIVED)

    audit(at=LATER)

    assert before == {"medium": 1, "high": 1}
    assert DailyTotals.objects.get().severities == {"high": 1}


@pytest.mark.parametrize(
    ("prices", "cost", "unpriced"),
    [
        pytest.param([Decimal("0.05"), Decimal("0.07")], Decimal("0.12"), 0, id="all known"),
        pytest.param([Decimal("0.05"), None], Decimal("0.05"), 1, id="one not known"),
        pytest.param([None], None, 1, id="none known"),
        pytest.param([], Decimal(0), 0, id="none bought"),
    ],
)
def test_what_has_no_price_is_counted_and_never_free(prices, cost, unpriced):
    account = make_scope(synced_at=NOON).account
    for price in prices:
        make_reserved_instance(account=account, recurring_hourly=price)

    audit(at=NOON)

    row = DailyTotals.objects.get()
    assert (row.idle_hourly_cost, row.unpriced) == (cost, unpriced)


def test_what_is_used_to_the_full_leaves_nothing_idle_whatever_it_costs():
    account = make_account()
    make_instance(account=account)
    make_reserved_instance(account=account, recurring_hourly=None)

    audit(at=NOON)

    row = DailyTotals.objects.get()
    assert (row.hourly_cost, row.idle_hourly_cost, row.unpriced) == (None, Decimal(0), 0)


def test_purchases_that_are_not_active_are_not_in_the_totals():
    make_reserved_instance(state="retired")
    make_reserved_instance(state="")

    audit(at=NOON)

    assert not any(DailyTotals.objects.values_list("purchases", flat=True))


def test_an_account_that_was_never_read_has_no_totals():
    make_scope(synced_at=None)
    read = make_scope(synced_at=NOON)

    audit(at=NOON)

    assert DailyTotals.objects.get().account == read.account


@pytest.mark.parametrize("count", [1, 20])
def test_the_number_of_queries_does_not_grow(count, django_assert_num_queries):
    for _ in range(count):
        account = make_account()
        make_image(account=account)
        make_instance(account=account)
        make_reserved_instance(account=account, instance_count=2)
    audit(at=NOON)
    Instance.objects.update(state="stopped")
    Image.objects.update(verdict="")
    fleet = Fleet.load(at=LATER)
    applied = audit_coverage(fleet, at=LATER)

    with django_assert_num_queries(13):
        record(fleet, applied, at=LATER)
