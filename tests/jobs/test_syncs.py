from contextlib import contextmanager
from datetime import timedelta

import pytest
from django.db import connection
from django.utils import timezone
from rq.timeouts import JobTimeoutException

from registry.aws import AccessDenied
from registry.jobs.syncs import request_sync, run_sync
from registry.models import Grant, Image, Role, Run, RunKind, RunState, Scope, Snapshot
from tests.data.items import instance_item, put
from tests.factories import NOON, make_image, make_run, make_scope, make_user
from tests.registration.simulated import SNAPSHOT_ID, put_snapshot

pytestmark = pytest.mark.django_db


def audits():
    return Run.objects.filter(kind=RunKind.AUDIT)


def run_failing(run, error=AccessDenied):
    with pytest.raises(error):
        run_sync(run.pk)
    run.refresh_from_db()


def test_aws_is_mirrored_and_the_run_says_what_changed(aws, scope):
    put_snapshot(aws)
    make_image(account=scope.account)
    run = request_sync(scope, by=None)

    run_sync(run.pk)

    run.refresh_from_db()
    assert Snapshot.objects.present().get().aws_id == SNAPSHOT_ID
    assert run.state == RunState.SUCCEEDED
    assert run.note == "1 objects, 2 changed"
    assert run.result["snapshots"] == {"seen": 1, "new": 1, "changed": 0, "gone": 0}
    assert run.result["images"] == {"seen": 0, "new": 0, "changed": 0, "gone": 1}


def test_the_run_says_what_could_not_be_read_besides(aws, scope):
    put(aws, instance_item(1))
    aws.fail("DescribeInstanceImageMetadata", "access-denied")
    run = request_sync(scope, by=None)

    run_sync(run.pk)

    run.refresh_from_db()
    assert run.state == RunState.SUCCEEDED
    assert run.note == (
        "1 objects, 1 changed. Could not read what the images of instances are called."
    )
    [missed] = run.result["missed"]
    assert missed["why"].startswith("DescribeInstanceImageMetadata: UnauthorizedOperation.")
    scope.refresh_from_db()
    assert (scope.error, scope.failing_since) == ("", None)


def test_the_scope_says_when_it_was_read(aws, scope):
    before = timezone.now()
    run = request_sync(scope, by=None)

    run_sync(run.pk)

    scope.refresh_from_db()
    assert before <= scope.synced_at <= timezone.now()


def test_a_run_is_carried_out_once(aws, scope):
    run = request_sync(scope, by=None)
    run_sync(run.pk)
    asked = len(aws.calls)

    run_sync(run.pk)

    assert len(aws.calls) == asked


def test_a_sync_that_is_under_way_is_not_asked_for_again(scope):
    first = request_sync(scope, by=None)
    Run.objects.claim(first.pk, at=NOON)

    assert request_sync(scope, by=None) == first


def test_a_failure_is_recorded_at_the_run_and_at_the_scope(aws, scope):
    aws.fail("DescribeInstances", "access-denied")
    run = request_sync(scope, by=None)

    run_failing(run)

    scope.refresh_from_db()
    assert run.state == RunState.FAILED
    assert run.error.startswith("DescribeInstances: UnauthorizedOperation.")
    assert scope.error == run.error
    assert scope.failing_since == scope.failed_at
    assert scope.synced_at is None


def test_a_failure_keeps_the_time_of_the_first_and_the_last_success(aws, scope):
    Scope.objects.update(failing_since=NOON, failed_at=NOON, error="Throttled.", synced_at=NOON)
    aws.fail("DescribeInstances", "access-denied")

    run_failing(request_sync(scope, by=None))

    scope.refresh_from_db()
    assert (scope.synced_at, scope.failing_since) == (NOON, NOON)
    assert scope.failed_at > NOON
    assert "UnauthorizedOperation" in scope.error


def test_a_success_ends_the_failing(aws, scope):
    Scope.objects.update(failing_since=NOON, failed_at=NOON, error="Throttled.")

    run_sync(request_sync(scope, by=None).pk)

    scope.refresh_from_db()
    assert (scope.failing_since, scope.failed_at, scope.error) == (None, None, "")


def test_a_denied_region_removes_no_row(aws, scope):
    image = make_image(account=scope.account)
    aws.fail("DescribeImages", "access-denied")

    run_failing(request_sync(scope, by=None))

    assert Image.objects.present().get() == image


