from datetime import timedelta
from decimal import Decimal

import pytest
from django.urls import reverse
from django.utils import timezone

from registry.models import DailyTotals, Role, Utilization
from tests.factories import make_account, make_finding, make_reserved_instance, make_user

pytestmark = pytest.mark.django_db
DAY = timedelta(days=1)


def used(days, used, idle, **fields):
    now = timezone.now()
    defaults = {"judged_at": now, "used": str(used), "idle": str(idle)}
    purchase = make_reserved_instance(**defaults | fields)
    Utilization.objects.create(
        reserved_instance=purchase, at=now - days * DAY, used=str(used), idle=str(idle)
    )
    return purchase


def card(client):
    return client.get(reverse("overview")).context["month"]


def listed(client, **query):
    return client.get(reverse("reserved-instances:list"), query)


def text_of(answer):
    return " ".join(answer.content.decode().split())


def test_the_overview_tells_how_far_families_were_used(signed_in):
    used(40, 1, 1, instance_type="m5.large", idle_hourly_cost=Decimal("0.1"))
    used(40, 1, 0, instance_type="c5.large", idle_hourly_cost=None)

    answer = signed_in.get(reverse("overview"))

    first, second = answer.context["month"]["kinds"]
    assert (first["family"], first["share"], second["share"]) == ("m5", "50", "100")
    text = text_of(answer)
    assert "--v:50%;--t:90%;--c:var(--c-high)" in text
    assert "<b>50&nbsp;%</b> · $73" in text
    assert "<b>100&nbsp;%</b> · $0" in text
    assert "Recorded for" not in text


def test_the_overview_counts_only_active_purchases_and_says_so(signed_in):
    used(1, 1, 0)
    used(1, 0, 1, state="retired")

    text = text_of(signed_in.get(reverse("overview")))

    assert "1 active purchase." in text
    assert listed(signed_in, view="all").context["total"] == 2


def test_a_family_leads_to_its_purchases(signed_in):
    one = used(1, 1, 0, instance_type="m5.large", product_description="Windows (Amazon VPC)")
    used(1, 1, 0, instance_type="m5.large")
    used(1, 1, 0, instance_type="m5a.large", product_description="Windows")

    kinds = {(kind["family"], kind["platform"]): kind for kind in card(signed_in)["kinds"]}
    answer = signed_in.get(kinds["m5", "Windows"]["url"])

    assert list(answer.context["rows"]) == [one]
    assert {chip["text"] for chip in answer.context["chips"]} == {"m5", "Windows"}


def test_seven_families_or_more_are_six_and_the_others(signed_in):
    for number in range(8):
        used(1, 1, 0, instance_type=f"m{number}.large")

    found = card(signed_in)

    assert (len(found["kinds"]), found["others_number"]) == (6, 2)
    assert "Other (2 families and platforms)" in text_of(signed_in.get(reverse("overview")))


def test_of_how_much_of_the_time_it_is_known_is_said(signed_in):
    used(3, 1, 0)

    assert card(signed_in)["recorded"] == "3 days"
    assert "Recorded for 3 days so far" in text_of(listed(signed_in))


def test_what_was_never_recorded_is_no_zero(signed_in):
    make_reserved_instance()

    assert card(signed_in)["kinds"][0]["share"] is None
    assert "Not recorded · Unknown" in text_of(signed_in.get(reverse("overview")))
    assert "Unknown <small>target 90&nbsp;%" in text_of(listed(signed_in))


def test_purchases_out_of_reach_are_in_no_figure(client):
    mine = make_account()
    used(40, 1, 0, account=mine)
    used(40, 0, 1, idle_hourly_cost=Decimal(1))
    client.force_login(make_user(Role.VIEWER, account=mine))

    answer = listed(client, view="all")

    assert (card(client)["purchases"], answer.context["used"].share) == (1, 1)
    assert (answer.context["waste"].purchases, answer.context["waste"].hourly) == (1, 0)


def test_the_figures_of_the_list(signed_in):
    now = timezone.now()
    account = make_account()
    lost = used(
        *(40, 1, 3),
        account=account,
        instance_count=4,
        idle_hourly_cost=Decimal("0.2"),
        end_at=now + 50 * DAY,
    )
    used(40, 1, 0, account=account, idle_hourly_cost=Decimal(0), end_at=now + 70 * DAY)
    make_finding(reserved_instance=lost, rule="RI001")
    for days, cost in ((8, "0.1"), (0, "0.2")):
        DailyTotals.objects.create(
            account=account,
            day=now.date() - days * DAY,
            at=now - days * DAY,
            idle_hourly_cost=Decimal(cost),
        )

    answer = listed(signed_in)

    text = text_of(answer)
    assert "40 % <small>target 90&nbsp;%" in text
    assert "1,440 of 3,600 hours used" in text
    assert "$146 <small>per month" in text
    assert (answer.context["by_code"]["number"], answer.context["ending"]["number"]) == (1, 1)
    assert "4 Reserved Instances, the first on" in text


def test_what_is_matched_and_what_ends_soon_have_views_of_their_own(signed_in):
    now = timezone.now()
    soon = used(1, 0, 1, end_at=now + 59 * DAY)
    matched = used(1, 1, 0, end_at=now + 61 * DAY)
    used(1, 1, 0, end_at=now - DAY)

    assert list(listed(signed_in, view="ending").context["rows"]) == [soon]
    assert matched in listed(signed_in, view="used").context["rows"]
    assert list(listed(signed_in).context["rows"]) == [soon]


def test_the_sums_are_of_what_the_filter_shows(signed_in):
    used(1, 0, 1, instance_type="m5.large", idle_hourly_cost=Decimal("0.1"))
    used(1, 0, 1, instance_type="c5.large", idle_hourly_cost=Decimal("0.2"))
    used(1, 0, 1, instance_type="c5.large", idle_hourly_cost=None)

    assert listed(signed_in).context["waste"].hourly == Decimal("0.3")
    answer = listed(signed_in, q="c5")
    assert answer.context["waste"].hourly == Decimal("0.2")
    text = text_of(answer)
    assert "All 2 together" in text
    assert '<b class="strong">$146</b>, 1 unknown' in text
