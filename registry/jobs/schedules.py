"""The schedules that every portal has from its first start on."""

from datetime import datetime, time

from django.db import transaction

from registry.models import Schedule, ScheduleKind, ScheduleSlot

SYNC_MINUTES = 5
REPORT_AT = time(2)  # UTC


@transaction.atomic
def ensure_schedules(*, at: datetime) -> None:
    """Make the schedule of a kind that has none: a sync every five minutes, a report every night.

    Whoever wants none disables it. The first report comes with the next night, not at once.
    """
    if not Schedule.objects.filter(kind=ScheduleKind.SYNC).exists():
        Schedule.objects.create(kind=ScheduleKind.SYNC, every_minutes=SYNC_MINUTES)
    if not Schedule.objects.filter(kind=ScheduleKind.REPORT).exists():
        nightly = Schedule.objects.create(kind=ScheduleKind.REPORT, daily_at=REPORT_AT)
        ScheduleSlot.objects.create(schedule=nightly, slot_at=nightly.slot(at))
