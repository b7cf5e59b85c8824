import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import timedelta

import pytest
from django.core.exceptions import PermissionDenied
from django.db import connection, transaction
from django.utils import timezone
from rq.timeouts import JobTimeoutException

from registry.jobs.approvals import Late, decide, withdraw
from registry.jobs.housekeeping import take_over_abandoned, wake_up
from registry.jobs.removals import MOST_STEPS
from registry.jobs.steering import keep, pause, resume, retry_failed
from registry.models import (
    Grant,
    ItemState,
    Policy,
    Removal,
    RemovalItem,
    Role,
    Run,
    RunKind,
    RunState,
)
from registry.removal import Refused
from registry.removal.uses import INSTANCE
from tests.factories import (
    NOON,
    make_account,
    make_image,
    make_instance,
    make_registration,
    make_run,
    make_scope,
    make_user,
)
from tests.removal.elapsed import let_pass
from tests.removal.simulated import (
    SHARED,
    applied,
    in_aws,
    keep_in_the_bin,
    launch,
    name_in_template,
    put_image,
)
from tests.removal.steps import KEY, ask, ask_back, carry_out, states, step

pytestmark = pytest.mark.django_db
DAY = timedelta(days=1)


@pytest.fixture
def image(aws, scope):
    """An image that nobody uses, in AWS and in the mirror."""
    return put_image(aws, scope)


@pytest.fixture
def other(aws, scope):
    return put_image(aws, scope)


def texts(removal):
    return list(removal.run.events.order_by("pk").values_list("text", flat=True))


def the_item(removal):
    return removal.items.select_related("image__account", "removal").get()


def test_a_request_is_a_run_with_a_row_for_each_image(image, other):
    user = make_user(Role.ENGINEER, username="erin")

    removal = ask(image, other, by=user, hold=14 * DAY, cooling=DAY, reason="Nobody needs it.")

    rows = removal.items.order_by("pk")
    assert (removal.run.kind, removal.run.state) == (RunKind.REMOVE, RunState.QUEUED)
    assert removal.run.requested_by == user
    assert [row.image for row in rows] == [image, other]
    assert {row.act_at for row in rows} == {removal.hold_until}
    assert removal.hold_until == removal.run.requested_at + 14 * DAY
    assert removal.cooling == DAY
    assert texts(removal) == ["Requested by erin: Nobody needs it."]
    assert set(removal.run.images.all()) == {image, other}


def test_a_request_without_a_hold_is_due_at_once(image):
    removal = ask(image)

    assert removal.hold_until is None
    assert the_item(removal).act_at == removal.run.requested_at


def test_what_uses_an_image_is_written_down_as_it_was_shown(image):
    instance = make_instance(image_id=image.aws_id, name="web")

    [use] = the_item(ask(image)).uses_shown

    assert use == {
        "kind": INSTANCE,
        "aws_id": instance.aws_id,
        "name": "web",
        "account": instance.account.number,
    }


def test_the_same_form_twice_is_one_removal(image):
    assert ask(image) == ask(image)
    assert Run.objects.count() == 1


def test_the_same_form_sent_again_after_the_end_is_no_new_request(aws, image):
    removal = ask(image)
    carry_out(aws, removal)

    assert ask(image) == removal


def test_an_image_chosen_twice_is_one_row(image):
    assert ask(image, image).items.count() == 1


@pytest.mark.django_db(transaction=True)
def test_the_same_form_twice_at_the_same_moment_is_one_removal(image):
    assert _ask_together(image, [KEY, KEY]) == [Removal.objects.get().pk] * 2


@pytest.mark.django_db(transaction=True)
def test_two_requests_for_one_image_at_the_same_moment_are_one_and_a_refusal(image):
    other = type(KEY)(int=1)

    made = _ask_together(image, [KEY, other])

    assert sorted(made, key=str) == [Removal.objects.get().pk, "images"]
    assert Run.objects.count() == 1


