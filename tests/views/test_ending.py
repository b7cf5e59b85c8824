import csv
import io
from datetime import timedelta
from decimal import Decimal
from fractions import Fraction

import pytest
from django.urls import reverse
from django.utils import timezone

from registry.models import Role
from tests.factories import (
    make_account,
    make_cover,
    make_instance,
    make_reserved_instance,
    make_user,
)

pytestmark = pytest.mark.django_db
DAY = timedelta(days=1)


def ending_in(days, **fields):
    defaults = {"used": "1", "idle": "0", "judged_at": timezone.now()}
    return make_reserved_instance(
        end_at=timezone.now() + days * DAY + timedelta(hours=1), **defaults | fields
    )


def shown(client):
    return client.get(reverse("reserved-instances:ending"))


def windows(answer):
    return dict(answer.context["windows"])


def test_what_ends_soon_counts_with_all_that_ends_before(signed_in):
    for days in (1, 29, 31, 61, 91):
        ending_in(days)

    answer = shown(signed_in)

    assert [window.purchases for window in windows(answer).values()] == [2, 3, 4]
    assert answer.context["later"] == 1


def test_the_first_to_end_is_listed_first_and_what_ends_late_is_not(signed_in):
    late, first = ending_in(80), ending_in(3)
    ending_in(100)

    assert shown(signed_in).context["rows"] == [first, late]


def test_units_and_money_are_summed_exactly(signed_in):
    ending_in(1, instance_count=2, used="1/3", idle="5/3", hourly_cost=Decimal("0.10"))
    ending_in(1, instance_count=1, used="2/3", idle="1/3", hourly_cost=Decimal("0.20"))

    found = windows(shown(signed_in))[30]

    assert (found.bought, found.used, found.idle) == (3, 1, 2)
    assert found.hourly_cost == Decimal("0.30")


def test_what_is_not_known_is_counted_and_in_no_sum(signed_in):
    ending_in(1, used="", idle="", judged_at=None)
    ending_in(1, hourly_cost=Decimal("0.10"))

    answer = shown(signed_in)

    found = windows(answer)[30]
    assert (found.unjudged, found.unpriced, found.hourly_cost) == (1, 1, Decimal("0.10"))
    assert found.used == Fraction(1)
    assert "and 1 without a known price" in answer.content.decode()


def test_before_an_audit_nothing_is_called_idle_or_covered(signed_in):
    ending_in(1, used="", idle="", judged_at=None)

    text = shown(signed_in).content.decode()

    assert "1 not judged yet" in text
    assert "0 idle" not in text
    assert "0 instances covered" not in text


def test_an_instance_that_two_purchases_pay_for_counts_once(signed_in):
    account = make_account()
    one, other = (ending_in(days, account=account) for days in (5, 50))
    shared, alone = (make_instance(account=account) for _ in range(2))
    make_cover(reserved_instance=one, instance=shared, share="1/2")
    make_cover(reserved_instance=other, instance=shared, share="1/2")
    make_cover(reserved_instance=other, instance=alone)

    answer = shown(signed_in)

    assert [found.instances for found in windows(answer).values()] == [1, 2, 2]
    assert [row.instances for row in answer.context["rows"]] == [1, 2]
    assert f"{other.get_absolute_url()}#h4" in answer.content.decode()


def test_the_first_instances_that_a_purchase_pays_for_are_named(client):
    mine, other = make_account(), make_account()
    bought, free = ending_in(5, account=mine), ending_in(6, account=mine)
    names = ("one", "two", "<b>three", "four")
    for place, name in ((other, "undisclosed"), *((mine, name) for name in names)):
        make_cover(reserved_instance=bought, instance=make_instance(account=place, name=name))
    client.force_login(make_user(Role.VIEWER, account=mine))

    answer = shown(client)

    assert [[one.name for one in row.named] for row in answer.context["rows"]] == [
        ["one", "two", "<b>three"],
        [],
    ]
    text = answer.content.decode()
    assert "<bdi>&lt;b&gt;three</bdi>…" in text
    assert "undisclosed" not in text
    assert free.get_absolute_url() in text


