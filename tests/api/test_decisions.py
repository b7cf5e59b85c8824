import json

import pytest

from registry.jobs.removals import run_removal
from registry.models import ItemState, Policy, Registration, RemovalItem, Role, Run, RunState
from tests.factories import (
    make_account,
    make_image,
    make_registration,
    make_removal,
    make_removal_item,
    make_run,
)
from tests.jobs.steps import carry_out
from tests.removal.simulated import put_image

pytestmark = pytest.mark.django_db
REASON = {"reason": "It is needed."}


@pytest.fixture
def held(program, wish, aws):
    """The address of a registration of erin's that waits for another person."""
    Policy.objects.create(name="One for all", approvals=1)
    key = program.post("/registrations", wish).json()["key"]
    carry_out(aws, Registration.objects.get())
    return f"/registrations/{key}"


@pytest.fixture
def trial(program, wish, aws):
    """The address of a trial of erin's that was checked."""
    key = program.post("/registrations?trial=true", wish).json()["key"]
    carry_out(aws, Registration.objects.get())
    return f"/registrations/{key}"


@pytest.fixture
def held_removal(program, aws, scope):
    """The address of a removal of erin's that waits for another person."""
    Policy.objects.create(name="One for all", approvals=1)
    body = {"images": [put_image(aws, scope).aws_id], "reason": "It is old."}
    key = program.post("/removals", body).json()["key"]
    work_on_removal()
    return f"/removals/{key}"


def work_on_removal():
    run_removal(Run.objects.get(kind="remove").pk)
    return Run.objects.get(kind="remove")


def test_another_person_lets_it_go_on(held, another):
    answer = another(Role.FINOPS, username="finn").post(f"{held}/approve", REASON)

    found = answer.json()
    assert (answer.status_code, found["state"]) == (200, RunState.QUEUED)
    assert found["approvals"]["given"] == ["finn"]
    assert found["timeline"][-1]["text"] == "Approved by finn: It is needed."


def test_another_person_ends_it(held, another):
    answer = another(Role.FINOPS, username="finn").post(f"{held}/decline", {"reason": "No."})

    assert answer.json()["state"] == RunState.FAILED
    assert answer.json()["error"] == "Declined by finn. No."


@pytest.mark.parametrize("word", ["approve", "decline"])
def test_nobody_decides_on_their_own(held, program, word):
    answer = program.post(f"{held}/{word}", REASON)

    assert answer.status_code == 403
    assert answer.json()["detail"] == "You can't decide on this request."
    assert Run.objects.get().state == RunState.HELD


@pytest.mark.parametrize("word", ["approve", "decline"])
@pytest.mark.parametrize(
    ("body", "says"),
    [
        pytest.param("{}", "This field is needed.", id="nothing"),
        pytest.param('{"reason": " "}', "Say why", id="only a space"),
        pytest.param('{"reason": null}', "Write a text.", id="null"),
        pytest.param('{"reason": "a\\u0000b"}', "Leave the character NUL out.", id="a NUL"),
        pytest.param('{"reason": "\\ud800"}', "Half a surrogate pair", id="half a surrogate"),
        pytest.param(json.dumps({"reason": "x" * 2_001}), "Use at most 2,000", id="a long one"),
    ],
)
def test_without_a_reason_nothing_is_decided(held, another, word, body, says):
    answer = another(Role.FINOPS).post(f"{held}/{word}", body)

    assert answer.status_code == 422
    assert says in answer.json()["problems"]["reason"]
    assert Run.objects.get().state == RunState.HELD


@pytest.mark.parametrize("word", ["approve", "decline"])
def test_a_decision_that_comes_late_is_told(held, another, word):
    another(Role.FINOPS).post(f"{held}/approve", REASON)

    answer = another(Role.FINOPS).post(f"{held}/{word}", REASON)

    assert answer.status_code == 409
    assert "does not wait for a decision" in answer.json()["detail"]


def test_a_trial_is_confirmed_by_whoever_asked(trial, program):
    answer = program.post(f"{trial}/confirm")

    assert (answer.status_code, answer.json()["state"]) == (200, RunState.QUEUED)
    assert answer.json()["is_trial"] is False