def _ask_together(image, keys):
    together = threading.Barrier(2)

    def wait_for_the_other(execute, sql, params, many, context):
        if sql.startswith('INSERT INTO "registry_run" '):
            together.wait(10)
        return execute(sql, params, many, context)

    def ask_with_the_other(key):
        try:
            with connection.execute_wrapper(wait_for_the_other):
                return ask(image, key=key).pk
        except Refused as error:
            return next(iter(error.problems))
        finally:
            connection.close()

    with ThreadPoolExecutor(2) as pool:
        return list(pool.map(ask_with_the_other, keys))


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"reason": ""}, "reason"),
        ({"reason": " ", "is_forced": True}, "reason"),
        ({"hold": -DAY}, "hold"),
        ({"cooling": -DAY}, "cooling"),
        ({"only_disables": True, "deletes_snapshots": True}, "deletes_snapshots"),
        ({"seen": ["ami-0"]}, "images"),
    ],
    ids=["reason", "force without a reason", "hold", "cooling", "snapshots", "selection"],
)
def test_a_request_that_makes_no_sense_leaves_nothing_behind(aws, image, fields, field):
    with pytest.raises(Refused) as refused:
        ask(image, **fields)

    assert list(refused.value.problems) == [field]
    assert Run.objects.count() == 0
    assert aws.calls == []


def test_no_images_are_refused(db):
    with pytest.raises(Refused):
        ask()


def test_one_image_that_can_not_go_refuses_all(image):
    gone = make_image(gone_at=NOON)

    with pytest.raises(Refused):
        ask(image, gone)

    assert RemovalItem.objects.count() == 0


def test_an_image_in_another_removal_is_refused(image):
    removal = ask(image)

    with pytest.raises(Refused, match=f"{removal.run.ref} is at work on it already"):
        ask(image, key=type(KEY)(int=1))


@pytest.mark.parametrize("role", [Role.VIEWER, Role.DEVELOPER, Role.FINOPS])
def test_who_may_not_discard_is_told_so(image, role):
    with pytest.raises(PermissionDenied, match=image.aws_id):
        ask(image, by=make_user(role))

    assert Run.objects.count() == 0


def test_many_images_that_one_may_not_discard_are_counted():
    images = [make_image() for _ in range(5)]

    with pytest.raises(PermissionDenied, match="and 2 more"):
        ask(*images, by=make_user(Role.VIEWER))


def test_one_may_discard_what_one_has_registered(aws, image):
    user = make_user(Role.DEVELOPER)
    made = make_run(kind="register", requested_by=user, state="succeeded", finished_at=NOON)
    make_registration(run=made, account=image.account, image_id=image.aws_id)

    run = carry_out(aws, ask(image, by=user))

    assert run.note == "1 discarded"


def test_but_not_by_force(image):
    user = make_user(Role.DEVELOPER)
    made = make_run(kind="register", requested_by=user, state="succeeded", finished_at=NOON)
    make_registration(run=made, account=image.account, image_id=image.aws_id)

    with pytest.raises(PermissionDenied):
        ask(image, by=user, is_forced=True)


def test_the_strictest_policy_of_all_the_images_counts(image, other):
    Policy.objects.create(name="Any", operation="remove", approvals=0)
    Policy.objects.create(name="Red Hat", usage_operation="RunInstances:0010", approvals=2)
    other.expected_usage_operation = "RunInstances:0010"
    other.save()

    run = ask(image, other).run

    assert (run.policy, run.approvals_needed) == ("Red Hat", 2)


def test_a_policy_for_making_images_does_not_count(image):
    Policy.objects.create(name="Made", operation="make", approvals=2)

    run = ask(image).run

    assert run.policy == "Whoever has the command line acts on their own"
    assert run.approvals_needed == 0


def test_an_image_that_nobody_uses_is_disabled_and_deregistered(aws, image):
    removal = ask(image)

    run = step(removal)

    assert (run.state, run.note) == (RunState.SUCCEEDED, "1 discarded")
    assert run.result == {"items": {"deregistered": 1}}
    assert in_aws(aws, image) is None
    assert texts(removal)[1:] == ["Disabled.", "Deregistered. Its snapshots were kept."]


def test_nothing_is_sent_during_the_hold(aws, image):
    removal = ask(image, hold=14 * DAY)

    run = step(removal)

    assert (run.state, run.note) == (RunState.WAITING, "1 to go")
    assert run.wake_at == removal.hold_until
    assert aws.calls == []


