import pytest
from django.urls import reverse

from registry.models import Role, RunKind
from tests.factories import (
    make_account,
    make_finding,
    make_run,
    make_triage,
    make_user,
    make_waiver,
)

pytestmark = pytest.mark.django_db


def listed(client, user):
    client.force_login(user)
    return [row.pk for row in client.get(reverse("jobs:list")).context["object_list"]]


def test_the_navigation_counts_what_somebody_has_to_do_something_about(signed_in):
    make_finding(severity="critical")
    make_finding(state="reopened")
    make_finding(state="in_progress")
    make_waiver(finding=make_finding(severity="critical"))

    nav = signed_in.get(reverse("overview")).context["nav"]

    assert (nav["findings"], nav["critical"]) == (3, 1)


def test_who_asked_sees_the_run_and_nobody_else_who_does_not_read_everything(client):
    account = make_account()
    mine, other = (make_user(Role.FINOPS, account=account) for _ in range(2))
    run = make_triage(run=make_run(kind=RunKind.TRIAGE, requested_by=mine)).run
    make_run(requested_by=mine)  # an audit of everything

    assert listed(client, mine) == [run.pk]
    assert listed(client, other) == []
    assert run.pk in listed(client, make_user())
