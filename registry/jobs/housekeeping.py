"""What the clock does: what is due, what was lost, what died, what is old."""

import logging
from collections.abc import Callable
from datetime import datetime, timedelta

from django.db import transaction

from registry.jobs.audits import run_audit, run_verification
from registry.jobs.queue import enqueue, lock, unlock
from registry.jobs.registrations import run_registration
from registry.jobs.reports import request_report, run_report
from registry.jobs.syncs import request_sync, run_sync
from registry.models import Run, RunKind, RunState, Schedule, ScheduleKind, ScheduleSlot, Scope

logger = logging.getLogger(__name__)
JOBS: dict[str, Callable[[int], None]] = {
    RunKind.SYNC: run_sync,
    RunKind.AUDIT: run_audit,
    RunKind.VERIFY: run_verification,
    RunKind.REGISTER: run_registration,
    RunKind.REPORT: run_report,
}
# A run is queued right after its commit; later than this, Redis has lost it or was away.
LATE = timedelta(seconds=10)
MOST_DEATHS = 5
KEPT = timedelta(days=90)


def tick(*, at: datetime) -> None:
    """Do whatever is due at `at`. Early, late or twice does no harm."""
    take_over_abandoned(at=at)
    wake_up(at=at)
    for schedule in Schedule.objects.filter(is_enabled=True):
        keep_schedule(schedule, at=at)


def wake_up(*, at: datetime) -> int:
    """Queue again what is due and no worker has taken; return how many."""
    due = Run.objects.due(at).exclude(state=RunState.QUEUED, requested_at__gt=at - LATE)
    runs = list(due.order_by("pk")[:500])
    for run in runs:
        enqueue(JOBS[run.kind], run)
    return len(runs)


def take_over_abandoned(*, at: datetime) -> int:
    """Queue again the runs whose worker is no more; return how many.

    A worker holds the lock of its run for as long as it works on it. One that dies again and again
    is given up.
    """
    taken_over = 0
    for run in Run.objects.filter(state=RunState.RUNNING):
        if not lock(run.pk):
            continue
        try:
            taken_over += _take_over(run, at=at)
        finally:
            unlock(run.pk)
    return taken_over


def _take_over(run: Run, *, at: datetime) -> bool:
    deaths = run.result.get("deaths", 0) + 1
    if deaths >= MOST_DEATHS:
        return run.finish(at=at, error=f"Its worker ended {deaths} times before its work did.")
    mine = Run.objects.filter(pk=run.pk, state=RunState.RUNNING, attempt=run.attempt)
    is_done = mine.update(state=RunState.QUEUED, result=run.result | {"deaths": deaths})
    if is_done:
        logger.warning("%s goes back into the queue: its worker is gone.", run.ref)
    return bool(is_done)


def keep_schedule(schedule: Schedule, *, at: datetime) -> bool:
    """Ask for the work of the newest slot, once; after a long stop not for those missed."""
    with transaction.atomic():
        _, is_new = ScheduleSlot.objects.get_or_create(schedule=schedule, slot_at=schedule.slot(at))
        if not is_new:
            return False
        if schedule.kind == ScheduleKind.SYNC:
            for scope in Scope.objects.synced():
                request_sync(scope, by=None)
        else:
            request_report(by=None)
    return True


def forget_old(*, at: datetime) -> int:
    """Delete old runs, but for those that a registration or report stands on."""
    old = Run.objects.over().filter(finished_at__lt=at - KEPT, registration=None, report=None)
    some = list(old.values_list("pk", flat=True)[:1000])
    ScheduleSlot.objects.filter(slot_at__lt=at - KEPT).delete()
    return Run.objects.filter(pk__in=some).delete()[0]