def test_after_the_hold_it_is_disabled_and_cools_down(aws, image):
    removal = ask(image, hold=14 * DAY, cooling=7 * DAY)
    step(removal)
    let_pass(aws, days=14)

    run = step(removal)

    item = the_item(removal)
    assert run.state == RunState.WAITING
    assert item.state == ItemState.DISABLED
    assert run.wake_at == item.act_at == item.disabled_at + 7 * DAY


def test_after_the_cooling_time_it_is_deregistered(aws, image):
    removal = ask(image, cooling=7 * DAY)
    step(removal)
    let_pass(aws, days=7)

    assert step(removal).note == "1 discarded"


def test_what_is_only_to_be_disabled_stays_so(aws, image):
    removal = ask(image, only_disables=True)

    run = step(removal)

    assert (run.state, run.note) == (RunState.SUCCEEDED, "1 disabled")
    assert in_aws(aws, image)["State"] == "disabled"
    assert applied(aws, "DeregisterImage", image) == 0


def test_what_was_only_disabled_can_be_discarded_later(aws, image):
    first = ask(image, only_disables=True)
    step(first)
    image.refresh_from_db()

    second = ask(image, key=type(KEY)(int=1))
    run = step(second)

    assert run.note == "1 discarded"
    assert the_item(first).note == f"{run.ref} goes on from here."


def test_each_image_has_its_own_end(aws, scope, image, other):
    launch(aws, image)
    protected = put_image(aws, scope, DeregistrationProtection="enabled-without-cooldown")
    removal = ask(image, other, protected)

    run = carry_out(aws, removal)

    assert run.state == RunState.SUCCEEDED
    assert states(removal) == ["in_use", "deregistered", "failed"]
    assert run.note == "1 discarded, 1 kept: in use, 1 failed"


def test_images_of_several_accounts_and_regions_go_each_in_its_own(aws, scope, image):
    elsewhere = make_scope(account=scope.account, region="us-east-1")
    copy = put_image(aws, elsewhere, _permissions=[])

    run = carry_out(aws, ask(image, copy))

    assert run.note == "2 discarded"
    assert {call.region for call in aws.calls if call.operation == "DeregisterImage"} == {
        "eu-west-1",
        "us-east-1",
    }


def test_forced_removal_does_not_forget_regional_copies_that_were_chosen(aws, scope, image):
    copy = put_image(aws, make_scope(account=scope.account, region="us-east-1"))
    copy.source_image_id = image.aws_id
    copy.save()
    removal = ask(image, copy, is_forced=True, seen=[image.aws_id, copy.aws_id])

    carry_out(aws, removal)

    assert states(removal) == ["deregistered", "deregistered"]
    assert in_aws(aws, copy) is None


def test_an_account_that_can_not_be_entered_fails_alone(aws, image):
    locked = make_account(role_arn="arn:aws:iam::111111111111:role/amiportal")
    other = make_image(account=locked)
    aws.fail("AssumeRole", "access-denied", times=None)
    removal = ask(other, image)

    carry_out(aws, removal)

    [failed] = removal.items.filter(image=other)
    assert states(removal) == ["failed", "deregistered"]
    assert "AssumeRole" in failed.error


def test_an_account_that_became_a_recording_is_not_asked(aws, image):
    removal = ask(image)
    type(image.account).objects.update(is_synced=False)

    carry_out(aws, removal)

    assert states(removal) == ["failed"]
    assert "only known from a recording" in the_item(removal).error
    assert aws.calls == []


def test_the_permission_is_asked_for_at_the_moment_of_acting(aws, image):
    user = make_user(Role.ENGINEER, username="erin")
    removal = ask(image, by=user, cooling=DAY)
    step(removal)
    Grant.objects.all().delete()
    let_pass(aws, days=1)

    step(removal)

    item = the_item(removal)
    assert item.state == ItemState.FAILED
    assert item.error == f"erin may not do this in {image.account.name} any more."
    assert item.note == "It stays disabled."


def test_a_request_that_needs_approval_waits_for_it(aws, image):
    Policy.objects.create(name="Four eyes", operation="remove", approvals=1)
    removal = ask(image, by=make_user(Role.ENGINEER))

    run = step(removal)

    assert (run.state, run.note) == (RunState.HELD, "Waiting for the approval of another person.")
    assert aws.calls == []


