import pytest

from registry.models import Role, TriageAction
from registry.triage import can
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
TRIAGE = {"assign", "waive", "reopen"}
WORK = {"start", "comment", "watch", "verify"}
# "state" in which the action makes sense, where that is not an open one
STATES = {"reopen": "waived"}


@pytest.mark.parametrize(
    ("role", "allowed"),
    [
        (None, set()),
        (Role.VIEWER, set()),
        (Role.DEVELOPER, WORK),
        (Role.FINOPS, WORK | TRIAGE),
        (Role.ENGINEER, WORK | TRIAGE),
        (Role.ADMIN, WORK | TRIAGE),
    ],
)
def test_the_role_says_what_somebody_can_do(role, allowed):
    user = make_user(role)

    able = {
        action.value
        for action in TriageAction
        if not can(make_finding(state=STATES.get(action, "open")), action, user)
    }

    assert able == allowed


@pytest.mark.parametrize("action", TriageAction)
def test_a_role_on_another_account_says_nothing(action):
    finding = make_finding(image=make_image(account=make_account(name="core-prod")))
    user = make_user(Role.ENGINEER, account=make_account(), username="eve")

    assert can(finding, action, user).startswith("eve may not ")
    assert can(finding, action, user).endswith(" findings of core-prod.")


@pytest.mark.parametrize(
    ("assignee", "person", "is_able"),
    [
        (None, "dora", True),
        ("dora", "dora", False),  # she is already
        ("fay", "dora", False),
        (None, "fay", False),
        (None, None, False),  # to whomever
    ],
)
def test_a_developer_assigns_only_herself_what_is_nobody_elses(
    dora, fay, assignee, person, is_able
):
    people = {"dora": dora, "fay": fay, None: None}
    finding = make_finding(assignee=people[assignee])

    why_not = can(finding, TriageAction.ASSIGN, dora, person=people[person])

    assert (why_not == "") == is_able


def test_the_state_says_what_nobody_can_do(fay):
    assert can(make_finding(state="waived"), TriageAction.WAIVE, fay) == "It is waived already."
    resolved = make_finding(state="resolved", resolved_at=NOON)
    assert can(resolved, TriageAction.ASSIGN, fay).startswith("It is resolved.")
    assert can(resolved, TriageAction.VERIFY, fay).startswith("It is resolved.")
    assert can(resolved, TriageAction.WATCH, fay) == ""


@pytest.mark.parametrize(
    "thing",
    [{"instance": make_instance}, {"reserved_instance": make_reserved_instance}],
)
def test_only_images_are_read_again(fay, thing):
    finding = make_finding(**{kind: make() for kind, make in thing.items()})

    why_not = can(finding, TriageAction.VERIFY, fay)

    assert why_not == "Only images are read again one by one. The next sync reads this."
