from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.urls import reverse
from django.utils import timezone

from registry.audit import audit
from registry.models import DailyTotals, ReservedInstance, Role, Utilization
from registry.views.over_time import thirteen_weeks, utilization
from tests.factories import (
    NOON,
    make_account,
    make_finding,
    make_image,
    make_instance,
    make_reserved_instance,
    make_user,
)

pytestmark = pytest.mark.django_db
DAY, HOUR = timedelta(days=1), timedelta(hours=1)
FRIDAY = date(2026, 11, 27)


def keep(bought, days, used, idle, causes=()):
    """Keep how a purchase was used from some days before noon."""
    Utilization.objects.create(
        reserved_instance=bought,
        at=NOON - days * DAY,
        used=str(used),
        idle=str(idle),
        causes=list(causes),
    )


def totals(day, account, **fields):
    at = datetime(day.year, day.month, day.day, 12, tzinfo=UTC)
    return DailyTotals.objects.create(day=day, account=account, at=at, **fields)


class Asked:
    """As much of a request as the weeks need."""

    def __init__(self, user, **scope):
        self.user = user
        self.session = {"scope": scope}


@pytest.fixture
def engineer(db):
    return make_user(Role.ENGINEER)


def weeks(user, severities=None, **scope):
    request: Any = Asked(user, **scope)
    return thirteen_weeks(request, severities or {}, today=FRIDAY)


def test_nothing_kept_is_said_on_the_page_of_a_purchase(signed_in):
    bought = make_reserved_instance()

    text = signed_in.get(bought.get_absolute_url()).content.decode()

    assert "Nothing is kept yet." in text


def test_on_the_first_day_there_is_no_average_and_no_chart(signed_in):
    bought = make_reserved_instance()
    audit(at=NOON)

    answer = signed_in.get(bought.get_absolute_url())

    found = answer.context["utilization"]
    assert (found["now"], found["average"], found["chart"].shapes) == ("0", "", [])
    assert "The next audit begins the chart." in answer.content.decode()
    assert "or longer: nothing was kept before" in answer.content.decode()


def test_the_average_weighs_each_moment_the_same():
    bought = make_reserved_instance(judged_at=NOON)
    keep(bought, 90, 1, 1)
    keep(bought, 10, 2, 0)

    found = utilization(bought)

    assert (found["average"], found["known"]) == ("67", "")
    assert (found["now"], found["idle_since"]) == ("100", None)


def test_an_average_says_of_how_much_of_the_time_it_is():
    bought = make_reserved_instance(judged_at=NOON)
    keep(bought, 3, 1, 0)

    assert utilization(bought)["known"] == "3 days"


def test_what_holds_holds_until_the_last_audit_and_not_longer():
    bought = make_reserved_instance(judged_at=NOON + 5 * HOUR)
    keep(bought, 0, 1, 0)

    found = utilization(bought)

    assert (found["until"], found["known"]) == (NOON + 5 * HOUR, "5 hours")


def test_idle_since_is_the_end_of_the_last_time_at_which_all_was_used():
    bought = make_reserved_instance(judged_at=NOON)
    keep(bought, 200, 0, 2)
    keep(bought, 150, 2, 0)
    keep(bought, 120, 1, 1)
    keep(bought, 20, 0, 2)

    found = utilization(bought)

    assert found["idle_since"] == NOON - 120 * DAY
    assert not found["is_longer_idle"]


def test_a_purchase_is_not_idle_before_it_is_in_force():
    bought = make_reserved_instance(judged_at=NOON)
    keep(bought, 9, 0, 1, ["not_active"])
    keep(bought, 4, 0, 1, ["no_instance_of_type"])

    assert utilization(bought)["idle_since"] == NOON - 4 * DAY


def test_a_purchase_that_is_gone_is_neither_used_nor_idle(signed_in):
    bought = make_reserved_instance(judged_at=NOON - DAY, gone_at=NOON)
    keep(bought, 9, 0, 1, ["no_instance_of_type"])
    keep(bought, 0, 0, 0, ["gone"])

    answer = signed_in.get(bought.get_absolute_url())

    found = answer.context["utilization"]
    assert (found["now"], found["idle_since"], found["average"]) == ("", None, "0")
    assert "Neither used nor idle" in answer.content.decode()


def test_of_a_purchase_without_a_state_nothing_is_claimed(signed_in):
    bought = make_reserved_instance(judged_at=NOON, state="")
    keep(bought, 1, 0, 1, ["unclear"])

    text = signed_in.get(bought.get_absolute_url()).content.decode()

    assert "State not recorded" in text
    assert "Neither used nor idle" not in text


def test_the_table_names_the_latest_changes_and_says_that_there_are_more(signed_in):
    bought = make_reserved_instance(judged_at=NOON)
    for days in range(60):
        keep(bought, days, days % 2, 1 - days % 2, ["over_bought"])

    answer = signed_in.get(bought.get_absolute_url())

    lines = answer.context["utilization"]["lines"]
    assert (len(lines), lines[0]["at"]) == (50, NOON)
    assert lines[0]["causes"] == ["More bought than runs"]
    assert "Earlier changes are kept" in answer.content.decode()


def test_only_the_last_line_knows_that_a_code_was_lost():
    bought = make_reserved_instance(judged_at=NOON)
    keep(bought, 9, 0, 1, ["wrong_platform"])
    keep(bought, 4, 1, 0)
    keep(bought, 0, 0, 1, ["wrong_platform"])

    last, _, first = utilization(bought, is_lost=True)["lines"]

    assert last["causes"] == ["AMI lost its code"]
    assert first["causes"] == ["Billing code differs"]