def test_after_the_approval_it_goes_on(aws, image):
    Policy.objects.create(name="Four eyes", operation="remove", approvals=1)
    removal = ask(image, by=make_user(Role.ENGINEER))
    run = step(removal)
    decide(run, by=make_user(Role.ENGINEER), is_approval=True, reason="Right.")

    assert step(removal).note == "1 discarded"


@pytest.mark.parametrize("end", ["declined", "withdrawn"])
def test_what_was_declined_or_withdrawn_can_be_asked_for_again(aws, image, end):
    Policy.objects.create(name="Four eyes", operation="remove", approvals=1)
    user = make_user(Role.ENGINEER)
    first = ask(image, by=user)
    run = step(first)
    if end == "declined":
        decide(run, by=make_user(Role.ENGINEER), is_approval=False, reason="Not yet.")
    else:
        withdraw(run, by=user)

    second = ask(image, by=user, key=type(KEY)(int=1))

    assert the_item(second).state == ItemState.MARKED
    assert states(first) == ["kept"]


def test_what_failed_is_tried_again_although_a_later_request_was_withdrawn(aws, image):
    removal = ask(image)
    aws.fail("DisableImage", "access-denied")
    step(removal)
    user = make_user(Role.ENGINEER)
    later = ask(image, by=user, key=type(KEY)(int=1))
    withdraw(later.run, by=user)

    retry_failed(removal, None)
    step(removal)

    assert states(removal) == ["deregistered"]
    assert states(later) == ["kept"]


@pytest.mark.parametrize("end", ["declined", "withdrawn"])
def test_what_was_declined_or_withdrawn_is_not_revived(image, end):
    Policy.objects.create(name="Four eyes", operation="remove", approvals=1)
    user = make_user(Role.ENGINEER)
    removal = ask(image, by=user)
    run = step(removal)
    if end == "declined":
        decide(run, by=make_user(Role.ENGINEER), is_approval=False, reason="Not yet.")
    else:
        withdraw(run, by=user)

    with pytest.raises(Late, match="over"):
        retry_failed(removal, user)


def test_a_large_removal_gives_its_worker_back(aws, scope):
    images = [put_image(aws, scope) for _ in range(MOST_STEPS + 1)]
    removal = ask(*images)

    run = step(removal)

    assert run.state == RunState.WAITING
    assert run in Run.objects.due(timezone.now())
    assert run.note == f"{MOST_STEPS + 1} to go; {MOST_STEPS} disabled"
    assert states(removal).count("disabled") == MOST_STEPS


def test_a_removal_that_gave_its_worker_back_is_queued_again(
    aws, scope, django_capture_on_commit_callbacks
):
    images = [put_image(aws, scope) for _ in range(MOST_STEPS + 1)]
    removal = ask(*images)

    with django_capture_on_commit_callbacks() as callbacks:
        step(removal)

    assert len(callbacks) == 1


def test_the_clock_finds_what_redis_lost(aws, image):
    removal = ask(image, hold=DAY)
    step(removal)
    let_pass(aws, days=1)

    assert wake_up(at=timezone.now()) == 1


def test_somebody_who_knows_better_can_keep_an_image_during_the_hold(aws, image, other):
    removal = ask(image, other, hold=DAY)
    item = removal.items.get(image=image)

    keep(item, make_user(Role.DEVELOPER, image.account, username="erin"))
    let_pass(aws, days=1)
    run = carry_out(aws, removal)

    item.refresh_from_db()
    assert (item.state, item.note) == (ItemState.KEPT, "Kept by erin.")
    assert in_aws(aws, image)["State"] == "available"
    assert run.note == "1 discarded, 1 kept by request"
    assert "Kept by erin." in texts(removal)


def test_an_image_kept_while_it_cools_down_is_said_to_be_disabled(aws, image):
    removal = ask(image, cooling=DAY)
    step(removal)

    keep(the_item(removal), make_user(Role.DEVELOPER, username="erin"))

    assert the_item(removal).note == (
        "Kept by erin. It is disabled; bring it back to let it be launched again."
    )
    assert in_aws(aws, image)["State"] == "disabled"


