"""The schedules that every portal has from its first start on."""

from datetime import datetime, time

from django.db import transaction

from registry.models import Schedule, ScheduleKind, ScheduleSlot

SYNC_MINUTES = 5
# What is done once a day, at which time in UTC.
DAILY = {
    ScheduleKind.PRICES: time(1),
    ScheduleKind.REPORT: time(2),
    ScheduleKind.BILLS: time(5),
}


@transaction.atomic
def ensure_schedules(*, at: datetime) -> None:
    """Make the schedule of a kind that has none: a sync every five minutes, the rest once a day.

    Whoever wants none disables it. What comes once a day begins with the next, not at once.
    """
    if not Schedule.objects.filter(kind=ScheduleKind.SYNC).exists():
        Schedule.objects.create(kind=ScheduleKind.SYNC, every_minutes=SYNC_MINUTES)
    for kind, daily_at in DAILY.items():
        if not Schedule.objects.filter(kind=kind).exists():
            daily = Schedule.objects.create(kind=kind, daily_at=daily_at)
            ScheduleSlot.objects.create(schedule=daily, slot_at=daily.slot(at))
