"""What the clock does: what is due, what was lost, what died, what is old."""

import logging
from collections.abc import Callable
from datetime import datetime, timedelta

from django.db import IntegrityError, transaction

from registry.jobs.approvals import is_sent
from registry.jobs.audits import run_audit, run_verification
from registry.jobs.bills import request_bills, run_bills
from registry.jobs.prices import request_prices, run_prices
from registry.jobs.queue import enqueue, enqueued, job_id, lock, unlock
from registry.jobs.registrations import run_registration
from registry.jobs.removals import run_removal
from registry.jobs.reports import request_report, run_report
from registry.jobs.syncs import note_failure, request_sync, run_sync
from registry.jobs.triage import run_triage
from registry.models import (
    Account,
    Run,
    RunKind,
    RunState,
    Schedule,
    ScheduleKind,
    ScheduleSlot,
    Scope,
)
from registry.triage import expire_waivers

logger = logging.getLogger(__name__)
JOBS: dict[str, Callable[[int], None]] = {
    RunKind.SYNC: run_sync,
    RunKind.AUDIT: run_audit,
    RunKind.VERIFY: run_verification,
    RunKind.REGISTER: run_registration,
    RunKind.REMOVE: run_removal,
    RunKind.REPORT: run_report,
    RunKind.TRIAGE: run_triage,
    RunKind.BILLS: run_bills,
    RunKind.PRICES: run_prices,
}
# A new run is queued right after its commit; later than this, Redis has lost it or was away.
LATE = timedelta(seconds=10)
MOST_DEATHS = 5
PATIENCE, LONGEST_PATIENCE = timedelta(minutes=1), timedelta(hours=1)
KEPT = timedelta(days=90)
BATCH = 1_000


def tick(*, at: datetime) -> None:
    """Do whatever is due at `at`. Early, late or twice does no harm."""
    take_over_abandoned(at=at)
    wake_up(at=at)
    expire_waivers(at=at)
    for schedule in Schedule.objects.filter(is_enabled=True):
        keep_schedule(schedule, at=at)


def wake_up(*, at: datetime) -> int:
    """Queue again what is due and Redis does not have; return how many."""
    new = {"state": RunState.QUEUED, "attempt": 0, "requested_at__gt": at - LATE}
    due = Run.objects.due(at).exclude(**new)
    waiting = enqueued()
    lost = [run for run in due.order_by("pk") if job_id(run) not in waiting]
    for run in lost:
        enqueue(JOBS[run.kind], run)
    return len(lost)


def take_over_abandoned(*, at: datetime) -> int:
    """Queue again the runs whose worker is no more; return how many.

    A worker holds the lock of its run for as long as it works on it. One that dies again and again
    is given up, unless something was sent to AWS: then its end must be found out.
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
    if deaths >= MOST_DEATHS and is_sent(run):
        return _try_later(run, deaths, at=at)
    if deaths >= MOST_DEATHS:
        return _give_up(run, f"Its worker ended {deaths} times before its work did.", at=at)
    mine = Run.objects.filter(pk=run.pk, state=RunState.RUNNING, attempt=run.attempt)
    try:
        with transaction.atomic():
            is_done = mine.update(state=RunState.QUEUED, result=run.result | {"deaths": deaths})
    except IntegrityError:  # of audits, one waits at most
        return run.finish(at=at, error="Its worker ended; the one queued after it does the same.")
    if is_done:
        logger.warning("%s goes back into the queue: its worker is gone.", run.ref)
    return bool(is_done)


def _try_later(run: Run, deaths: int, *, at: datetime) -> bool:
    """Let a run wait that can't be given up: what was sent to AWS must be looked for."""
    until = at + min((deaths - MOST_DEATHS + 1) * PATIENCE, LONGEST_PATIENCE)
    note = f"Its worker ended {deaths} times before its work did; it goes on later"
    mine = Run.objects.filter(pk=run.pk, state=RunState.RUNNING, attempt=run.attempt)
    result = run.result | {"deaths": deaths}
    waiting = {"state": RunState.WAITING, "wake_at": until, "note": note, "result": result}
    return bool(mine.update(**waiting))


def _give_up(run: Run, error: str, *, at: datetime) -> bool:
    is_mine = run.finish(at=at, error=error)
    if is_mine and run.kind == RunKind.SYNC and run.scope:
        note_failure(run.scope, error, at=at)
    return is_mine


def keep_schedule(schedule: Schedule, *, at: datetime) -> bool:
    """Ask for the work of the newest slot, once; after a long stop not for those missed."""
    with transaction.atomic():
        _, is_new = ScheduleSlot.objects.get_or_create(schedule=schedule, slot_at=schedule.slot(at))
        if not is_new:
            return False
        _SCHEDULED[schedule.kind]()
    return True


def _ask_for_syncs() -> None:
    for scope in Scope.objects.synced():
        request_sync(scope, by=None)


def _ask_for_a_report() -> None:
    request_report(by=None)


def _ask_for_bills() -> None:
    if Account.objects.exclude(bill="").exists():
        request_bills(by=None)


def _ask_for_prices() -> None:
    request_prices(by=None)


_SCHEDULED: dict[str, Callable[[], None]] = {
    ScheduleKind.SYNC: _ask_for_syncs,
    ScheduleKind.REPORT: _ask_for_a_report,
    ScheduleKind.BILLS: _ask_for_bills,
    ScheduleKind.PRICES: _ask_for_prices,
}


def forget_old(*, at: datetime) -> int:
    """Delete old runs, but for those that something else stands on; say how many."""
    ScheduleSlot.objects.filter(slot_at__lt=at - KEPT).delete()
    old = Run.objects.filter(
        finished_at__lt=at - KEPT, registration=None, removal=None, report=None, triage=None
    )
    forgotten = 0
    while some := list(old.values_list("pk", flat=True)[:BATCH]):
        Run.objects.filter(pk__in=some).delete()
        forgotten += len(some)
    return forgotten