def test_the_last_totals_of_each_week_are_shown(engineer):
    account = make_account()
    totals(date(2026, 11, 16), account, severities={"high": 9})
    totals(date(2026, 11, 22), account, severities={"high": 2, "low": 1})
    totals(date(2026, 8, 30), account, severities={"high": 5})  # a day too old

    found = weeks(engineer, {"critical": 4})

    now, before, *older = found["weeks"]
    assert (before.begin, before.numbers) == (date(2026, 11, 16), [0, 2, 0, 1])
    assert now.numbers == [4, 0, 0, 0]
    assert [week.open for week in older] == [None] * 11
    assert found["earliest"] is before


def test_the_accounts_of_a_week_are_added_up(engineer):
    for severities in ({"high": 2}, {"high": 1, "medium": 3}):
        totals(date(2026, 11, 18), make_account(), severities=severities)

    assert weeks(engineer)["weeks"][1].numbers == [0, 3, 3, 0]


def test_accounts_out_of_reach_or_not_chosen_are_left_out(engineer):
    mine, other = make_account(), make_account()
    for account in (mine, other):
        totals(date(2026, 11, 18), account, severities={"high": 1})

    assert weeks(make_user(Role.VIEWER, account=mine))["weeks"][1].total == 1
    assert weeks(engineer, accounts=[other.number])["weeks"][1].accounts == {other.pk}
    assert weeks(make_user(None)) == {"first": None}


def test_what_is_kept_for_whole_accounts_is_not_passed_off_as_one_of_regions(engineer):
    totals(FRIDAY, make_account(), severities={"high": 7})

    found = weeks(engineer, {"high": 1}, regions=["eu-west-1"])

    assert found["has_regions"]
    assert found["weeks"][0].total == 7
    assert "idle_spark" not in found


@pytest.mark.parametrize(
    ("before", "now", "change"),
    [
        pytest.param({}, {}, Decimal("1.00000000"), id="more"),
        pytest.param({"unpriced": 1}, {}, None, id="not as much is known"),
        pytest.param({"idle_hourly_cost": None}, {}, None, id="not known before"),
        pytest.param({}, {"idle_hourly_cost": Decimal("0.5004")}, None, id="less than a dollar"),
    ],
)
def test_a_change_of_cost_is_told_where_the_weeks_compare(engineer, before, now, change):
    account = make_account()
    totals(date(2026, 11, 20), account, **{"idle_hourly_cost": Decimal("0.5")} | before)
    totals(FRIDAY, account, **{"idle_hourly_cost": Decimal("1.5")} | now)

    assert weeks(engineer)["idle_change"] == change


def test_another_account_is_no_change_of_cost(engineer):
    account, new = make_account(), make_account()
    totals(date(2026, 11, 20), account, idle_hourly_cost=Decimal(1))
    for one in (account, new):
        totals(FRIDAY, one, idle_hourly_cost=Decimal(1))

    assert weeks(engineer)["idle_change"] is None


def test_a_line_needs_two_weeks(engineer):
    account = make_account()
    totals(FRIDAY, account, idle_hourly_cost=Decimal(1), verdicts={"ok": 1})

    found = weeks(engineer)

    assert (found["idle_spark"], found["verified_spark"]) == (None, None)


def test_lines_go_through_the_weeks_that_are_known(engineer):
    account = make_account()
    totals(date(2026, 9, 4), account, idle_hourly_cost=Decimal(2), verdicts={"ok": 1})
    totals(date(2026, 10, 23), account, verdicts={"ok": 1, "lost": 1})
    totals(FRIDAY, account, idle_hourly_cost=Decimal(1), verdicts={"excused": 1, "": 1})

    found = weeks(engineer)

    assert found["idle_spark"].path == "M0,3 L84,27"
    assert found["verified_spark"].path == "M0,3 L49,27 L84,27"


def test_the_overview_says_since_when_it_knows(signed_in):
    text = signed_in.get(reverse("overview")).content.decode()
    assert "The first audit of these accounts begins it." in text

    make_finding(image=make_image(), severity="critical")
    audit(at=timezone.now())
    text = signed_in.get(reverse("overview")).content.decode()

    assert "Kept since today." in text


def test_the_columns_are_there_as_a_table_too(signed_in):
    account = make_account()
    totals(timezone.now().date() - 8 * DAY, account, severities={"high": 1_234})

    text = signed_in.get(reverse("overview")).content.decode()

    assert '<td class="num">1,234</td>' in text
    assert "Not recorded" in text


@pytest.mark.parametrize("count", [1, 15])
def test_the_weeks_take_two_queries(engineer, count, django_assert_num_queries):
    for _ in range(count):
        account = make_account()
        for days in range(0, 30, 3):
            totals(FRIDAY - days * DAY, account, severities={"low": 1})

    with django_assert_num_queries(3):  # one of them: what one may read
        weeks(engineer)


def test_audits_of_one_purchase_are_what_its_page_shows(signed_in):
    account = make_account()
    bought = make_reserved_instance(account=account, instance_count=2)
    make_instance(account=account)
    audit(at=NOON)
    ReservedInstance.objects.update(instance_count=1)
    audit(at=NOON + DAY)

    found = signed_in.get(bought.get_absolute_url()).context["utilization"]

    assert (found["now"], found["average"], found["known"]) == ("100", "50", "1 day")
    assert [line["share"] for line in found["lines"]] == ["100", "50"]
