import csv
import io
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from django.urls import reverse
from django.utils import timezone

from registry.models import DailyTotals, Role
from tests.factories import make_account, make_user

pytestmark = pytest.mark.django_db
DAY = timedelta(days=1)
THIS, LAST, BEFORE = 0, 7, 14  # days ago


def totals(account, days, **fields):
    day = timezone.now().date() - days * DAY
    at = datetime(day.year, day.month, day.day, 12, tzinfo=UTC)
    return DailyTotals.objects.create(account=account, day=day, at=at, **fields)


def shown(client, **query):
    return client.get(reverse("reserved-instances:over-time"), query)


def text_of(answer):
    return " ".join(answer.content.decode().split())


def test_coverage_and_utilization_of_each_week_are_told(signed_in):
    account = make_account()
    cost = {"purchases": 2, "hourly_cost": Decimal("0.4"), "idle_hourly_cost": Decimal("0.1")}
    totals(account, LAST, running=8, covered="7/2", **cost)

    answer = shown(signed_in)

    _, last, *_ = answer.context["weeks"]
    assert (last.coverage * 16, last.utilization * 4) == (7, 3)
    text = text_of(answer)
    assert "44 %" in text
    assert "75 %" in text
    assert "3.5 of 8" in text
    assert "$73" in text


def test_accounts_are_added_up_before_they_are_divided(signed_in):
    for running, covered in ((9, "0"), (1, "1")):
        totals(make_account(), THIS, running=running, covered=covered)

    assert shown(signed_in).context["weeks"][0].coverage * 10 == 1


def test_a_week_without_an_audit_is_a_gap_and_no_zero(signed_in):
    account = make_account()
    for days in (THIS, BEFORE):
        totals(account, days, running=2, covered="1")

    answer = shown(signed_in)

    assert len(answer.context["chart"].shapes) == 2
    assert "Not recorded" in text_of(answer)


def test_where_no_price_is_known_utilization_is_not_known(signed_in):
    totals(make_account(), THIS, purchases=1, hourly_cost=None, unpriced=1)

    answer = shown(signed_in)

    assert answer.context["chart"].shapes == []
    text = text_of(answer)
    assert '<span class="dim">Unknown</span>' in text
    assert '<span class="dim">Nothing ran</span>' in text
    assert "1 without a known cost" in text
    assert "what is idle without a known cost is not taken off" in text


def test_where_nothing_was_bought_there_is_no_utilization(signed_in):
    totals(make_account(), THIS, hourly_cost=Decimal(0), idle_hourly_cost=Decimal(0))

    assert '<span class="dim">None bought</span>' in text_of(shown(signed_in))


def test_accounts_out_of_reach_count_nowhere(client):
    mine, other = make_account(), make_account(number="999900009999")
    for account in (mine, other):
        totals(account, THIS, running=1, covered="1")
    client.force_login(make_user(Role.VIEWER, account=mine))

    assert shown(client).context["weeks"][0].running == 1
    assert b"999900009999" not in shown(client, export="csv").getvalue()


def test_the_chosen_accounts_narrow_it_and_regions_do_not(signed_in):
    mine, other = make_account(), make_account()
    for account in (mine, other):
        totals(account, THIS, running=1)
    session = signed_in.session
    session["scope"] = {"accounts": [mine.number], "regions": ["eu-west-1"]}
    session.save()

    answer = shown(signed_in)

    assert answer.context["weeks"][0].running == 1
    assert "do not narrow it" in text_of(answer)


def test_without_any_audit_that_is_said(signed_in):
    assert "The first audit of these accounts begins it." in text_of(shown(signed_in))


def test_what_is_older_than_thirteen_weeks_is_not_drawn(signed_in):
    totals(make_account(), 100, running=1, covered="1")

    answer = shown(signed_in)

    assert answer.context["latest"] is None
    assert "Nothing was recorded in these thirteen weeks." in text_of(answer)


def test_as_csv_every_day_of_every_account_is_a_line(signed_in):
    account = make_account()
    cost = {"purchases": 2, "hourly_cost": Decimal("0.4"), "idle_hourly_cost": Decimal("0.1")}
    totals(account, 200, running=8, covered="2", **cost)
    totals(account, THIS)

    answer = shown(signed_in, export="csv")

    old, new = csv.DictReader(io.StringIO(answer.getvalue().decode()))
    assert (old["Account"], old["Covered"], old["Coverage"]) == (account.number, "2.0", "0.25")
    assert (old["Idle per hour"], old["Utilization"]) == ("0.10000000", "0.75")
    assert (new["Coverage"], new["Utilization"], new["Per hour"]) == ("", "", "")


@pytest.mark.parametrize("count", [1, 15])
def test_the_number_of_queries_does_not_grow(signed_in, count, django_assert_max_num_queries):
    for _ in range(count):
        account = make_account()
        for days in (THIS, LAST, BEFORE):
            totals(account, days, running=1, covered="1")

    with django_assert_max_num_queries(24):
        shown(signed_in)
