from datetime import UTC, date, datetime
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.http import QueryDict

from registry.access import people
from registry.forms.triage import AssignForm, CommentForm, WaiverForm, form_of, start_of
from registry.models import Role, TriageAction
from registry.triage import Refused
from tests.factories import make_account, make_user

pytestmark = pytest.mark.django_db
TODAY = date(2026, 11, 24)


def waiver(by, **said):
    data = QueryDict(mutable=True)
    data.update(said)
    return WaiverForm(data or None, people=User.objects.all(), by=by, today=TODAY)


def test_a_waiver_is_over_when_its_day_begins():
    assert start_of(date(2027, 2, 22)) == datetime(2027, 2, 22, tzinfo=UTC)


def test_a_waiver_is_proposed_for_ninety_days():
    assert waiver(make_user()).fields["until"].initial == date(2027, 2, 22)


def test_oneself_is_offered_first():
    make_user(username="anna")
    zoe = make_user(username="zoe")

    form = AssignForm(people=User.objects.all(), by=zoe)

    choices: Any = form.fields["person"]
    assert [label for _, label in choices.choices] == ["Nobody", "zoe", "anna"]


def test_people_are_named_as_they_sign_in():
    zoe = make_user(username="zoe")

    form = waiver(zoe, text="Known.", person="zoe", until="2026-12-24")

    assert form.is_valid()
    assert form.cleaned_data["person"] == zoe


@pytest.mark.parametrize("name", ["someone-else", "gone", "without-a-role"])
def test_nobody_is_offered_who_may_not_read_the_account(name):
    account = make_account()
    make_user(username="reader", account=account)
    make_user(Role.ADMIN, username="someone-else", account=make_account())
    make_user(username="gone", is_active=False)
    make_user(None, username="without-a-role")

    form = AssignForm({"person": name}, people=people(account), by=make_user(account=account))

    assert not form.is_valid()


def test_an_administrator_of_all_is_offered_everywhere():
    root = make_user(None, username="root", is_superuser=True)

    assert root in people(make_account())


def test_what_the_rules_refuse_stands_at_its_field():
    form = CommentForm({"text": "Seen."})
    assert form.is_valid()

    form.refuse(Refused({"text": "Say more.", "findings": "Choose one."}))

    assert form.errors["text"] == ["Say more."]
    assert form.non_field_errors() == ["Choose one."]


@pytest.mark.parametrize(
    ("action", "fields"),
    [
        (TriageAction.START, []),
        (TriageAction.ASSIGN, ["person"]),
        (TriageAction.WAIVE, ["text", "until", "person"]),
        (TriageAction.REOPEN, ["text"]),
        (TriageAction.COMMENT, ["text"]),
        (TriageAction.WATCH, []),
        (TriageAction.VERIFY, []),
    ],
)
def test_each_action_asks_for_what_it_takes(action, fields):
    form = form_of(action, None, people=User.objects.all(), by=make_user(), today=TODAY)

    assert list(form.fields) == fields
