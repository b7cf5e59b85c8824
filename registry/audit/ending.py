"""When purchases end: which do so soon, and what they still pay for."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from typing import Any

from django.db.models import Count, F, Q, QuerySet, Window
from django.db.models.functions import RowNumber, TruncMonth

from registry.access import Action, Person, may_everywhere, visible
from registry.models import Cover
from registry.models.reserved_instance import ReservedInstanceQuerySet

WITHIN = (30, 60, 90)  # days
_COLUMNS = ("end_at", "instance_count", "used", "idle", "hourly_cost")
NAMED = 3  # instances that are named of each purchase


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

    @property
    def is_unknown(self) -> bool:
        """Whether no audit has judged any of them yet."""
        return 0 < self.purchases == self.unjudged

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


@dataclass(frozen=True, slots=True)
class Calendar:
    """What ends within some days, each span with those before it, and by month."""

    windows: Sequence[tuple[int, Ending]]
    months: Sequence[Ending]
    later: int


def calendar(
    coming: ReservedInstanceQuerySet,
    user: Person,
    *,
    at: datetime,
    within: Sequence[int] = WITHIN,
) -> Calendar:
    """Return when the purchases end; of what they pay for, what `user` may read is counted."""
    covers = readable_covers(user).filter(reserved_instance__in=coming)
    values = list(coming.order_by("end_at").values(*_COLUMNS))
    windows = _windows(values, covers, at, within)
    return Calendar(windows, _months(values, covers), len(values) - windows[-1][1].purchases)


def with_instances(rows: ReservedInstanceQuerySet, user: Person) -> ReservedInstanceQuerySet:
    """Count the instances that each purchase pays for; those that end first come first."""
    is_readable = Q()
    if not may_everywhere(user, Action.READ):
        is_readable = Q(covers__in=readable_covers(user))
    number = Count("covers", filter=is_readable, distinct=True)
    counted = rows.select_related("account").annotate(instances=number)
    return counted.order_by("end_at", "pk")


def name_instances(rows: Sequence[Any], user: Person, *, most: int = NAMED) -> None:
    """Give each purchase the first instances that it pays for, as `named`."""
    named: dict[int, list[Any]] = {row.pk: [] for row in rows}
    place = Window(RowNumber(), partition_by=F("reserved_instance"), order_by=F("pk").asc())
    covers = readable_covers(user).filter(reserved_instance__in=named).annotate(place=place)
    for cover in covers.filter(place__lte=most).select_related("instance").order_by("pk"):
        named[cover.reserved_instance_id].append(cover.instance)
    for row in rows:
        row.named = named[row.pk]


def readable_covers(user: Person) -> QuerySet[Cover]:
    return visible(Cover.objects.all(), user, by="instance__account")


def until(coming: ReservedInstanceQuerySet, days: int, *, at: datetime) -> ReservedInstanceQuerySet:
    """Leave what ends within some days."""
    return coming.filter(end_at__lte=at + timedelta(days=days))


def coming(rows: ReservedInstanceQuerySet, *, at: datetime) -> ReservedInstanceQuerySet:
    """Leave what is active and has an end that is still to come."""
    return rows.active().filter(end_at__gt=at)


def _windows(
    values: Iterable[dict[str, Any]],
    covers: QuerySet[Cover],
    now: datetime,
    within: Sequence[int],
) -> list[tuple[int, Ending]]:
    """Return what ends within some days, each span with those before it."""
    found = {days: Ending(now, now + timedelta(days=days)) for days in within}
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


def _months(values: Iterable[dict[str, Any]], covers: QuerySet[Cover]) -> list[Ending]:
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
