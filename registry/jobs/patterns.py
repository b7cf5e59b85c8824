"""Patterns of administrators: kept or deleted, and everything judged again."""

from django.contrib.auth.models import User
from django.db import transaction
from django.utils import timezone

from registry.access import Action, may_everywhere
from registry.jobs.audits import request_audit
from registry.models import Pattern, Run


def save_pattern(row: Pattern, *, by: User) -> Run:
    """Write a new or changed pattern and return the audit that judges by it."""
    _check(by)
    row.changed_by, row.changed_at = by, timezone.now()
    with transaction.atomic():
        row.save()
        return request_audit(by=by, is_full=True)


def delete_pattern(row: Pattern, *, by: User) -> Run:
    """Delete a pattern and return the audit that judges without it."""
    _check(by)
    with transaction.atomic():
        row.delete()
        return request_audit(by=by, is_full=True)


def _check(by: User) -> None:
    if not may_everywhere(by, Action.MANAGE):
        raise PermissionError(f"{by} may not change patterns.")
