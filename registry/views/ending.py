"""When purchases end: which do so soon, and what they still pay for."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from typing import Any

from django.db.models import Count, Q
from django.db.models.functions import TruncMonth
from django.http import HttpResponse
from django.shortcuts import render
from django.utils import timezone

from registry.access import Action, may_everywhere, visible
from registry.http import SignedInRequest
from registry.models import Cover, ReservedInstance
from registry.models.reserved_instance import ReservedInstanceQuerySet
from registry.views.shell import narrow

WITHIN = (30, 60, 90)  # days
SHOWN = 100
_COLUMNS = ("end_at", "instance_count", "used", "idle", "hourly_cost")


@dataclass(slots=True)
class Ending:
    """Purchases that end in one span of time. Units are not known of those not judged yet."""

    begin: datetime
    end: datetime | None = None
    purchases: int = 0
    bought: int = 0
    used: Fraction = Fraction(0)
    idle: Fraction = Fraction(0)
    unjudged: int = 0
    hourly_cost: Decimal | None = None
    unpriced: int = 0
    instances: int = 0

    def add(self, row: dict[str, Any]) -> None:
        self.purchases += 1
        self.bought += row["instance_count"]
        if row["used"] and row["idle"]:
            self.used += Fraction(row["used"])
            self.idle += Fraction(row["idle"])
        else:
            self.unjudged += 1
        if row["hourly_cost"] is None:
            self.unpriced += 1
        else:
            self.hourly_cost = (self.hourly_cost or Decimal(0)) + row["hourly_cost"]


def ending(request: SignedInRequest) -> HttpResponse:
    now = timezone.now()
    active = narrow(request, ReservedInstance.objects.present().active())
    coming = active.filter(end_at__gt=now)
    # What somebody may not read is not counted.
    covers = visible(Cover.objects.all(), request.user, by="instance__account")
    covers = covers.filter(reserved_instance__in=coming)
    soon = coming.filter(end_at__lte=now + timedelta(days=WITHIN[-1]))
    values = list(coming.order_by("end_at").values(*_COLUMNS))
    windows = _windows(values, covers, now)
    context = {
        "section": "reserved-instances",
        "windows": windows,
        "months": _months(values, covers),
        "later": len(values) - windows[-1][1].purchases,
        "rows": _rows(request, soon),
        "soon": windows[-1][1].purchases,
        "shown": SHOWN,
        "over": active.filter(end_at__lte=now).count(),
        "without_end": active.filter(end_at=None).count(),
        "reads_all": may_everywhere(request.user, Action.READ),
    }
    return render(request, "registry/ending.html", context)


def _windows(
    values: Iterable[dict[str, Any]], covers: Any, now: datetime
) -> list[tuple[int, Ending]]:
    """Return what ends within some days, each span with those before it."""
    found = {days: Ending(now, now + timedelta(days=days)) for days in WITHIN}
    for row in values:
        for window in found.values():
            if window.end and row["end_at"] <= window.end:
                window.add(row)
    numbers = covers.aggregate(
        **{
            f"within_{days}": Count(
                "instance", distinct=True, filter=Q(reserved_instance__end_at__lte=window.end)
            )
            for days, window in found.items()
        }
    )
    for days, window in found.items():
        window.instances = numbers[f"within_{days}"]
    return list(found.items())


def _months(values: Iterable[dict[str, Any]], covers: Any) -> list[Ending]:
    found: dict[datetime, Ending] = {}
    for row in values:
        month = _month(row["end_at"])
        found.setdefault(month, Ending(month)).add(row)
    by_month = covers.annotate(month=TruncMonth("reserved_instance__end_at")).order_by()
    numbers = by_month.values_list("month").annotate(number=Count("instance", distinct=True))
    for month, number in numbers:
        found[_month(month)].instances = number
    return list(found.values())


def _month(at: datetime) -> datetime:
    return at.replace(day=1, hour=0, minute=0, second=0, microsecond=0)


def _rows(request: SignedInRequest, soon: ReservedInstanceQuerySet) -> list[ReservedInstance]:
    is_readable = Q()
    if not may_everywhere(request.user, Action.READ):
        readable = visible(Cover.objects.all(), request.user, by="instance__account")
        is_readable = Q(covers__in=readable)
    rows = soon.select_related("account").annotate(
        instances=Count("covers", filter=is_readable, distinct=True)
    )
    return list(rows.order_by("end_at", "pk")[:SHOWN])
