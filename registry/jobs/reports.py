"""Audit reports: asked for by a person or a schedule, made by a worker."""

from django.contrib.auth.models import User
from django.db import transaction
from django.utils import timezone

from registry.access import Action, may_somewhere
from registry.jobs.queue import after_commit, recorded, taken
from registry.models import Report, Run, RunKind
from registry.reports.build import build


def request_report(*, by: User | None) -> Report:
    """Queue a report of the audit as it will stand."""
    with transaction.atomic():
        run = Run.objects.create(kind=RunKind.REPORT, requested_by=by, requested_at=timezone.now())
        report = Report.objects.create(run=run)
        after_commit(run_report, run)
    return report


def run_report(run_id: int) -> None:
    with taken(run_id) as run:
        if run is None:
            return
        with recorded(run):
            if run.requested_by and not may_somewhere(run.requested_by, Action.REPORT):
                raise PermissionError(f"{run.requested_by} may not make reports.")
            report = build(run.report, at=timezone.now())
            totals = report.result["totals"]
            run.note = f"{totals['open_findings']:,} findings open"
