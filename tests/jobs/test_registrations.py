import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.core.exceptions import PermissionDenied
from django.db import connection

from registry.jobs.registrations import LONGEST
from registry.models import (
    Account,
    ChangeField,
    Finding,
    Grant,
    Image,
    Method,
    Policy,
    Registration,
    RegistrationStep,
    Role,
    Run,
    RunKind,
    RunState,
)
from registry.registration import Refused
from tests.factories import NOON, make_user
from tests.jobs.steps import approve, ask, carry_out, step
from tests.registration.elapsed import let_pass
from tests.registration.simulated import RHEL, images_named, put_image, put_snapshot

pytestmark = pytest.mark.django_db


def texts(registration):
    return list(registration.events.order_by("pk").values_list("text", flat=True))


def test_a_request_is_a_run_with_a_line_in_its_timeline(snapshot):
    user = make_user(Role.ENGINEER, username="erin")

    registration = ask(snapshot, by=user, tags={"team": "erp"}, boot_mode="uefi")

    assert registration.run.kind == RunKind.REGISTER
    assert registration.run.state == RunState.QUEUED
    assert registration.run.requested_by == user
    assert registration.step == RegistrationStep.REQUESTED
    assert (registration.tags, registration.boot_mode) == ({"team": "erp"}, "uefi")
    assert texts(registration) == [
        "Requested by erin.",
        "Reason: There is no instance any more.",
        "No approval is needed. Policy: Engineers act on their own.",
    ]


def test_a_request_of_nobody_is_the_operator_s(snapshot):
    assert texts(ask(snapshot, reason="Because."))[0] == "Requested by the operator."


def test_the_same_form_twice_is_one_registration(snapshot):
    assert ask(snapshot) == ask(snapshot)
    assert Run.objects.count() == 1


def test_the_same_form_sent_again_when_its_image_exists_is_no_new_request(snapshot):
    registration = ask(snapshot)
    step(registration)

    assert ask(snapshot) == registration


@pytest.mark.django_db(transaction=True)
def test_the_same_form_twice_at_the_same_moment_is_one_registration(snapshot):
    together = threading.Barrier(2)

    def wait_for_the_other(execute, sql, params, many, context):
        if sql.startswith('INSERT INTO "registry_run"'):
            together.wait(10)
        return execute(sql, params, many, context)

    def ask_with_the_other(_):
        try:
            with connection.execute_wrapper(wait_for_the_other):
                return ask(snapshot).pk
        finally:
            connection.close()

    with ThreadPoolExecutor(2) as pool:
        keys = list(pool.map(ask_with_the_other, range(2)))

    assert keys == [Registration.objects.get().pk] * 2
    assert Run.objects.count() == 1


def test_what_aws_would_refuse_makes_no_run(aws, snapshot):
    with pytest.raises(Refused):
        ask(snapshot, name="no*stars")

    assert Run.objects.count() == 0
    assert aws.calls == []


def test_who_may_not_register_is_told_so(snapshot):
    with pytest.raises(PermissionDenied):
        ask(snapshot, by=make_user(Role.FINOPS))

    assert Run.objects.count() == 0


def test_a_snapshot_that_keeps_its_code_becomes_a_verified_image(aws, snapshot):
    registration = ask(snapshot)

    run = step(registration)

    [image] = images_named(aws, "golden")
    assert run.state == RunState.SUCCEEDED
    assert run.note == f"{image['ImageId']} verified"
    assert run.result == {"image_id": image["ImageId"], "verdict": "ok", "advice": []}
    assert registration.step == RegistrationStep.VERIFIED


def test_the_image_is_in_the_mirror_at_once(snapshot):
    registration = ask(snapshot)

    step(registration)

    image = Image.objects.present().get()
    assert image.aws_id == registration.image_id
    assert image.declared == RHEL
    declared = image.changes.get(field=ChangeField.DECLARED)
    assert (declared.before, declared.after) == (None, RHEL)
    assert image.verdict == "ok"


def test_a_snapshot_that_lost_its_code_ends_as_a_mismatch_with_the_advice(aws, snapshot):
    put_snapshot(aws, billing="")
    registration = ask(snapshot)

    run = carry_out(aws, registration)

    assert run.state == RunState.SUCCEEDED
    assert run.note == "The billing code differs"
    assert run.result["verdict"] == registration.verdict == "lost"
    assert run.result["advice"] == Finding.objects.open().get().remedy
    assert "CreateImage" in run.result["advice"][0]
    assert "Discard this AMI" in run.result["advice"][2]
    assert registration.missing == ["RHEL"]


def test_a_code_that_comes_late_is_not_condemned(aws, snapshot):
    put_snapshot(aws, billing="")
    registration = ask(snapshot)
    step(registration)
    [image] = images_named(aws, "golden")
    image |= {"UsageOperation": RHEL, "PlatformDetails": "Red Hat Enterprise Linux"}

    run = carry_out(aws, registration)

    assert run.note == f"{registration.image_id} verified"
    assert Finding.objects.count() == 0


