import django_rq
import pytest
from django.db import InterfaceError, OperationalError

from registry.jobs.audits import request_audit
from registry.jobs.housekeeping import JOBS
from registry.jobs.queue import LOCKS, enqueue, enqueued, lock, recorded, taken, unlock
from registry.jobs.reports import request_report
from registry.jobs.syncs import request_sync
from registry.models import Run, RunKind, RunState
from tests.factories import NOON, make_run, make_scope

pytestmark = pytest.mark.django_db


def ids(queue):
    return django_rq.get_queue(queue).job_ids


def claimed(**fields):
    return Run.objects.claim(make_run(**fields).pk, at=NOON)


def test_a_run_is_queued_when_it_is_really_in_the_database(django_capture_on_commit_callbacks):
    with django_capture_on_commit_callbacks(execute=True):
        run = request_sync(make_scope(), by=None)
        early = ids("sync")

    assert early == []
    assert ids("sync") == [f"run-{run.pk}-0"]


def test_asking_twice_is_queuing_once(django_capture_on_commit_callbacks):
    scope = make_scope()

    with django_capture_on_commit_callbacks(execute=True):
        first = request_sync(scope, by=None)
        second = request_sync(scope, by=None)

    assert first == second
    assert len(ids("sync")) == 1


@pytest.mark.parametrize(
    ("kind", "queue"),
    [
        (RunKind.SYNC, "sync"),
        (RunKind.REGISTER, "register"),
        (RunKind.VERIFY, "register"),
        (RunKind.AUDIT, "audit"),
        (RunKind.REPORT, "audit"),
    ],
    ids=str,
)
def test_every_kind_has_its_queue(kind, queue):
    run = make_run(kind=kind)

    enqueue(JOBS[kind], run)

    assert ids(queue) == [f"run-{run.pk}-0"]


def test_redis_holds_nothing_but_a_function_and_a_primary_key():
    run = make_run(kind=RunKind.SYNC)

    enqueue(JOBS[RunKind.SYNC], run)

    [job] = django_rq.get_queue("sync").jobs
    assert job.func_name == "registry.jobs.syncs.run_sync"
    assert (job.args, job.kwargs, job.meta) == ((run.pk,), {}, {})


def test_redis_forgets_what_is_over():
    run = make_run(kind=RunKind.SYNC)

    enqueue(JOBS[RunKind.SYNC], run)

    [job] = django_rq.get_queue("sync").jobs
    assert (job.result_ttl, job.failure_ttl) == (60, 3600)


def test_every_attempt_has_an_id_of_its_own():
    run = claimed(kind=RunKind.SYNC)

    enqueue(JOBS[RunKind.SYNC], run)

    assert ids("sync") == [f"run-{run.pk}-1"]


def test_what_waits_in_any_queue_is_known():
    sync, audit = make_run(kind=RunKind.SYNC), make_run(kind=RunKind.AUDIT)

    enqueue(JOBS[RunKind.SYNC], sync)
    enqueue(JOBS[RunKind.AUDIT], audit)

    assert enqueued() == {f"run-{sync.pk}-0", f"run-{audit.pk}-0"}


@pytest.mark.parametrize(
    "request_it",
    [
        pytest.param(lambda: request_sync(make_scope(), by=None), id="sync"),
        pytest.param(lambda: request_audit(by=None), id="audit"),
        pytest.param(lambda: request_report(by=None).run, id="report"),
    ],
)
def test_a_request_succeeds_without_redis(
    redis_away, django_capture_on_commit_callbacks, request_it, caplog
):
    with django_capture_on_commit_callbacks(execute=True):
        run = request_it()

    assert Run.objects.get(pk=run.pk).state == RunState.QUEUED
    assert "Error calling" in caplog.text


def test_a_run_that_was_taken_is_running():
    run = make_run()

    with taken(run.pk) as mine:
        state = Run.objects.get(pk=run.pk).state

    assert mine == run
    assert state == RunState.RUNNING


def test_a_run_is_taken_once():
    run = make_run()

    with taken(run.pk):
        pass
    with taken(run.pk) as again:
        pass

    assert again is None


def test_a_run_that_a_worker_holds_is_not_to_be_had(another_connection):
    run = make_run()
    hold(another_connection, run)

    with taken(run.pk) as mine:
        pass

    assert mine is None
    assert Run.objects.get(pk=run.pk).state == RunState.QUEUED


def test_a_worker_holds_its_run_for_as_long_as_it_works(another_connection):
    run = make_run()

    with taken(run.pk):
        meanwhile = hold(another_connection, run)
    afterwards = hold(another_connection, run)

    assert (meanwhile, afterwards) == (False, True)


def test_a_worker_that_fails_lets_its_run_go(another_connection):
    run = make_run()

    with pytest.raises(ZeroDivisionError), taken(run.pk):
        raise ZeroDivisionError

    assert hold(another_connection, run)


def test_locks_of_runs_are_apart_from_others(another_connection):
    run = make_run()
    with another_connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_lock(%s), pg_advisory_lock(%s, %s)", [run.pk, 1, run.pk])

    assert lock(run.pk)

    unlock(run.pk)


def test_the_end_of_a_run_is_recorded_with_what_it_says():
    run = claimed()

    with recorded(run):
        run.note, run.result = "3 objects", {"images": 3}

    run.refresh_from_db()
    assert run.state == RunState.SUCCEEDED
    assert run.finished_at is not None
    assert (run.note, run.result) == ("3 objects", {"images": 3})


@pytest.mark.parametrize(
    ("error", "says"),
    [
        pytest.param(ValueError("It is too late."), "It is too late.", id="with a message"),
        pytest.param(ZeroDivisionError(), "ZeroDivisionError", id="without one"),
    ],
)
def test_a_failure_is_recorded_and_told_to_the_queue(error, says):
    run = claimed()

    with pytest.raises(type(error)), recorded(run):
        raise error

    run.refresh_from_db()
    assert run.state == RunState.FAILED
    assert run.error == says


@pytest.mark.parametrize("error", [OperationalError, InterfaceError])
def test_trouble_with_the_database_is_no_end_of_a_run(error):
    run = claimed()

    with pytest.raises(error), recorded(run):
        raise error("the connection is closed")

    run.refresh_from_db()
    assert run.state == RunState.RUNNING


def test_a_run_that_waits_is_not_over():
    run = claimed()

    with recorded(run):
        run.wait(until=NOON, note="Image pending")

    run.refresh_from_db()
    assert run.state == RunState.WAITING
    assert run.finished_at is None


def test_a_worker_that_lost_its_run_records_nothing():
    run = claimed()
    Run.objects.filter(pk=run.pk).update(attempt=2)

    with recorded(run):
        run.note = "Too late."

    run.refresh_from_db()
    assert (run.state, run.note) == (RunState.RUNNING, "")


def hold(another, run):
    """Take the lock of a run as another worker would."""
    with another.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_lock(%s, %s)", [LOCKS, run.pk])
        return cursor.fetchone()[0]
