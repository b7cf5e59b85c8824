import csv
import io
from datetime import timedelta
from decimal import Decimal

import pytest
from django.contrib.auth.models import User
from django.urls import reverse

from registry.models import Finding, Role
from tests.factories import (
    LATER,
    NOON,
    make_account,
    make_finding,
    make_image,
    make_instance,
    make_reserved_instance,
    make_scope,
    make_user,
    make_waiver,
)

pytestmark = pytest.mark.django_db
LIST = reverse("findings:list")


def refs(answer):
    return [row.ref for row in answer.context["rows"]]


def engineer():
    return User.objects.order_by("pk").first()


def exported(answer):
    return list(csv.DictReader(io.StringIO(answer.getvalue().decode())))


@pytest.fixture
def in_each_state(signed_in):
    """A finding for each tab, by the tab's name."""
    me = engineer()
    found = {
        "unassigned": make_finding(),
        "mine": make_finding(assignee=me, state="in_progress"),
        "waived": make_waiver(owner=me).finding,
        "resolved": make_finding(state="resolved", resolved_at=LATER),
        "watching": make_finding(assignee=make_user(), state="reopened"),
    }
    found["watching"].watchers.add(me)
    found["resolved"].watchers.add(me)
    return found


@pytest.mark.parametrize("tab", ["unassigned", "mine", "watching", "waived", "resolved"])
def test_each_tab_shows_its_own(signed_in, in_each_state, tab):
    answer = signed_in.get(LIST, {"view": tab})

    assert refs(answer) == [in_each_state[tab].ref]


@pytest.mark.parametrize("query", [{}, {"view": "open"}, {"view": "nonsense"}])
def test_at_first_there_is_what_somebody_has_to_act_on(signed_in, in_each_state, query):
    answer = signed_in.get(LIST, query)

    actionable = {in_each_state[name].ref for name in ("unassigned", "mine", "watching")}
    assert set(refs(answer)) == actionable


def test_each_tab_says_how_many_it_holds(signed_in, in_each_state):
    tabs = {key: number for key, _, number in signed_in.get(LIST).context["tabs"]}

    assert tabs == {
        "open": 3,
        "mine": 1,
        "unassigned": 1,
        "watching": 1,
        "waived": 1,
        "resolved": 1,
    }


def test_what_many_watch_is_one_row(signed_in):
    finding = make_finding()
    finding.watchers.add(engineer(), make_user(), make_user())

    assert refs(signed_in.get(LIST, {"view": "watching"})) == [finding.ref]


@pytest.mark.parametrize(
    "query",
    [
        pytest.param({"severity": "low"}, id="severity"),
        pytest.param({"rule": "AMI003"}, id="rule"),
        pytest.param({"cause": "snap-1"}, id="cause"),
        pytest.param({"account": "111122223333"}, id="account"),
        pytest.param({"region": "us-east-1"}, id="region"),
        pytest.param({"assignee": "priya"}, id="assignee"),
        pytest.param({"state": "in_progress"}, id="state"),
    ],
)
def test_is_narrowed(signed_in, query):
    account = make_account(number="111122223333")
    make_finding()
    make_scope(account=account, region="us-east-1")
    wanted = make_finding(
        image=make_image(account=account, region="us-east-1"),
        severity="low",
        rule="AMI003",
        cause="snap-1",
        state="in_progress",
        assignee=make_user(username="priya"),
    )

    assert refs(signed_in.get(LIST, query)) == [wanted.ref]


@pytest.mark.parametrize("thing", ["instance", "reserved_instance"])
def test_an_account_narrows_all_kinds_of_things(signed_in, thing):
    make = {"instance": make_instance, "reserved_instance": make_reserved_instance}[thing]
    wanted = make_finding(**{thing: make()})
    make_finding(**{thing: make()})

    answer = signed_in.get(LIST, {"account": wanted.thing.account.number})

    assert refs(answer) == [wanted.ref]


def test_nobody_learns_who_works_on_accounts_of_others(client):
    mine = make_finding(assignee=make_user(username="known"))
    make_finding(assignee=make_user(username="unknown-person"))
    client.force_login(make_user(Role.ENGINEER, account=mine.image.account))

    text = client.get(LIST).content.decode()

    assert "known" in text
    assert "unknown-person" not in text


