"""Waivers that run out by themselves, also where no audit runs."""

from datetime import datetime

from django.db import transaction

from registry.audit.waivers import ended_because, reopen_waived
from registry.models import FindingState, Waiver
from registry.triage.act import locked

BATCH = 1_000


def expire_waivers(at: datetime) -> int:
    """Reopen the findings whose waiver has run out at `at`; return how many."""
    expired = 0
    over = Waiver.objects.filter(ended_at=None, until__lte=at)
    while keys := list(over.values_list("finding_id", flat=True).order_by("pk")[:BATCH]):
        with transaction.atomic():
            held = {finding.pk: finding for finding in locked(keys)}
            # Again, now that nobody else ends them.
            still = over.filter(finding__in=held).select_related("finding")
            reasons = {
                waiver.finding_id: ended_because(
                    waiver, severity=held[waiver.finding_id].severity, at=at
                )
                for waiver in still
                if held[waiver.finding_id].state == FindingState.WAIVED
            }
            reopen_waived(reasons, at=at)
        expired += len(reasons)
    return expired