@pytest.mark.parametrize("role", [Role.VIEWER, None])
def test_who_may_only_look_keeps_nothing(image, role):
    removal = ask(image, hold=DAY)

    with pytest.raises(PermissionDenied):
        keep(the_item(removal), make_user(role))


def test_a_grant_on_another_account_keeps_nothing(image):
    removal = ask(image, hold=DAY)

    with pytest.raises(PermissionDenied):
        keep(the_item(removal), make_user(Role.ENGINEER, make_account()))


def test_an_item_that_is_over_can_not_be_kept(aws, image):
    removal = ask(image)
    step(removal)

    with pytest.raises(Late, match="Deregistered"):
        keep(the_item(removal), make_user(Role.ENGINEER))


def test_an_item_of_a_request_that_was_withdrawn_needs_no_keeping(image):
    user = make_user(Role.ENGINEER)
    removal = ask(image, by=user)
    withdraw(removal.run, by=user)

    with pytest.raises(Late, match="Marked"):
        keep(the_item(removal), user)


def test_what_was_only_to_be_disabled_can_not_be_kept_afterwards(image):
    removal = ask(image, only_disables=True)
    step(removal)

    with pytest.raises(Late):
        keep(the_item(removal), make_user(Role.ENGINEER))


def test_an_image_can_not_be_kept_while_a_request_is_on_its_way(aws, image):
    aws.fail("DisableImage", "applied-then-dropped")
    removal = ask(image)
    step(removal)

    with pytest.raises(Late, match="on its way"):
        keep(the_item(removal), make_user(Role.ENGINEER))


@pytest.mark.parametrize("is_held", [False, True], ids=["in its hold", "for an approval"])
def test_a_removal_of_which_everything_was_kept_is_over(image, is_held):
    Policy.objects.create(name="Any", operation="remove", approvals=int(is_held))
    removal = ask(image, by=make_user(Role.ENGINEER), hold=DAY)
    step(removal)
    keep(the_item(removal), make_user(Role.DEVELOPER))

    run = step(removal)

    assert (run.state, run.note) == (RunState.SUCCEEDED, "1 kept by request")


def test_a_paused_removal_sends_nothing(aws, image):
    removal = ask(image, hold=DAY)
    step(removal)
    pause(removal, make_user(Role.ENGINEER, username="erin"))
    let_pass(aws, days=2)

    run = step(removal)

    assert (run.state, run.note) == (RunState.HELD, "Paused by erin.")
    assert aws.calls == []


def test_a_removal_paused_while_a_worker_is_at_it_is_held_by_the_worker(image):
    removal = ask(image)
    Removal.objects.update(is_paused=True)

    run = step(removal)

    assert (run.state, run.note) == (RunState.HELD, "Paused.")
    assert states(removal) == ["marked"]


def test_pausing_while_a_worker_is_at_it_leaves_the_run_to_the_worker(image):
    removal = ask(image)
    Run.objects.update(state=RunState.RUNNING)

    pause(removal, None)

    removal.run.refresh_from_db()
    assert removal.run.state == RunState.RUNNING
    assert Removal.objects.get().is_paused


def test_a_resumed_removal_goes_on(aws, image):
    removal = ask(image)
    pause(removal, None)
    resume(removal, None)

    assert step(removal).note == "1 discarded"
    assert texts(removal)[1:3] == ["Paused by the operator.", "Resumed by the operator."]


def test_resuming_gives_no_approval(image):
    Policy.objects.create(name="Four eyes", operation="remove", approvals=1)
    removal = ask(image)
    step(removal)
    pause(removal, None)
    resume(removal, None)

    run = step(removal)

    assert (run.state, run.note) == (RunState.HELD, "Waiting for the approval of another person.")


def test_approving_does_not_resume(aws, image):
    Policy.objects.create(name="Four eyes", operation="remove", approvals=1)
    removal = ask(image, by=make_user(Role.ENGINEER))
    run = step(removal)
    pause(removal, None)
    decide(run, by=make_user(Role.ENGINEER), is_approval=True, reason="Right.")

    assert step(removal).note == "Paused."
    assert aws.calls == []


