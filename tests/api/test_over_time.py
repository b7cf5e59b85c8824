from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest
from django.utils import timezone

from registry.models import Change, DailyTotals, Role, Utilization
from tests.factories import (
    make_account,
    make_cover,
    make_image,
    make_instance,
    make_reserved_instance,
)

pytestmark = pytest.mark.django_db
DAY, HOUR = timedelta(days=1), timedelta(hours=1)
FIRST, SECOND = datetime(2026, 3, 2, 12, tzinfo=UTC), datetime(2026, 3, 9, 12, tzinfo=UTC)
DAYS = {"from": "2026-03-02", "to": "2026-03-09"}
OVER_TIME, DIFFERENCE, ENDING = (
    f"/reserved-instances/{name}" for name in ("over-time", "difference", "ending")
)


def totals(account, at, **fields):
    return DailyTotals.objects.create(account=account, day=at.date(), at=at, **fields)


@pytest.fixture
def account(db):
    """An account that was audited on both days."""
    account = make_account()
    for at in (FIRST, SECOND):
        totals(account, at)
    return account


def keep(bought, at, used, idle, *causes, cost=None):
    Utilization.objects.create(
        reserved_instance=bought,
        at=at,
        used=str(used),
        idle=str(idle),
        causes=causes,
        idle_hourly_cost=cost,
    )


def became_idle(account, *instances):
    named = [found.aws_id for found in instances]
    reasons = [{"code": "wrong_platform", "instance_ids": named}]
    bought = make_reserved_instance(account=account, reasons=reasons)
    keep(bought, FIRST, 1, 0, cost=Decimal(0))
    keep(bought, SECOND, "1/2", "1/2", "wrong_platform", cost=Decimal("0.05"))
    return bought


def ending_in(days, **fields):
    return make_reserved_instance(end_at=timezone.now() + days * DAY + HOUR, **fields)


def test_the_totals_of_each_day_are_summed_over_accounts(program):
    for running in (3, 1):
        account = make_account()
        totals(
            *(account, FIRST),
            running=running,
            covered="1/2",
            purchases=1,
            hourly_cost=Decimal("0.20"),
            idle_hourly_cost=Decimal("0.05"),
            verdicts={"ok": 2},
            severities={"high": 1},
        )
    totals(account, SECOND, unpriced=1)

    answer = program.get(OVER_TIME, **DAYS).json()

    first, second = answer["days"]
    assert first == {
        "day": "2026-03-02",
        "accounts": 2,
        "running": 4,
        "covered": 1.0,
        "coverage": 0.25,
        "purchases": 2,
        "hourly_cost": "0.4",
        "idle_hourly_cost": "0.1",
        "idle_without_a_price": 0,
        "utilization": 0.75,
        "findings": {"high": 2},
        "images": {"ok": 4},
    }
    assert (second["accounts"], second["idle_without_a_price"]) == (1, 1)
    assert (second["coverage"], second["utilization"], second["hourly_cost"]) == (None, None, None)


def test_without_days_thirteen_weeks_are_told(program):
    account, now = make_account(), timezone.now()
    for days in (0, 90, 120):
        totals(account, now - days * DAY)

    found = [day["day"] for day in program.get(OVER_TIME).json()["days"]]

    assert [date.fromisoformat(day) for day in found] == [(now - 90 * DAY).date(), now.date()]


@pytest.mark.parametrize(
    ("last", "first"), [("2026-03-09", "2025-12-08"), ("0001-01-02", "0001-01-01")]
)
def test_without_a_first_day_thirteen_weeks_before_the_last_are_told(program, last, first):
    answer = program.get(OVER_TIME, to=last).json()

    assert (answer["from"], answer["to"]) == (first, last)


@pytest.mark.parametrize("last", ["9999-12-31", "tomorrow"])
def test_a_first_day_that_was_not_sent_is_no_problem(program, last):
    assert program.get(OVER_TIME, to=last).json()["problems"].keys() == {"to"}


def test_one_account_can_be_asked_for(program, account):
    totals(make_account(), FIRST, running=5)

    (first, _) = program.get(OVER_TIME, **DAYS, account=account.number).json()["days"]

    assert (first["accounts"], first["running"]) == (1, 0)


@pytest.mark.parametrize("path", [OVER_TIME, DIFFERENCE])
def test_what_one_may_not_read_is_in_no_sum(another, account, path):
    became_idle(account)
    mine = make_account()
    for at in (FIRST, SECOND):
        totals(mine, at, running=1)

    answer = another(Role.VIEWER, account=mine).get(path, **DAYS).json()

    assert [day["accounts"] for day in answer.get("days") or answer["totals"]] == [1, 1]
    assert answer.get("items", []) == []


def test_what_became_idle_is_told_with_what_changed_before(program, account):
    image = make_image(account=account)
    machine = make_instance(account=account, image_id=image.aws_id, launched_at=FIRST + DAY)
    Change.objects.create(
        image=image,
        field="usage_operation",
        before="RunInstances:0010",
        after="RunInstances",
        at=FIRST + HOUR,
    )
    bought = became_idle(account, machine)

    answer = program.get(DIFFERENCE, **DAYS).json()

    (found,) = answer["items"]
    assert (answer["count"], answer["from_at"]) == (1, "2026-03-02T12:00:00Z")
    assert (found["id"], found["became"], found["since"]) == (
        bought.aws_id,
        "idle",
        "2026-03-09T12:00:00Z",
    )
    assert (found["idle_before"], found["idle_after"]) == (0.0, 0.5)
    assert (found["idle_hourly_change"], found["reasons"]) == ("0.05", ["wrong_platform"])
    assert found["has_lost_code"] is False
    changed, launched = found["changed_before"]
    assert (changed["kind"], changed["id"], changed["after"]) == (
        "image",
        image.aws_id,
        "RunInstances",
    )
    assert (launched["id"], launched["image_id"]) == (machine.aws_id, image.aws_id)


