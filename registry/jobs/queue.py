"""From a row to a worker and back. The only place, with the clock, that knows RQ."""

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import django_rq
from django.db import InterfaceError, OperationalError, connection, transaction
from django.utils import timezone

from registry.models import Run, RunKind

logger = logging.getLogger(__name__)
QUEUES = {
    RunKind.SYNC: "sync",
    RunKind.REGISTER: "register",
    RunKind.VERIFY: "register",
    RunKind.REMOVE: "register",
    RunKind.AUDIT: "audit",
    RunKind.REPORT: "audit",
    RunKind.TRIAGE: "register",
    RunKind.BILLS: "audit",
    RunKind.PRICES: "audit",
}
# Seconds, where a job may take longer than others.
TIMEOUTS = {RunKind.BILLS: 7_200}
# Our share of the number space of PostgreSQL's advisory locks.
LOCKS = 0x414D49
_LARGEST = 2**31


def after_commit(job: Callable[[int], None], run: Run) -> None:
    """Queue `job(run.pk)` as soon as the run is really in the database.

    If Redis is away, the request still succeeds: the run stays queued in the database and
    `housekeeping.tick` finds it.
    """

    def enqueue_it() -> None:  # not a partial: robust=True logs a callback's __qualname__
        enqueue(job, run)

    transaction.on_commit(enqueue_it, robust=True)


def enqueue(job: Callable[[int], None], run: Run) -> None:
    """Wake a worker up for `run`. Doing it twice does no harm: a run is claimed once."""
    kind = RunKind(run.kind)
    queue = django_rq.get_queue(QUEUES[kind], commit_mode="auto")
    queue.enqueue(
        job,
        run.pk,
        job_id=job_id(run),
        job_timeout=TIMEOUTS.get(kind),
        result_ttl=60,
        failure_ttl=3600,
    )


def job_id(run: Run) -> str:
    """Return the name under which Redis knows the next attempt of `run`."""
    return f"run-{run.pk}-{run.attempt}"


def enqueued() -> set[str]:
    """Return the ids of the jobs that wait in Redis. RQ itself takes the same id twice."""
    queues = map(django_rq.get_queue, set(QUEUES.values()))
    return {waiting for queue in queues for waiting in queue.job_ids}


@contextmanager
def taken(run_id: int) -> Iterator[Run | None]:
    """Claim a run and hold it while a worker is at it; None if it is not to be had.

    The lock belongs to the connection: it tells others that a worker lives, and goes with it.
    """
    if not lock(run_id):
        yield None
        return
    try:
        yield Run.objects.claim(run_id, at=timezone.now())
    finally:
        unlock(run_id)


@contextmanager
def recorded(run: Run) -> Iterator[None]:
    """Write down how `run` ended, if it is not over and does not wait; RQ gets an exception too.

    Trouble with the database is no end: `housekeeping` takes the run over, as after a death.
    """
    try:
        yield
    except (InterfaceError, OperationalError):
        raise
    except Exception as error:
        run.finish(at=timezone.now(), error=_sentence(error))
        raise
    run.finish(at=timezone.now(), note=run.note, result=run.result)


def lock(run_id: int) -> bool:
    """Take the lock of a run for this connection; False if somebody has it."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_lock(%s, %s)", [LOCKS, run_id % _LARGEST])
        return bool(cursor.fetchone()[0])


def unlock(run_id: int) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_unlock(%s, %s)", [LOCKS, run_id % _LARGEST])


def _sentence(error: Exception) -> str:
    return str(error) or type(error).__name__
