"""Syncs: asked for, carried out, written down at their scope."""

from dataclasses import asdict
from datetime import datetime, timedelta

from django.contrib.auth.models import User
from django.db.models import F
from django.db.models.functions import Coalesce
from django.utils import timezone
from rq.timeouts import JobTimeoutException

from registry import aws
from registry.access import Action, may
from registry.jobs.audits import request_audit
from registry.jobs.connect import connect
from registry.jobs.queue import after_commit, recorded, taken
from registry.models import Run, RunKind, Scope
from registry.sync import Changes, Synced, sync_scope

# Where one sync or another is always under way, an audit waits no longer for the last one.
LONGEST_UNAUDITED = timedelta(minutes=30)


def request_sync(scope: Scope, *, by: User | None) -> Run:
    """Queue a sync of `scope`, or return the one that is already under way."""
    run, is_new = Run.objects.get_or_queue(
        kind=RunKind.SYNC, scope=scope, requested_by=by, requested_at=timezone.now()
    )
    if is_new:
        after_commit(run_sync, run)
    return run


def run_sync(run_id: int) -> None:
    """Carry out a sync; after the last one, however it ended, everything is audited."""
    with taken(run_id) as run:
        if run is None or run.scope is None:
            return
        try:
            with recorded(run):
                _sync(run, run.scope)
        finally:
            if _is_last() or _is_audit_overdue(at=timezone.now()):
                request_audit(by=None)


def _sync(run: Run, scope: Scope) -> None:
    begun_at = timezone.now()
    try:
        if run.requested_by and not may(run.requested_by, Action.SYNC, scope.account):
            raise PermissionError(f"{run.requested_by} may not sync {scope.account.name}.")
        synced = sync_scope(connect(scope.account, scope.region), scope, at=begun_at)
    except (aws.AwsError, aws.Malformed, JobTimeoutException) as error:
        note_failure(scope, str(error), at=begun_at)
        raise
    run.result = {kind: _counts(change) for kind, change in synced.changes.items()}
    if synced.missed:
        run.result["missed"] = [asdict(missed) for missed in synced.missed]
    run.note = _note(synced)
    Scope.objects.filter(pk=scope.pk).update(
        synced_at=begun_at, failing_since=None, failed_at=None, error=""
    )


def _is_last() -> bool:
    return not Run.objects.active().filter(kind=RunKind.SYNC).exists()


def _is_audit_overdue(*, at: datetime) -> bool:
    asked = Run.objects.order_by("requested_at").values_list("requested_at", flat=True)
    since = asked.filter(kind=RunKind.AUDIT).last() or asked.first() or at
    return since < at - LONGEST_UNAUDITED


def note_failure(scope: Scope, error: str, *, at: datetime) -> None:
    """Write at the scope that it can't be read, since when and why."""
    Scope.objects.filter(pk=scope.pk).update(
        failing_since=Coalesce(F("failing_since"), at), failed_at=at, error=error
    )


def _note(synced: Synced) -> str:
    seen = sum(change.seen for change in synced.changes.values())
    note = f"{seen:,} objects, {sum(map(_differing, synced.changes.values())):,} changed"
    missed = ", ".join(missed.what for missed in synced.missed)
    return f"{note}. Could not read {missed}." if missed else note


def _counts(change: Changes) -> dict[str, int]:
    return {
        "seen": change.seen,
        "new": change.new,
        "changed": change.changed,
        "gone": change.gone,
    }


def _differing(change: Changes) -> int:
    return change.new + change.changed + change.gone