def test_nobody_else_confirms_a_trial(trial, another):
    answer = another(Role.ADMIN).post(f"{trial}/confirm")

    assert answer.status_code == 403
    assert Run.objects.get().is_trial


def test_a_trial_is_confirmed_once(trial, program):
    program.post(f"{trial}/confirm")

    assert program.post(f"{trial}/confirm").status_code == 409


def test_a_request_is_withdrawn_by_whoever_asked(held, program):
    answer = program.post(f"{held}/withdraw")

    assert answer.json()["error"] == "Withdrawn by erin. Nothing was sent to AWS."


def test_a_reader_withdraws_nothing(held, another):
    assert another(Role.VIEWER).post(f"{held}/withdraw").status_code == 403
    assert Run.objects.get().state == RunState.HELD


def test_what_was_sent_is_not_withdrawn(program, wish, aws):
    key = program.post("/registrations", wish).json()["key"]
    carry_out(aws, Registration.objects.get())

    assert program.post(f"/registrations/{key}/withdraw").status_code == 409


def test_a_removal_waits_until_another_person_lets_it_go_on(held_removal, another, aws):
    before = Run.objects.get(kind="remove").state

    answer = another(Role.FINOPS, username="finn").post(f"{held_removal}/approve", REASON)

    found = answer.json()
    assert (before, answer.status_code, found["state"]) == ("held", 200, "queued")
    assert found["approvals"]["given"] == ["finn"]
    assert aws.operations_called() == []
    assert work_on_removal().state == RunState.SUCCEEDED
    assert RemovalItem.objects.get().state == ItemState.DEREGISTERED


def test_another_person_ends_a_removal(held_removal, another, aws):
    answer = another(Role.FINOPS, username="finn").post(
        f"{held_removal}/decline", {"reason": "No."}
    )

    assert answer.json()["state"] == RunState.FAILED
    assert answer.json()["error"] == "Declined by finn. No."
    work_on_removal()
    assert aws.operations_called() == []


@pytest.mark.parametrize("word", ["approve", "decline"])
def test_nobody_decides_on_their_own_removal(held_removal, program, word):
    assert program.post(f"{held_removal}/{word}", REASON).status_code == 403
    assert Run.objects.get().state == RunState.HELD


@pytest.mark.parametrize("word", ["approve", "decline"])
def test_without_a_reason_nothing_is_decided_on_a_removal(held_removal, another, word):
    answer = another(Role.FINOPS).post(f"{held_removal}/{word}", {"reason": " "})

    assert answer.status_code == 422
    assert Run.objects.get().state == RunState.HELD


@pytest.mark.parametrize("word", ["approve", "decline"])
def test_a_decision_on_a_removal_that_comes_late_is_told(held_removal, another, word):
    another(Role.FINOPS).post(f"{held_removal}/approve", REASON)

    assert another(Role.FINOPS).post(f"{held_removal}/{word}", REASON).status_code == 409


@pytest.mark.parametrize("word", ["approve", "decline", "withdraw"])
def test_who_decides_in_one_account_does_not_for_the_images_of_another(another, word):
    here = make_account()
    removal = make_removal(run=make_run(kind="remove", state="held", approvals_needed=1))
    for account in (here, make_account()):
        make_removal_item(removal=removal, image=make_image(account=account))

    answer = another(Role.ADMIN, account=here).post(f"/removals/{removal.key}/{word}", REASON)

    assert answer.status_code == 403
    assert Run.objects.get().state == RunState.HELD


def test_a_removal_is_withdrawn_by_whoever_asked(held_removal, program, aws):
    answer = program.post(f"{held_removal}/withdraw")

    assert answer.json()["error"] == "Withdrawn by erin. Nothing was sent to AWS."
    assert aws.operations_called() == []


@pytest.mark.parametrize("word", ["approve", "decline", "confirm", "withdraw"])
def test_what_one_may_not_see_is_not_there(another, word):
    key = make_registration().key
    elsewhere = another(Role.ADMIN, account=make_account())

    answer = elsewhere.post(f"/registrations/{key}/{word}", REASON)

    assert answer.status_code == 404
    assert answer.json() == {"detail": f"There is no registration {key}."}
