"""Waivers that run out by themselves, also where no audit runs."""

from datetime import datetime

from django.db import transaction

from registry.audit.waivers import ended_because, reopen_waived
from registry.models import Waiver
from registry.triage.act import locked

BATCH = 1_000


def expire_waivers(*, at: datetime) -> int:
    """End the waivers that have run out at `at`, reopen what they held; return how many."""
    expired = 0
    over = Waiver.objects.filter(ended_at=None, until__lte=at)
    while keys := list(over.values_list("finding_id", flat=True).order_by("pk")[:BATCH]):
        with transaction.atomic():
            severities = {finding.pk: finding.severity for finding in locked(keys)}
            # Again, now that nobody else ends them.
            reasons = {
                waiver.finding_id: ended_because(
                    waiver, severity=severities[waiver.finding_id], at=at
                )
                for waiver in over.filter(finding__in=keys)
            }
            reopen_waived(reasons, at=at)
        expired += len(reasons)
    return expired