def test_a_code_that_can_not_be_compared_is_not_called_verified(aws, snapshot):
    registration = ask(snapshot, expected_usage_operation="RunInstances")
    aws.state.pending_seconds = 60
    step(registration)
    [image] = images_named(aws, "golden")
    image |= {"UsageOperation": "", "PlatformDetails": ""}

    run = carry_out(aws, registration)

    assert run.result["verdict"] == "unknown"
    assert run.note.endswith("its billing code can't be compared")


def test_a_pending_image_gives_its_worker_back(aws, snapshot):
    aws.state.pending_seconds = 60
    registration = ask(snapshot)

    run = step(registration)

    assert run.state == RunState.WAITING
    assert run.note == "Image pending"
    assert run.wake_at is not None


def test_an_image_that_could_not_be_made_fails_with_its_reason_and_what_to_do(aws, snapshot):
    aws.state.pending_seconds = 60
    aws.fail("RegisterImage", "image-fails", times=None)
    registration = ask(snapshot)

    run = carry_out(aws, registration)

    assert run.state == RunState.FAILED
    assert run.error == (
        f"{registration.image_id} is failed: An internal error has occurred. Nothing can be "
        "launched from it, and it keeps its name. Discard it, then repeat the request."
    )


def test_the_job_asks_for_the_permission_again(aws, snapshot):
    user = make_user(Role.ENGINEER)
    registration = ask(snapshot, by=user)
    Grant.objects.all().delete()

    run = step(registration)

    assert run.error == f"{user} may not register images in {snapshot.account.name}."
    assert aws.calls == []


def test_what_was_sent_is_looked_for_without_the_permission(aws, snapshot):
    aws.state.invisible_seconds = 20
    aws.fail("RegisterImage", "applied-then-dropped")
    registration = ask(snapshot, by=make_user(Role.ENGINEER))
    step(registration)
    Grant.objects.all().delete()

    run = carry_out(aws, registration)

    assert run.state == RunState.SUCCEEDED
    assert len(images_named(aws, "golden")) == 1


def test_what_was_lost_is_not_sent_again_without_the_permission(aws, snapshot):
    registration = ask(snapshot, by=make_user(Role.ENGINEER))
    Registration.objects.update(step=RegistrationStep.CHECKED)
    aws.fail("RegisterImage", "server-error")
    step(registration)
    Grant.objects.all().delete()

    run = carry_out(aws, registration)

    assert run.state == RunState.FAILED
    assert images_named(aws, "golden") == []


def test_what_was_lost_is_not_sent_again_when_an_approval_does_not_count_any_more(aws, snapshot):
    Policy.objects.create(name="Others must agree", approvals=1)
    registration = ask(snapshot, by=make_user(Role.ENGINEER))
    approver = make_user(Role.ENGINEER)
    approve(step(registration), approver)
    aws.fail("RegisterImage", "server-error")
    step(registration)
    Grant.objects.filter(user=approver).delete()

    run = carry_out(aws, registration)

    assert "an approval no longer counts" in run.error
    assert images_named(aws, "golden") == []


def test_what_was_sent_is_looked_for_as_soon_as_the_account_is_connected_again(aws, snapshot):
    aws.fail("RegisterImage", "applied-then-dropped")
    aws.state.invisible_seconds = 20
    registration = ask(snapshot)
    step(registration)
    Account.objects.update(is_synced=False)
    let_pass(aws, seconds=60)
    step(registration)
    Account.objects.update(is_synced=True)
    let_pass(aws, seconds=60)

    run = carry_out(aws, registration)

    assert (run.state, run.error) == (RunState.SUCCEEDED, "")


def test_an_account_known_from_a_recording_is_never_asked_with_our_own_credentials(aws, snapshot):
    registration = ask(snapshot)
    snapshot.account.is_synced = False
    snapshot.account.save()

    run = step(registration)

    assert run.state == RunState.FAILED
    assert aws.calls == []


def test_a_denied_look_before_anything_was_sent_fails_with_advice(aws, snapshot):
    aws.fail("DescribeImages", "access-denied")
    registration = ask(snapshot)

    run = step(registration)

    assert run.state == RunState.FAILED
    assert run.error.startswith("AWS refused. DescribeImages: UnauthorizedOperation.")
    assert images_named(aws, "golden") == []


def test_a_denied_look_after_something_was_sent_goes_on_looking(aws, snapshot):
    registration = ask(snapshot)
    Registration.objects.update(step=RegistrationStep.CHECKED)
    aws.state.invisible_seconds = 1
    aws.fail("RegisterImage", "applied-then-dropped")
    step(registration)
    let_pass(aws, minutes=1)
    aws.fail("DescribeImages", "access-denied")

    denied = step(registration).state
    note = registration.run.note
    run = carry_out(aws, registration)

    assert denied == RunState.WAITING
    assert note.startswith("AWS can't be asked now: DescribeImages: UnauthorizedOperation.")
    assert run.state == RunState.SUCCEEDED
    assert len(images_named(aws, "golden")) == 1


def test_an_answer_of_no_use_before_anything_was_sent_is_a_failure(aws, snapshot):
    put_image(aws, CreationDate="yesterday")

    run = step(ask(snapshot))

    assert run.state == RunState.FAILED
    assert "CreationDate" in run.error