def test_what_is_not_paused_can_not_be_resumed(image):
    with pytest.raises(Late, match="not paused"):
        resume(ask(image), None)


def test_what_is_over_can_not_be_paused(image):
    removal = ask(image)
    step(removal)

    with pytest.raises(Late, match="over"):
        pause(removal, None)


@pytest.mark.parametrize("steer", [pause, resume, retry_failed])
def test_who_may_not_discard_does_not_steer(image, steer):
    removal = ask(image)

    with pytest.raises(PermissionDenied):
        steer(removal, make_user(Role.FINOPS))


def test_who_asked_may_pause(image):
    user = make_user(Role.ENGINEER)
    removal = ask(image, by=user)
    Grant.objects.all().delete()

    pause(removal, user)

    assert Removal.objects.get().is_paused


def test_the_failed_are_tried_again_and_nothing_that_was_done(aws, image, other):
    aws.fail("DisableImage", "access-denied")
    removal = ask(image, other)
    carry_out(aws, removal)
    before = states(removal)

    number = retry_failed(removal, None)
    run = carry_out(aws, removal)

    assert before == ["failed", "deregistered"]
    assert number == 1
    assert run.note == "2 discarded"
    assert applied(aws, "DeregisterImage", image) == 1
    assert applied(aws, "DeregisterImage", other) == 1


def test_what_failed_after_it_was_disabled_goes_on_from_there(aws, image):
    aws.fail("DeregisterImage", "access-denied")
    removal = ask(image)
    carry_out(aws, removal)

    retry_failed(removal, None)
    carry_out(aws, removal)

    assert states(removal) == ["deregistered"]
    assert applied(aws, "DisableImage", image) == 1


def test_an_image_that_is_used_since_it_failed_is_kept_when_it_is_retried(aws, image):
    aws.fail("DeregisterImage", "access-denied")
    removal = ask(image)
    carry_out(aws, removal)
    name_in_template(aws, image)

    retry_failed(removal, None)
    carry_out(aws, removal)

    assert states(removal) == ["in_use"]
    assert applied(aws, "DeregisterImage", image) == 1


def test_what_fails_while_others_go_on_is_retried_at_once(aws, image, other):
    aws.fail("DisableImage", "access-denied")
    removal = ask(image, other, cooling=DAY)
    waiting = step(removal).state

    retry_failed(removal, None)
    run = step(removal)

    assert (waiting, run.state) == (RunState.WAITING, RunState.WAITING)
    assert states(removal) == ["disabled", "disabled"]


def test_where_nothing_failed_nothing_is_retried(image):
    removal = ask(image)
    step(removal)

    with pytest.raises(Late, match="Nothing is left to retry"):
        retry_failed(removal, None)


def test_what_is_under_way_without_a_failure_is_not_retried(image):
    removal = ask(image, hold=DAY)

    with pytest.raises(Late, match="Nothing is left to retry"):
        retry_failed(removal, None)


def test_an_image_that_another_removal_has_now_is_not_retried(aws, image):
    aws.fail("DisableImage", "access-denied")
    removal = ask(image)
    step(removal)
    ask(image, key=type(KEY)(int=1), hold=DAY)

    with pytest.raises(Late):
        retry_failed(removal, None)

    assert states(removal) == ["failed"]


@pytest.mark.django_db(transaction=True)
def test_an_image_that_another_removal_takes_at_this_moment_is_not_retried(aws, image):
    aws.fail("DisableImage", "access-denied")
    removal = ask(image)
    step(removal)

    have_asked = threading.Event()

    def ask_elsewhere():
        try:
            with transaction.atomic():
                ask(image, key=type(KEY)(int=1), hold=DAY)
                have_asked.set()
                wait_until_somebody_waits()
        finally:
            connection.close()

    with ThreadPoolExecutor(1) as pool:
        asking = pool.submit(ask_elsewhere)
        have_asked.wait(10)
        with pytest.raises(Late, match="Another removal"):
            retry_failed(removal, None)
        asking.result()

    assert states(removal) == ["failed"]


def wait_until_somebody_waits():
    """Return when another transaction waits for this one."""
    with connection.cursor() as cursor:
        for _ in range(100_000):
            cursor.execute("SELECT count(*) FROM pg_locks WHERE NOT granted")
            if cursor.fetchone() != (0,):
                break