def test_as_csv_every_purchase_with_an_end_is_a_line(signed_in):
    late, first = (
        ending_in(days, instance_count=2, used="3/2", idle="1/2", hourly_cost=Decimal("0.10"))
        for days in (100, 3)
    )
    new = ending_in(200, used="", idle="", judged_at=None)
    make_cover(reserved_instance=first, instance=make_instance(account=first.account))

    answer = signed_in.get(reverse("reserved-instances:ending"), {"export": "csv"})

    lines = list(csv.DictReader(io.StringIO(answer.getvalue().decode())))
    found = [(line["Reserved Instances"], line["Instances covered"]) for line in lines]
    assert found == [(first.aws_id, "1"), (late.aws_id, "0"), (new.aws_id, "")]
    assert [line["Used"] for line in lines] == ["1.5", "1.5", ""]
    assert lines[0]["Per hour"] == "0.10000000"


def test_purchases_are_gathered_by_the_month_of_their_end(signed_in):
    account = make_account()
    now = timezone.now()
    begin = now.replace(
        year=now.year + 1, month=3, day=1, hour=0, minute=0, second=0, microsecond=0
    )
    first = make_reserved_instance(account=account, end_at=begin)
    make_reserved_instance(account=account, end_at=begin.replace(day=31, hour=23, minute=59))
    make_reserved_instance(account=account, end_at=begin.replace(month=4))
    make_cover(reserved_instance=first, instance=make_instance(account=account))

    months = shown(signed_in).context["months"]

    found = [(month.begin.month, month.purchases, month.instances) for month in months]
    assert found == [(3, 2, 1), (4, 1, 0)]


def test_only_purchases_that_are_active_and_there_can_end(signed_in):
    ending_in(1, state="retired")
    ending_in(1, gone_at=timezone.now())
    ending_in(-5)
    make_reserved_instance(end_at=None)

    answer = shown(signed_in)

    assert windows(answer)[90].purchases == 0
    text = answer.content.decode()
    assert "1 purchase ended since the last reading, and is not listed here." in text
    assert "Of 1 active purchase the end was never recorded." in text
    assert "No active purchase ends within 90 days." in text


def test_what_one_may_not_read_is_neither_listed_nor_counted(client):
    mine, other = make_account(), make_account()
    bought = ending_in(1, account=mine)
    ending_in(1, account=other)
    make_cover(reserved_instance=bought, instance=make_instance(account=mine))
    make_cover(reserved_instance=bought, instance=make_instance(account=other))
    client.force_login(make_user(Role.VIEWER, account=mine))

    answer = shown(client)

    found = windows(answer)[30]
    assert (found.purchases, found.instances) == (1, 1)
    assert [row.instances for row in answer.context["rows"]] == [1]
    assert "that you can't read are not counted" in answer.content.decode()


def test_the_scope_narrows_the_calendar(signed_in):
    ending_in(1, region="us-east-1")
    session = signed_in.session
    session["scope"] = {"accounts": [], "regions": ["eu-west-1"]}
    session.save()

    assert windows(shown(signed_in))[90].purchases == 0


def test_of_very_many_the_first_are_listed(signed_in, monkeypatch):
    monkeypatch.setattr("registry.views.ending.SHOWN", 1)
    first, _ = ending_in(1), ending_in(2)

    answer = shown(signed_in)

    assert answer.context["rows"] == [first]
    assert "The first 1 of 2." in answer.content.decode()


@pytest.mark.parametrize("count", [1, 15])
def test_the_number_of_queries_does_not_grow(signed_in, count, django_assert_max_num_queries):
    for _ in range(count):
        bought = ending_in(1)
        make_cover(reserved_instance=bought, instance=make_instance(account=bought.account))

    with django_assert_max_num_queries(33):
        shown(signed_in)
