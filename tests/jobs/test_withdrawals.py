import pytest
from django.core.exceptions import PermissionDenied
from django.utils import timezone

from registry.jobs.approvals import (
    Late,
    confirm,
    may_withdraw,
    withdraw,
)
from registry.models import (
    Policy,
    Registration,
    Role,
    Run,
    RunKind,
    RunState,
)
from tests.factories import make_run, make_scope, make_user
from tests.jobs.states import NOT_HELD
from tests.jobs.steps import CHECKING, approve, carry_out, step, tried
from tests.registration.calls import sent, texts

pytestmark = pytest.mark.django_db


def test_a_trial_is_checked_by_aws_and_then_waits(aws, trial):
    assert trial.state == RunState.HELD
    assert trial.note == "Checked. Nothing is sent to AWS until somebody confirms it."
    assert [call.operation for call in aws.calls] == CHECKING
    assert aws.calls[-1].params["DryRun"]
    assert sent(aws) == []


def test_a_confirmed_trial_that_needs_nobody_is_carried_out(aws, snapshot, colleague):
    run = tried(snapshot, colleague)

    confirm(run, by=colleague)

    assert carry_out(aws, run.registration).state == RunState.SUCCEEDED
    assert len(sent(aws)) == 1
    assert "Confirmed by carl." in texts(run.registration)


def test_a_confirmed_trial_still_waits_for_others(aws, snapshot, developer, colleague):
    Policy.objects.create(name="Others must agree", approvals=1)
    run = tried(snapshot, developer)

    confirm(run, by=developer)
    run.refresh_from_db()
    confirmed = (run.state, run.note)
    approve(run, colleague)

    assert confirmed == (RunState.HELD, "Waiting for the approval of another person.")
    assert sent(aws) == []
    assert carry_out(aws, run.registration).state == RunState.SUCCEEDED


def test_the_command_line_confirms_what_it_tried(snapshot):
    run = tried(snapshot, None)

    confirm(run, by=None)

    run.refresh_from_db()
    assert run.state == RunState.QUEUED
    assert "Confirmed by the operator." in texts(run.registration)


@pytest.mark.parametrize("by", ["colleague", None])
def test_only_whoever_asked_confirms(request, trial, by):
    with pytest.raises(PermissionDenied):
        confirm(trial, by=by and request.getfixturevalue(by))

    trial.refresh_from_db()
    assert (trial.state, trial.is_trial) == (RunState.HELD, True)


def test_a_trial_is_confirmed_once(aws, snapshot, colleague):
    run = tried(snapshot, colleague)
    confirm(run, by=colleague)

    with pytest.raises(Late, match="does not wait for this: Queued"):
        confirm(run, by=colleague)

    carry_out(aws, run.registration)
    assert len(sent(aws)) == 1


@pytest.mark.parametrize(("fields", "label"), NOT_HELD)
def test_only_a_held_trial_can_be_confirmed(trial, developer, fields, label):
    Run.objects.filter(pk=trial.pk).update(**fields)

    with pytest.raises(Late, match=label):
        confirm(trial, by=developer)


def test_what_waits_for_an_approval_can_not_be_confirmed_instead(held, developer):
    with pytest.raises(Late):
        confirm(held, by=developer)

    held.refresh_from_db()
    assert held.state == RunState.HELD


@pytest.mark.parametrize("by", ["developer", "colleague"], ids=["own", "who may approve"])
@pytest.mark.parametrize(
    "fields",
    [
        pytest.param({}, id="held"),
        pytest.param({"state": RunState.QUEUED}, id="queued"),
        pytest.param({"state": RunState.WAITING, "wake_at": timezone.now()}, id="waiting"),
    ],
)
def test_a_request_can_be_taken_back_before_anything_was_sent(request, aws, held, fields, by):
    user = request.getfixturevalue(by)
    Run.objects.filter(pk=held.pk).update(**fields)
    held.refresh_from_db()
    may = may_withdraw(user, held)

    withdraw(held, by=user)

    run = step(held.registration)
    assert may
    assert (run.state, run.error) == (
        RunState.FAILED,
        f"Withdrawn by {user}. Nothing was sent to AWS.",
    )
    assert sent(aws) == []


def test_a_trial_can_be_taken_back(aws, trial, developer):
    withdraw(trial, by=developer)

    assert step(trial.registration).state == RunState.FAILED
    assert sent(aws) == []


@pytest.mark.parametrize("state", [RunState.HELD, RunState.QUEUED, RunState.WAITING])
def test_what_was_sent_can_not_be_taken_back(held, developer, state):
    Registration.objects.update(submitted_at=timezone.now())
    Run.objects.filter(pk=held.pk).update(state=state, wake_at=timezone.now())
    run = Run.objects.get()

    with pytest.raises(Late, match="can't be withdrawn"):
        withdraw(run, by=developer)

    run.refresh_from_db()
    assert run.state == state
    assert not may_withdraw(developer, run)


@pytest.mark.parametrize(
    ("fields", "label"),
    [case for case in NOT_HELD if case.id in {"running", "succeeded", "failed"}],
)
def test_what_is_under_way_or_over_can_not_be_taken_back(held, developer, fields, label):
    Run.objects.filter(pk=held.pk).update(**fields)
    run = Run.objects.get()

    with pytest.raises(Late, match=f"{held.ref} can't be withdrawn: {label}"):
        withdraw(run, by=developer)

    assert not may_withdraw(developer, run)


def test_who_neither_asked_nor_may_approve_takes_nothing_back(held):
    with pytest.raises(PermissionDenied):
        withdraw(held, by=make_user(Role.DEVELOPER))

    held.refresh_from_db()
    assert held.state == RunState.HELD


@pytest.mark.parametrize("kind", [RunKind.SYNC, RunKind.AUDIT, RunKind.VERIFY, RunKind.REPORT])
@pytest.mark.parametrize("is_own", [True, False], ids=["own", "of somebody else"])
def test_what_only_reads_can_not_be_taken_back(kind, is_own):
    user = make_user(Role.ADMIN)
    run = make_run(kind=kind, scope=make_scope(), requested_by=user if is_own else None)

    with pytest.raises((Late, PermissionDenied)):
        withdraw(run, by=user)

    run.refresh_from_db()
    assert run.state == RunState.QUEUED
    assert not may_withdraw(user, run)