def test_an_answer_of_no_use_after_something_was_sent_is_asked_for_again(aws, snapshot):
    registration = ask(snapshot)
    aws.state.pending_seconds = 60
    step(registration)
    [image] = images_named(aws, "golden")
    created = image["CreationDate"]
    image["CreationDate"] = "yesterday"
    let_pass(aws, minutes=1)

    useless = step(registration).state
    image["CreationDate"] = created
    run = carry_out(aws, registration)

    assert useless == RunState.WAITING
    assert run.state == RunState.SUCCEEDED


def test_a_reason_longer_than_a_note_is_cut(aws, snapshot):
    registration = ask(snapshot)
    Registration.objects.update(submitted_at=NOON)
    snapshot.account.role_arn = f"arn:aws:iam::999999999999:role/{'x' * 300}"
    snapshot.account.save()

    run = step(registration)

    assert run.state == RunState.WAITING
    assert len(run.note) == 300


def test_a_registration_ends_after_two_hours_at_the_latest(aws, snapshot):
    aws.state.pending_seconds = 3 * 3600
    registration = ask(snapshot)
    step(registration)
    let_pass(aws, hours=LONGEST[Method.SNAPSHOT].total_seconds() / 3600, seconds=1)

    run = step(registration)

    assert run.state == RunState.FAILED
    assert run.error == "Not over after 2 hours. Image pending."


def test_the_two_hours_begin_with_the_work(aws, snapshot):
    aws.state.pending_seconds = 60
    registration = ask(snapshot)
    let_pass(aws, hours=5)

    run = step(registration)

    assert run.state == RunState.WAITING


def test_two_requests_for_one_name_make_one_image_and_say_so(aws, snapshot):
    first = ask(snapshot)
    other = Registration.objects.create(
        run=Run.objects.create(kind=RunKind.REGISTER, requested_at=first.run.requested_at),
        account=snapshot.account,
        region=snapshot.region,
        snapshot_id=snapshot.aws_id,
        name="golden",
        expected_usage_operation=RHEL,
    )
    step(first)

    run = step(other)

    assert run.state == RunState.FAILED
    assert "was not made by this request" in run.error
    assert other.image_id == ""
    assert [image["ImageId"] for image in images_named(aws, "golden")] == [first.image_id]


@pytest.mark.parametrize(
    "is_checked", [False, True], ids=["the first call", "the call that is meant"]
)
@pytest.mark.parametrize(
    ("operation", "fault"),
    [
        ("RegisterImage", "throttle"),
        ("RegisterImage", "server-error"),
        ("RegisterImage", "slow"),
        ("RegisterImage", "applied-then-dropped"),
        ("RegisterImage", "half-a-page"),
        ("DescribeImages", "throttle"),
        ("DescribeImages", "server-error"),
        ("DescribeImages", "slow"),
        ("DescribeImages", "applied-then-dropped"),
        ("DescribeImages", "half-a-page"),
    ],
)
def test_no_fault_makes_two_images_or_none(aws, snapshot, operation, fault, is_checked):
    registration = ask(snapshot)
    if is_checked:
        Registration.objects.update(step=RegistrationStep.CHECKED)
    aws.fail(operation, fault, seconds=0.1)

    run = carry_out(aws, registration)

    [image] = images_named(aws, "golden")
    assert run.state == RunState.SUCCEEDED
    assert registration.image_id == image["ImageId"]
    assert registration.verdict == "ok"


@pytest.mark.parametrize(
    "fault",
    ["throttle", "server-error", "slow", "applied-then-dropped", "access-denied", "half-a-page"],
)
def test_no_fault_of_looking_after_a_lost_answer_makes_two_images(aws, snapshot, fault):
    registration = ask(snapshot)
    Registration.objects.update(step=RegistrationStep.CHECKED)
    aws.state.invisible_seconds = 70
    aws.fail("RegisterImage", "applied-then-dropped")
    step(registration)
    aws.fail("DescribeImages", fault, seconds=0.1)

    run = carry_out(aws, registration)

    [image] = images_named(aws, "golden")
    assert run.state == RunState.SUCCEEDED
    assert registration.image_id == image["ImageId"]


@pytest.mark.parametrize("seconds", [10, 44, 46, 120, 280])
def test_an_image_that_shows_late_is_found_and_not_made_again(aws, snapshot, seconds):
    registration = ask(snapshot)
    Registration.objects.update(step=RegistrationStep.CHECKED)
    aws.state.invisible_seconds = seconds
    aws.fail("RegisterImage", "applied-then-dropped")

    run = carry_out(aws, registration)

    [image] = images_named(aws, "golden")
    assert run.state == RunState.SUCCEEDED
    assert registration.image_id == image["ImageId"]


def test_a_late_start_does_not_shorten_the_search(aws, snapshot):
    registration = ask(snapshot)
    Registration.objects.update(step=RegistrationStep.CHECKED)
    let_pass(aws, hours=1)
    aws.state.invisible_seconds = 120
    aws.fail("RegisterImage", "applied-then-dropped")

    run = carry_out(aws, registration)

    assert run.state == RunState.SUCCEEDED
