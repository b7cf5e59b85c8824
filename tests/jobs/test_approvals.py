from datetime import timedelta

import pytest
from django.core.exceptions import PermissionDenied
from django.db import IntegrityError, transaction
from django.utils import timezone

from registry.jobs.approvals import (
    Late,
    approvers,
    decide,
    may_decide,
    may_withdraw,
    missing,
)
from registry.jobs.housekeeping import wake_up
from registry.jobs.registrations import LONGEST
from registry.models import (
    Decision,
    Grant,
    Method,
    RegistrationStep,
    Role,
    Run,
    RunKind,
    RunState,
)
from tests.factories import make_account, make_registration, make_removal, make_run, make_user
from tests.jobs.states import NOT_HELD
from tests.jobs.steps import CHECKING, approve, carry_out, held_for, step
from tests.registration.calls import sent, texts
from tests.registration.elapsed import let_pass

pytestmark = pytest.mark.django_db


def test_nothing_is_changed_in_aws_before_others_agree(aws, held):
    operations = [call.operation for call in aws.calls]

    assert held.state == RunState.HELD
    assert held.note == "Waiting for the approval of another person."
    assert held.registration.step == RegistrationStep.CHECKED
    assert operations == CHECKING
    assert aws.calls[-1].params["DryRun"]
    assert sent(aws) == []


def test_a_held_request_is_left_alone_by_workers_and_the_clock(aws, held):
    aws.calls.clear()

    queued = wake_up(at=timezone.now() + timedelta(days=30))
    step(held.registration)

    assert queued == 0
    assert held.registration.run.state == RunState.HELD
    assert aws.calls == []


def test_an_approval_lets_the_request_go_on(aws, held, colleague):
    approve(held, colleague)

    assert (held.state, held.note) == (RunState.QUEUED, "")
    assert carry_out(aws, held.registration).state == RunState.SUCCEEDED
    assert len(sent(aws)) == 1
    assert "Approved by carl: It is right." in texts(held.registration)


def test_the_clock_queues_what_was_approved(held, colleague):
    approve(held, colleague)

    assert wake_up(at=timezone.now()) == 1


def test_a_refusal_ends_the_request(aws, held, colleague):
    decide(held, by=colleague, is_approval=False, reason="Use the instance.")

    run = step(held.registration)
    assert (run.state, run.error) == (RunState.FAILED, "Declined by carl. Use the instance.")
    assert run.finished_at is not None
    assert sent(aws) == []
    assert texts(held.registration)[-1] == "Declined by carl: Use the instance."


def test_two_must_be_two_persons(aws, snapshot, developer, colleague, other):
    run = held_for(2, snapshot, developer)

    approve(run, colleague)
    one = (run.state, missing(run))
    approve(run, other)

    assert one == (RunState.HELD, "Waiting for approvals: 1 of 2 given.")
    assert run.state == RunState.QUEUED
    assert carry_out(aws, run.registration).state == RunState.SUCCEEDED


def test_of_two_one_refusal_is_enough(aws, snapshot, developer, colleague, other):
    run = held_for(2, snapshot, developer)
    approve(run, colleague)

    decide(run, by=other, is_approval=False, reason="No.")

    assert step(run.registration).error == "Declined by fay. No."
    assert sent(aws) == []


def test_nobody_decides_twice(snapshot, developer, colleague):
    run = held_for(2, snapshot, developer)
    approve(run, colleague)

    with pytest.raises(Late, match="You have decided on this request already"):
        approve(run, colleague)

    run.refresh_from_db()
    assert run.state == RunState.HELD
    assert not may_decide(colleague, run)
    assert Decision.objects.count() == 1


def test_whoever_approved_can_not_decline_afterwards(snapshot, developer, colleague):
    run = held_for(2, snapshot, developer)
    approve(run, colleague)

    with pytest.raises(Late):
        decide(run, by=colleague, is_approval=False, reason="I changed my mind.")

    run.refresh_from_db()
    assert run.state == RunState.HELD


def test_a_decision_without_a_reason_is_no_decision(held, colleague):
    with pytest.raises(IntegrityError), transaction.atomic():
        decide(held, by=colleague, is_approval=True, reason="")

    held.refresh_from_db()
    assert held.state == RunState.HELD