def test_a_run_that_died_too_often_can_be_retried(aws, image):
    removal = ask(image, cooling=DAY)
    step(removal)
    Run.objects.update(
        state=RunState.FAILED, finished_at=NOON, error="It died.", result={"deaths": 5}
    )

    retry_failed(removal, None)

    removal.run.refresh_from_db()
    assert (removal.run.state, removal.run.error) == (RunState.QUEUED, "")
    assert removal.run.result == {}


def test_a_run_whose_worker_died_goes_on(aws, image):
    removal = ask(image)
    Run.objects.update(state=RunState.RUNNING, attempt=1)

    take_over_abandoned(at=timezone.now())

    assert step(removal).note == "1 discarded"


def test_a_disabled_image_is_brought_back(aws, image):
    step(ask(image, only_disables=True))
    image.refresh_from_db()

    removal = ask_back(image)
    run = step(removal)

    assert (run.note, states(removal)) == ("1 restored", ["restored"])
    assert str(removal) == "Bring images back"
    assert in_aws(aws, image)["State"] == "available"


def test_a_discarded_image_is_brought_back_from_the_bin(aws, image):
    keep_in_the_bin(aws, image)
    step(ask(image))
    image.refresh_from_db()

    run = step(ask_back(image))

    image.refresh_from_db()
    assert run.note == "1 restored"
    assert (image.state, image.gone_at) == ("available", None)


def test_an_image_that_is_gone_for_good_is_said_to_be(aws, image):
    step(ask(image))
    image.refresh_from_db()
    removal = ask_back(image)

    step(removal)

    assert "gone for good" in the_item(removal).error


def test_launch_permissions_that_were_lost_are_named_when_it_is_back(aws, scope):
    image = put_image(aws, scope, _permissions=SHARED)
    step(ask(image))
    step(ask(image, key=type(KEY)(int=1), is_forced=True, only_disables=True))
    image.refresh_from_db()
    removal = ask_back(image)

    step(removal)

    assert the_item(removal).permissions == SHARED
    assert "111111111111, all." in the_item(removal).note


def test_what_is_there_can_not_be_brought_back(image):
    with pytest.raises(Refused, match="It is there already"):
        ask_back(image)


def test_who_may_not_discard_brings_nothing_back(image):
    with pytest.raises(PermissionDenied):
        ask_back(image, by=make_user(Role.FINOPS))


def test_what_was_not_shown_is_not_brought_back(image):
    image.gone_at = NOON
    image.save()

    with pytest.raises(Refused):
        ask_back(image, seen=[])


def test_bringing_back_takes_its_policy_too(image):
    Policy.objects.create(name="Four eyes", operation="remove", approvals=1)
    image.gone_at = NOON
    image.save()

    assert ask_back(image).run.approvals_needed == 1


def test_a_developer_deletes_no_snapshot_that_was_there_before(aws, image):
    developer = make_user(Role.DEVELOPER)
    run = make_run(kind=RunKind.REGISTER, requested_by=developer)
    make_registration(run=run, account=image.account, image_id=image.aws_id)

    with pytest.raises(PermissionDenied):
        ask(image, by=developer, deletes_snapshots=True)

    assert not Removal.objects.exists()
    assert aws.operations_called() == []


@contextmanager
def timed_out_at(words):
    """Let the time of the job run out at the first statement that begins with these words."""
    left = iter([JobTimeoutException("Task exceeded maximum timeout value (900 seconds)")])

    def execute_or_stop(execute, sql, params, many, context):
        error = next(left, None) if str(sql).startswith(words) else None
        if error:
            raise error
        return execute(sql, params, many, context)

    with connection.execute_wrapper(execute_or_stop):
        yield


def test_a_step_that_takes_too_long_is_no_end(aws, image):
    removal = ask(image)

    with timed_out_at('SELECT "registry_instance"'):
        before = step(removal).state
    after = carry_out(aws, removal)

    assert (before, after.state) == (RunState.WAITING, RunState.SUCCEEDED)
    assert states(removal) == [ItemState.DEREGISTERED]
    assert applied(aws, "DisableImage", image) == 1