@pytest.mark.parametrize(
    ("fields", "says"),
    [
        pytest.param({"monthly_cost": Decimal(1234)}, "$1,234", id="known"),
        pytest.param({}, "None", id="none"),
        pytest.param({"idle_purchases": ["ri-1"]}, "Unknown", id="idle purchase without a price"),
    ],
)
def test_a_cost_that_is_not_known_is_no_cost_of_none(signed_in, fields, says):
    make_finding(**fields)

    text = signed_in.get(LIST).content.decode()
    cell = text[text.index('data-label="Per month"') :].partition("</td>")[0]

    assert says in cell


def test_a_purchase_without_a_price_costs_an_unknown_amount(signed_in):
    make_finding(reserved_instance=make_reserved_instance())

    text = signed_in.get(LIST).content.decode()

    assert "Unknown" in text[text.index('data-label="Per month"') :].partition("</td>")[0]


def test_the_money_of_a_purchase_counts_once(signed_in):
    make_finding(reserved_instance=make_reserved_instance(), monthly_cost=Decimal(100))
    make_finding(monthly_cost=Decimal(100))  # its cause, with its share of the same money

    assert signed_in.get(LIST).context["monthly_total"] == Decimal(100)


def test_a_waiver_says_until_when(signed_in):
    make_waiver(until=NOON + timedelta(days=7))

    assert b"until 1 Dec 2026" in signed_in.get(LIST, {"view": "waived"}).content


def test_an_export_names_findings_as_people_do(signed_in):
    waiver = make_waiver()
    Finding.objects.filter(pk=waiver.finding_id).update(cause="snap-1", running=3)

    (row,) = exported(signed_in.get(LIST, {"view": "waived", "export": "csv"}))

    assert row["Finding"] == waiver.finding.ref
    assert (row["State"], row["Cause"], row["Running"]) == ("waived", "snap-1", "3")
    assert row["Waived until"].startswith("2026-12-01")


@pytest.mark.parametrize("key", [1, 9_999, 10_000, 123_456])
def test_an_exported_reference_is_the_one_of_the_page(signed_in, key):
    finding = make_finding(pk=key)

    (row,) = exported(signed_in.get(LIST, {"export": "csv"}))

    assert row["Finding"] == finding.ref


def test_what_is_named_hostile_stays_text(signed_in):
    image = make_image(name="<script>alert(1)</script>")
    make_finding(image=image, title="<img src=x>", cause='"><b>', assignee=engineer())

    text = signed_in.get(LIST, {"cause": '"><b>'}).content.decode()

    assert "<script>alert" not in text
    assert "<img src=x>" not in text
    assert '"><b>' not in text


def test_takes_the_same_queries_on_every_tab(
    signed_in, in_each_state, django_assert_max_num_queries
):
    signed_in.get(LIST)
    with django_assert_max_num_queries(30) as few:
        signed_in.get(LIST)
    for _ in range(20):
        make_finding(assignee=engineer()).watchers.add(engineer())

    for tab in ("open", "mine", "watching"):
        with django_assert_max_num_queries(len(few)):
            signed_in.get(LIST, {"view": tab})


def test_nothing_can_be_selected_by_who_may_only_read(client):
    make_finding()
    client.force_login(make_user(Role.VIEWER))

    assert b'name="pick"' not in client.get(LIST).content


def test_the_overview_counts_what_somebody_has_to_act_on(signed_in, in_each_state):
    context = signed_in.get(reverse("overview")).context

    assert (context["open_findings"], context["waived_findings"]) == (3, 1)
    assert context["nav"]["findings"] == 3
    assert in_each_state["waived"] not in context["costliest"]


def test_an_image_says_how_many_of_its_findings_are_waived(signed_in):
    image = make_image()
    make_finding(image=image)
    make_waiver(finding=make_finding(image=image, rule="AMI003"))

    assert b"2 findings, 1 waived" in signed_in.get(reverse("images:list")).content
