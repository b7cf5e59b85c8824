"""How far purchases were used over a month, by family and platform: rows → shares."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from typing import Any, NamedTuple

from django.db.models import (
    Count,
    DateTimeField,
    DurationField,
    ExpressionWrapper,
    F,
    Min,
    OuterRef,
    Q,
    Subquery,
    Sum,
    Value,
)
from django.db.models.functions import Coalesce, Greatest

from registry.billing.codes import normalize_reserved_platform
from registry.billing.normalization import factor, family
from registry.billing.trend import GONE, NOT_ACTIVE, UNCLEAR
from registry.models import Utilization
from registry.models.reserved_instance import ReservedInstanceQuerySet, idle_cost

MONTH, HOUR = timedelta(days=30), timedelta(hours=1)
TARGET = 90  # percent that are to be used
_NOT_BOUGHT = Q(causes=[NOT_ACTIVE]) | Q(causes=[GONE]) | Q(causes=[UNCLEAR])
_ROW = "reserved_instance"


class _Hours(NamedTuple):
    """Hours of Reserved Instances of one type."""

    instance_type: str
    used: Fraction
    bought: Fraction


@dataclass(slots=True)
class Kind:
    """Purchases of a family and platform: how far they were used, and what is idle of them now."""

    family: str
    platform: str
    purchases: int = 0
    idle_hourly: Decimal | None = None
    unpriced: int = 0
    hours: list[_Hours] = field(default_factory=list)

    @property
    def share(self) -> Fraction | None:
        """Which share was used; None where nothing is recorded.

        A size weighs by its normalization factor, or where one has none, all weigh the same.
        """
        factors = [factor(some.instance_type) for some in self.hours]
        weights = [each or 1 for each in factors] if all(factors) else [1] * len(factors)
        pairs = list(zip(weights, self.hours, strict=True))
        bought = sum((weight * some.bought for weight, some in pairs), Fraction(0))
        used = sum((weight * some.used for weight, some in pairs), Fraction(0))
        return used / bought if bought else None

    def add(self, other: "Kind") -> None:
        self.purchases += other.purchases
        self.unpriced += other.unpriced
        self.hours += other.hours
        if other.idle_hourly is not None:
            self.idle_hourly = (self.idle_hourly or Decimal(0)) + other.idle_hourly


@dataclass(frozen=True, slots=True)
class Month:
    """The kinds of purchases that are active now, the costliest idle first, over thirty days."""

    kinds: Sequence[Kind]
    since: datetime | None  # the first record in these days; None: there is none

    @property
    def bought(self) -> Fraction:
        """The hours of all Reserved Instances, each as one, as Cost Explorer counts them."""
        return sum((some.bought for kind in self.kinds for some in kind.hours), Fraction(0))

    @property
    def used(self) -> Fraction:
        return sum((some.used for kind in self.kinds for some in kind.hours), Fraction(0))

    @property
    def share(self) -> Fraction | None:
        return self.used / self.bought if self.bought else None

    def first(self, number: int) -> tuple[list[Kind], Kind | None]:
        """Return the first kinds, and all others together."""
        if len(self.kinds) <= number + 1:
            return list(self.kinds), None
        others = Kind("", "")
        for kind in self.kinds[number:]:
            others.add(kind)
        return list(self.kinds[:number]), others


def month(purchases: ReservedInstanceQuerySet, *, at: datetime) -> Month:
    """Return how far the active ones among the purchases were used in the thirty days before `at`.

    What an audit found holds until the next one; after the last one, nothing is known.
    """
    active = purchases.active().order_by()
    found: dict[tuple[str, str], Kind] = {}
    rows = active.values_list("instance_type", "product_description").annotate(
        number=Count("pk"), **idle_cost("cost", "unpriced")
    )
    for instance_type, platform, *rest in rows:
        _kind(found, instance_type, platform).add(Kind("", "", *rest))
    since: list[datetime] = []
    for instance_type, platform, used, idle, lasted, first in _lasted(active, at - MONTH):
        if not lasted:
            continue
        hours = Fraction(lasted // timedelta.resolution, HOUR // timedelta.resolution)
        units = Fraction(used), Fraction(idle)
        one = _Hours(instance_type, units[0] * hours, sum(units) * hours)
        _kind(found, instance_type, platform).hours.append(one)
        since.append(first)
    return Month(sorted(found.values(), key=_by_cost), min(since, default=None))


def _lasted(active: ReservedInstanceQuerySet, since: datetime) -> Iterable[Any]:
    """Return how long each number of used and idle ones lasted after `since`, by what they are."""
    before = Utilization.objects.filter(reserved_instance=OuterRef("pk"), at__lte=since)
    held = active.values(last=Subquery(before.order_by("-at").values("pk")[:1]))
    rows = Utilization.objects.filter(reserved_instance__in=active.values("pk"))
    rows = rows.filter(Q(at__gt=since) | Q(pk__in=held)).exclude(_NOT_BOUGHT)
    begin = Greatest(F("at"), Value(since, output_field=DateTimeField()))
    # Where the end is not after the beginning, it is passed over: to ask twice takes twice as long.
    lasted = ExpressionWrapper(Greatest(ended(), begin) - begin, output_field=DurationField())
    return (
        rows.annotate(begin=begin)
        .order_by()
        .values_list(f"{_ROW}__instance_type", f"{_ROW}__product_description", "used", "idle")
        .annotate(time=Sum(lasted), first=Min("begin"))
    )


def ended() -> Coalesce:
    """Return when a row ceased to hold: with the next one, the last with the last audit."""
    later = Utilization.objects.filter(reserved_instance=OuterRef(_ROW), at__gt=OuterRef("at"))
    judged = Greatest(F(f"{_ROW}__judged_at"), F("at"))
    return Coalesce(Subquery(later.order_by("at").values("at")[:1]), judged)


def _kind(found: dict[tuple[str, str], Kind], instance_type: str, platform: str) -> Kind:
    key = family(instance_type), normalize_reserved_platform(platform)
    return found.setdefault(key, Kind(*key))


def _by_cost(kind: Kind) -> tuple[bool, Decimal, str, str]:
    """Order by what is idle; what is not known comes last."""
    cost = kind.idle_hourly
    return cost is None, -(cost or Decimal(0)), kind.family, kind.platform