def test_a_sync_that_takes_too_long_fails_at_its_scope_too(aws, scope):
    run = request_sync(scope, by=None)

    with out_of_time_at("registry_snapshot"):
        run_failing(run, JobTimeoutException)

    scope.refresh_from_db()
    assert run.state == RunState.FAILED
    assert scope.error == run.error == "Task exceeded maximum timeout value (900 seconds)"


@contextmanager
def out_of_time_at(table):
    """Let RQ's alarm go off just before the first statement about a table."""

    def execute(execute, sql, params, many, context):
        if table in str(sql):
            raise JobTimeoutException("Task exceeded maximum timeout value (900 seconds)")
        return execute(sql, params, many, context)

    with connection.execute_wrapper(execute):
        yield


def test_the_job_asks_for_the_permission_again(aws, scope):
    user = make_user(Role.ENGINEER)
    run = request_sync(scope, by=user)
    Grant.objects.all().delete()

    run_failing(run, PermissionError)

    scope.refresh_from_db()
    assert run.error == f"{user} may not sync {scope.account.name}."
    assert scope.error == ""
    assert aws.calls == []


def test_a_permission_on_another_account_is_none(aws, scope):
    user = make_user(Role.ENGINEER, account=make_scope().account)
    run = request_sync(scope, by=user)

    run_failing(run, PermissionError)

    assert aws.calls == []


def test_whoever_may_is_served(aws, scope):
    run = request_sync(scope, by=make_user(Role.FINOPS, account=scope.account))

    run_sync(run.pk)

    run.refresh_from_db()
    assert run.state == RunState.SUCCEEDED


def test_an_account_known_from_a_recording_is_never_read_with_our_own_credentials(aws, scope):
    image = make_image(account=scope.account)
    scope.account.is_synced = False
    scope.account.save()
    run = request_sync(scope, by=None)

    run_failing(run, PermissionError)

    assert aws.calls == []
    assert Image.objects.present().get() == image


def test_after_the_last_sync_an_audit_is_asked_for_once(aws, scope):
    other = make_scope(account=scope.account, region="us-east-1")
    first, last = request_sync(scope, by=None), request_sync(other, by=None)

    run_sync(first.pk)
    early = audits().count()
    run_sync(last.pk)

    assert early == 0
    assert audits().get().state == RunState.QUEUED
    assert audits().get().requested_by is None


def test_an_audit_that_waits_already_is_enough(aws, scope):
    run_sync(request_sync(scope, by=None).pk)
    run_sync(request_sync(scope, by=None).pk)

    assert audits().count() == 1


def test_an_audit_that_has_begun_is_not_enough(aws, scope):
    audit = make_run(kind=RunKind.AUDIT, state=RunState.RUNNING)

    run_sync(request_sync(scope, by=None).pk)

    assert audits().exclude(pk=audit.pk).count() == 1


def test_an_audit_is_asked_for_when_the_last_sync_fails(aws, scope):
    aws.fail("DescribeSnapshots", "access-denied")

    run_failing(request_sync(scope, by=None))

    assert audits().count() == 1


def test_an_audit_does_not_wait_for_ever_for_syncs_to_end(aws, scope):
    at = timezone.now()
    over = {"state": RunState.SUCCEEDED, "finished_at": at}
    make_run(kind=RunKind.AUDIT, requested_at=at - timedelta(minutes=31), **over)
    make_run(kind=RunKind.SYNC, requested_at=at)

    run_sync(request_sync(scope, by=None).pk)

    assert audits().filter(state=RunState.QUEUED).count() == 1


def test_an_audit_of_a_while_ago_is_new_enough_while_syncs_go_on(aws, scope):
    at = timezone.now()
    over = {"state": RunState.SUCCEEDED, "finished_at": at}
    make_run(kind=RunKind.AUDIT, requested_at=at - timedelta(minutes=29), **over)
    make_run(kind=RunKind.SYNC, requested_at=at - timedelta(hours=1))

    run_sync(request_sync(scope, by=None).pk)

    assert audits().filter(state=RunState.QUEUED).count() == 0


def test_a_wake_up_for_a_run_that_is_over_asks_for_nothing(aws, scope):
    over = {"state": RunState.SUCCEEDED, "finished_at": NOON}
    run = make_run(kind=RunKind.SYNC, scope=scope, **over)

    run_sync(run.pk)

    assert audits().count() == 0