@pytest.mark.parametrize("is_approval", [True, False], ids=["approve", "decline"])
@pytest.mark.parametrize("role", [Role.ENGINEER, Role.ADMIN])
def test_nobody_decides_on_a_request_of_their_own(snapshot, role, is_approval):
    user = make_user(role)
    run = held_for(1, snapshot, user)

    with pytest.raises(PermissionDenied):
        decide(run, by=user, is_approval=is_approval, reason="It is mine.")

    run.refresh_from_db()
    assert run.state == RunState.HELD
    assert not may_decide(user, run)


def test_not_even_a_superuser_decides_on_a_request_of_their_own(snapshot):
    user = make_user(None, is_superuser=True)
    run = held_for(1, snapshot, user)

    with pytest.raises(PermissionDenied):
        approve(run, user)


@pytest.mark.parametrize(
    "user",
    [
        pytest.param(lambda: make_user(None), id="no role"),
        pytest.param(lambda: make_user(Role.VIEWER), id="viewer"),
        pytest.param(lambda: make_user(Role.DEVELOPER), id="developer"),
        pytest.param(lambda: make_user(Role.ADMIN, account=make_account()), id="elsewhere"),
        pytest.param(lambda: make_user(Role.ADMIN, is_active=False), id="deactivated"),
    ],
)
def test_who_may_not_approve_there_decides_nothing(held, user):
    somebody = user()

    with pytest.raises(PermissionDenied):
        approve(held, somebody)

    held.refresh_from_db()
    assert held.state == RunState.HELD
    assert not may_decide(somebody, held)
    assert not may_withdraw(somebody, held)
    assert not Decision.objects.exists()


def test_others_may_decide_on_a_request_of_the_command_line(snapshot, colleague):
    run = held_for(1, snapshot, None)

    approve(run, colleague)

    assert run.state == RunState.QUEUED


@pytest.mark.parametrize(("fields", "label"), NOT_HELD)
def test_only_what_is_held_can_be_decided_on(held, colleague, fields, label):
    Run.objects.filter(pk=held.pk).update(**fields)
    held.refresh_from_db()

    with pytest.raises(Late, match=f"{held.ref} does not wait for a decision: {label}"):
        approve(held, colleague)

    assert not may_decide(colleague, held)
    assert not Decision.objects.exists()


def test_what_is_only_tried_can_not_be_decided_on(trial, colleague):
    with pytest.raises(Late):
        approve(trial, colleague)

    assert not may_decide(colleague, trial)


def test_an_approval_counts_only_while_its_giver_may_give_it(aws, held, colleague):
    approve(held, colleague)
    Grant.objects.filter(user=colleague).delete()

    run = step(held.registration)

    assert (run.state, run.note) == (
        RunState.HELD,
        "Waiting for the approval of another person.",
    )
    assert approvers(run) == []
    assert sent(aws) == []


def test_after_a_lost_approval_another_person_can_give_theirs(aws, held, colleague, other):
    approve(held, colleague)
    Grant.objects.filter(user=colleague).delete()
    step(held.registration)

    approve(held, other)

    assert carry_out(aws, held.registration).state == RunState.SUCCEEDED


def test_what_is_held_goes_on_also_if_a_lost_approval_came_back(aws, held, colleague, other):
    approve(held, colleague)
    Grant.objects.filter(user=colleague).delete()
    run = step(held.registration)
    Grant.objects.create(user=colleague, role=Role.ENGINEER)

    approve(run, other)

    assert run.state == RunState.QUEUED
    assert carry_out(aws, held.registration).state == RunState.SUCCEEDED


def test_the_time_limit_begins_when_the_last_one_has_agreed(aws, held, colleague):
    aws.state.pending_seconds = 60
    let_pass(aws, hours=LONGEST[Method.SNAPSHOT].total_seconds() / 3600 + 24)
    approve(held, colleague)

    run = step(held.registration)

    assert run.state == RunState.WAITING
    assert run.started_at is not None
    assert run.started_at > timezone.now() - timedelta(minutes=5)


def test_whoever_approves_must_be_able_to_in_the_account_of_the_request(developer):
    registration = make_registration(
        run=make_run(
            kind=RunKind.REGISTER,
            state=RunState.HELD,
            approvals_needed=1,
            requested_by=developer,
        )
    )
    local = make_user(Role.ENGINEER, account=registration.account)

    approve(registration.run, local)

    assert registration.run.state == RunState.QUEUED


def test_nobody_may_decide_on_what_concerns_no_account():
    removal = make_removal(run=make_run(kind=RunKind.REMOVE, state=RunState.HELD))

    with pytest.raises(PermissionDenied):
        approve(removal.run, make_user(Role.VIEWER))