def test_the_difference_comes_page_by_page(program, account):
    for _ in range(3):
        became_idle(account)
    used = make_reserved_instance(account=account)
    keep(used, FIRST, 0, 1, "over_bought")
    keep(used, SECOND, 1, 0)

    answer = program.get(DIFFERENCE, **DAYS, limit=2, offset=2).json()

    assert answer["count"] == 4
    assert [found["became"] for found in answer["items"]] == ["idle", "used"]
    assert answer["items"][1]["changed_before"] is None


def test_of_days_of_which_nothing_is_kept_nothing_is_told(program, account):
    became_idle(account)

    answer = program.get(DIFFERENCE, **DAYS | {"from": "2026-03-01"}).json()

    assert (answer["from_at"], answer["totals"], answer["items"]) == (None, None, [])


@pytest.mark.parametrize(
    ("path", "days", "problems"),
    [
        pytest.param(
            *(DIFFERENCE, {}),
            {"from": "Say from which day.", "to": "Say to which day."},
            id="none to compare",
        ),
        pytest.param(
            *(DIFFERENCE, DAYS | {"to": "2026-03-02"}),
            {"from": "Choose a day before the second one."},
            id="the same twice",
        ),
        pytest.param(
            *(OVER_TIME, {"from": "2.3.2026"}),
            {"from": "Write a day as YYYY-MM-DD."},
            id="no day",
        ),
        pytest.param(
            *(OVER_TIME, {"from": "2025-03-01", "to": "2026-03-03"}),
            {"from": "Choose a year at most."},
            id="too long",
        ),
        pytest.param(
            *(OVER_TIME, DAYS | {"to": "2026-03-01"}),
            {"from": "Choose the second day or one before."},
            id="turned round",
        ),
        pytest.param(
            *(OVER_TIME, {"to": "9999-12-31"}),
            {"to": "Choose today or a day before."},
            id="still to come",
        ),
        pytest.param(OVER_TIME, {"begin": "2026-03-02"}, {"begin": "There is no such field."}),
        pytest.param(ENDING, {"days": "0"}, {"days": "Use at least 1."}),
        pytest.param(ENDING, {"days": "1101"}, {"days": "Use at most 1,100."}),
    ],
)
def test_days_that_cannot_be_are_refused_by_name(program, path, days, problems):
    answer = program.get(path, **days)

    assert answer.status_code == 422
    found = answer.json()["problems"]
    assert {name: found[name] for name in problems} == problems


def test_one_day_is_a_period(program, account):
    found = program.get(OVER_TIME, **{"from": "2026-03-09", "to": "2026-03-09"}).json()

    assert [day["day"] for day in found["days"]] == ["2026-03-09"]


def test_what_ends_first_comes_first_with_what_it_covers(program):
    account = make_account()
    late = ending_in(80, account=account, used="", idle="")
    first = ending_in(3, account=account, instance_count=2, used="3/2", idle="1/2")
    ending_in(100, account=account)
    covered = make_instance(account=account)
    make_cover(reserved_instance=first, instance=covered)

    answer = program.get(ENDING).json()

    assert [found["id"] for found in answer["items"]] == [first.aws_id, late.aws_id]
    assert (answer["count"], answer["bought"], answer["instances"]) == (2, 3, 1)
    assert (answer["used"], answer["idle"], answer["not_judged"]) == (1.5, 0.5, 1)
    found, other = answer["items"]
    assert (found["covers"], found["covers_in_all"]) == ([covered.aws_id], 1)
    assert (other["used"], other["covers"], other["covers_in_all"]) == (None, [], None)


def test_of_what_is_not_judged_yet_no_sum_is_known(program):
    ending_in(3)

    answer = program.get(ENDING).json()

    assert (answer["bought"], answer["not_judged"]) == (1, 1)
    assert (answer["used"], answer["idle"], answer["instances"]) == (None, None, None)


def test_the_days_the_account_and_the_region_narrow_what_ends(program):
    account = make_account()
    soon = ending_in(3, account=account)
    ending_in(20, account=account)
    ending_in(3, account=account, region="us-east-1")
    ending_in(3)
    ending_in(3, account=account, gone_at=timezone.now())

    answer = program.get(ENDING, days=10, account=account.number, region="eu-west-1").json()

    assert [found["id"] for found in answer["items"]] == [soon.aws_id]
    assert answer["count"] == 1


def test_what_ends_elsewhere_or_covers_something_elsewhere_is_not_told(another):
    mine, other = make_account(), make_account()
    bought = ending_in(1, account=mine, used="1", idle="0")
    ending_in(1, account=other)
    make_cover(reserved_instance=bought, instance=make_instance(account=other))

    answer = another(Role.VIEWER, account=mine).get(ENDING).json()

    (found,) = answer["items"]
    assert (found["covers"], found["covers_in_all"], answer["instances"]) == ([], 0, 0)
