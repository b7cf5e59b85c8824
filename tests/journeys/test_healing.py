"""Workers are killed in the middle of their work; a clock and another worker bring it to an end."""

import signal
from uuid import uuid4

import pytest
from django.utils import timezone

from registry.jobs.housekeeping import tick
from registry.jobs.syncs import request_sync
from registry.models import Run, RunKind, RunState, Snapshot
from tests.factories import make_snapshot
from tests.jobs.steps import request_registration
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


def has_asked(aws, operation, times=1):
    return aws.operations_called().count(operation) == times


def is_over(run):
    run.refresh_from_db()
    return run.is_over


def test_a_sync_whose_worker_is_killed_is_carried_out_by_another(aws, scope, workers):
    put_snapshot(aws)
    aws.fail("DescribeInstances", "slow", seconds=30)
    run = request_sync(scope, by=None)
    worker = workers.start("sync")
    wait_until(lambda: has_asked(aws, "DescribeInstances"), "a sync in its middle")

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
    wait_until(lambda: has_asked(aws, "DescribeInstances"), "a sync in its middle")

    worker.send_signal(signal.SIGKILL)
    worker.wait()
    tick(at=timezone.now())

    wait_until(lambda: is_over(run), "the end of the sync")
    assert (run.state, run.attempt) == (RunState.SUCCEEDED, 1)
    assert aws.operations_called().count("DescribeInstances") == 1


@pytest.mark.parametrize(
    ("operation", "times", "seconds"),
    [
        pytest.param("DescribeImages", 1, 30, id="while it looks"),
        # The first request is the check. The second is carried out after the worker's death.
        pytest.param("RegisterImage", 2, 2, id="while AWS makes the image"),
    ],
)
def test_a_registration_whose_worker_is_killed_makes_one_image(
    aws, scope, workers, operation, times, seconds
):
    put_snapshot(aws)
    make_snapshot(aws_id=SNAPSHOT_ID, account=scope.account, region=scope.region)
    registration = request_registration(
        key=uuid4(),
        account=scope.account,
        by=None,
        region=scope.region,
        snapshot_id=SNAPSHOT_ID,
        name="golden",
        expected_usage_operation=RHEL,
        reason="There is no instance any more.",
    )
    aws.fail(operation, "slow", times=times - 1, seconds=0)
    aws.fail(operation, "slow", seconds=seconds)
    worker = workers.start("register")
    wait_until(lambda: has_asked(aws, operation, times), "a registration in its middle")

    kill(worker)
    workers.start_clock()
    workers.start("register")

    wait_until(lambda: is_over(registration.run), "the end of the registration")
    registration.refresh_from_db()
    [image] = images_named(aws, "golden")
    assert registration.run.state == RunState.SUCCEEDED
    assert registration.run.result["verdict"] == "ok"
    assert registration.run.attempt >= 2
    assert registration.image_id == image["ImageId"]
