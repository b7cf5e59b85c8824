"""A worker whose connection to the database breaks in the middle of its run."""

import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import Error, connection
from django.utils import timezone

from registry.jobs.housekeeping import take_over_abandoned
from registry.jobs.queue import LOCKS
from registry.jobs.syncs import request_sync, run_sync
from registry.models import Run, RunState

pytestmark = pytest.mark.django_db(transaction=True)


def work(run):
    try:
        run_sync(run.pk)
    finally:
        connection.close()


def end_connection_of(run):
    """End the connection that holds the lock of a run, as an administrator of PostgreSQL can."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pg_terminate_backend(pid, 5000) FROM pg_locks"
            " WHERE locktype = 'advisory' AND classid = %s AND objid = %s",
            [LOCKS, run.pk],
        )


def wait_for(aws, operation):
    deadline = time.monotonic() + 10
    while operation not in aws.operations_called():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_its_run_is_taken_over_and_carried_out(aws, scope):
    aws.fail("DescribeInstances", "slow", seconds=1)
    run = request_sync(scope, by=None)
    with ThreadPoolExecutor(1) as pool:
        working = pool.submit(work, run)
        wait_for(aws, "DescribeInstances")
        end_connection_of(run)
        broken = working.exception()
    left = Run.objects.get(pk=run.pk).state

    take_over_abandoned(at=timezone.now())
    run_sync(run.pk)

    run.refresh_from_db()
    assert isinstance(broken, Error)
    assert left == RunState.RUNNING
    assert (run.state, run.attempt) == (RunState.SUCCEEDED, 2)
