"""Workers are killed in the middle of their work; a clock and another worker bring it to an end."""

import signal
from uuid import UUID

import pytest

from registry.jobs.registrations import request_registration
from registry.jobs.syncs import request_sync
from registry.models import Run, RunKind, RunState, Snapshot
from tests.factories import make_snapshot
from tests.journeys.workers import Workers, kill, wait_until
from tests.registration.simulated import (
    RHEL,
    SNAPSHOT_ID,
    images_named,
    put_snapshot,
)

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def workers(transactional_db):
    started = Workers()
    yield started
    started.end()


def is_at(aws, operation, run):
    """Say whether a worker is just asking AWS for `operation`."""
    run.refresh_from_db()
    return run.state == RunState.RUNNING and operation in aws.operations_called()


def is_over(run):
    run.refresh_from_db()
    return run.is_over


def test_a_sync_whose_worker_is_killed_is_carried_out_by_another(aws, scope, workers):
    put_snapshot(aws)
    aws.fail("DescribeInstances", "slow", seconds=30)
    run = request_sync(scope, by=None)
    worker = workers.start("sync")
    wait_until(lambda: is_at(aws, "DescribeInstances", run), "a sync in its middle")

    kill(worker)
    workers.start_clock()
    workers.start("sync")

    wait_until(lambda: is_over(run), "the end of the sync")
    scope.refresh_from_db()
    assert (run.state, run.attempt) == (RunState.SUCCEEDED, 2)
    assert scope.synced_at is not None
    assert Snapshot.objects.present().get().aws_id == SNAPSHOT_ID
    assert Run.objects.get(kind=RunKind.AUDIT).state == RunState.QUEUED


def test_a_horse_that_outlives_its_worker_is_left_to_finish(aws, scope, workers):
    aws.fail("DescribeInstances", "slow", seconds=3)
    run = request_sync(scope, by=None)
    worker = workers.start("sync")
    wait_until(lambda: is_at(aws, "DescribeInstances", run), "a sync in its middle")

    worker.send_signal(signal.SIGKILL)
    workers.start_clock()
    workers.start("sync")

    wait_until(lambda: is_over(run), "the end of the sync")
    assert (run.state, run.attempt) == (RunState.SUCCEEDED, 1)
    assert aws.operations_called().count("DescribeInstances") == 1


@pytest.mark.parametrize(
    ("operation", "seconds"),
    [
        pytest.param("RegisterImage", 2, id="while AWS makes the image"),
        pytest.param("DescribeImages", 30, id="while it looks"),
    ],
)
def test_a_registration_whose_worker_is_killed_makes_one_image(
    aws, scope, workers, operation, seconds
):
    put_snapshot(aws)
    make_snapshot(aws_id=SNAPSHOT_ID, account=scope.account, region=scope.region)
    registration = request_registration(
        key=UUID("11111111-2222-4333-8444-555555555555"),
        account=scope.account,
        by=None,
        region=scope.region,
        snapshot_id=SNAPSHOT_ID,
        name="golden",
        expected_usage_operation=RHEL,
    )
    run = registration.run
    aws.fail("RegisterImage", "slow", seconds=0)  # the check
    aws.fail(operation, "slow", seconds=seconds)
    worker = workers.start("register")
    wait_until(lambda: is_at(aws, operation, run) and is_sent(operation, registration), operation)

    kill(worker)
    workers.start_clock()
    workers.start("register")

    wait_until(lambda: is_over(run), "the end of the registration")
    registration.refresh_from_db()
    [image] = images_named(aws, "golden")
    assert run.state == RunState.SUCCEEDED
    assert run.result["verdict"] == "ok"
    assert run.attempt >= 2
    assert registration.image_id == image["ImageId"]


def is_sent(operation, registration):
    """Say whether the request was sent, where that is what it waits for."""
    registration.refresh_from_db()
    return operation != "RegisterImage" or registration.submitted_at is not None
