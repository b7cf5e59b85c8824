"""Two days compared: which purchases became idle or used between them, and what changed before."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from fractions import Fraction
from typing import Any

from django.db.models import Max, OuterRef, QuerySet, Subquery

from registry.access import Person
from registry.audit.nearest import of_lost_codes
from registry.audit.purchases import in_words
from registry.audit.totals import Totals, of_day
from registry.audit.triggers import Trigger, triggers
from registry.billing.trend import share_of
from registry.models import DailyTotals, ReservedInstance, Utilization

DAY = timedelta(days=1)
SHOWN = 100
IDLE, NEW, USED, OVER = "idle", "new", "used", "over"
TITLES = {
    IDLE: "Became idle",
    NEW: "New, or in force again",
    USED: "Used again",
    OVER: "No longer in force, or not recorded",
}


@dataclass(slots=True)
class Moved:
    """A purchase that is not used as it was; `before` is None where nothing was kept of it."""

    before: Utilization | None
    after: Utilization
    purchase: ReservedInstance | None = None
    since: datetime | None = None
    triggers: Sequence[Trigger] | None = None  # None: not known
    is_lost: bool = False  # that a code was lost is known only of the last audit

    @property
    def key(self) -> int:
        return self.after.reserved_instance_id

    @property
    def kind(self) -> str:
        """What became of it; "" where it is as idle as it was."""
        was = _share(self.before) if self.before else None
        is_now = _share(self.after)
        if is_now is None:
            return "" if was is None else OVER
        if was is None or self.before is None:
            return NEW
        change = Fraction(self.after.idle) - Fraction(self.before.idle)
        return IDLE if change > 0 else USED if change < 0 else ""

    @property
    def cost(self) -> Decimal | None:
        """By how much the idle cost of an hour has changed; None: not known."""
        if self.after.idle_hourly_cost is None:
            return None
        if self.kind == NEW or self.before is None:
            return self.after.idle_hourly_cost
        was = self.before.idle_hourly_cost
        return None if was is None else self.after.idle_hourly_cost - was

    @property
    def causes(self) -> list[str]:
        return in_words(self.after.causes, is_lost=self.is_lost)

    @property
    def is_wrong_code(self) -> bool:
        return "wrong_platform" in self.after.causes

    @property
    def idle_before(self) -> Fraction | None:
        return Fraction(self.before.idle) if self.before and self.kind != NEW else None

    @property
    def idle_after(self) -> Fraction | None:
        return None if self.kind == OVER else Fraction(self.after.idle)


@dataclass(slots=True)
class Part:
    """The purchases of which one thing became, the costliest first."""

    kind: str
    title: str
    rows: list[Moved] = field(default_factory=list)

    @property
    def shown(self) -> list[Moved]:
        return self.rows[:SHOWN]

    @property
    def cost(self) -> Decimal | None:
        known = [row.cost for row in self.rows if row.cost is not None]
        return sum(known, Decimal(0)) if known else None

    @property
    def unpriced(self) -> int:
        return sum(row.cost is None for row in self.rows)


@dataclass(frozen=True, slots=True)
class Difference:
    """The ends of two days, and what moved between them.

    `from_at` and `to_at` are the last audits before; None: nothing is kept of that day or before.
    """

    begin: datetime
    end: datetime
    from_at: datetime | None
    to_at: datetime | None
    totals: tuple[Totals, Totals] | None = None
    parts: Sequence[Part] = ()

    @property
    def rows(self) -> list[Moved]:
        return [row for part in self.parts for row in part.rows]

    def tell(self, rows: Sequence[Moved], user: Person) -> None:
        """Find out about some of the rows: their purchases, since when they are idle, and why.

        Of what `user` may not read nothing is told.
        """
        keys = [row.key for row in rows]
        purchases = ReservedInstance.objects.select_related("account").in_bulk(keys)
        later = Utilization.objects.filter(reserved_instance__in=keys, at__gte=self.end)
        # Which instances come nearest, and whether a code was lost, is kept only of the last audit.
        changed = set(later.values_list("reserved_instance", flat=True))
        lost = of_lost_codes(purchases.values()) - changed
        for row in rows:
            row.purchase = purchases[row.key]
            row.is_lost = row.is_wrong_code and row.key in lost
        self._explain([row for row in rows if row.kind == IDLE], changed, user)

    def _explain(self, rows: Sequence[Moved], changed: set[int], user: Person) -> None:
        since = _since(rows, self.begin, self.end)
        named = {
            row.key: _named(row.purchase.reasons)
            for row in rows
            if row.is_wrong_code and row.key not in changed and row.purchase
        }
        found = triggers(user, named, since, self.from_at or self.begin)
        for row in rows:
            row.since = since[row.key]
            row.triggers = found.get(row.key)


def compare(
    purchases: QuerySet[ReservedInstance], kept: QuerySet[DailyTotals], first: date, second: date
) -> Difference:
    """Return what became of the purchases between the ends of two days (UTC)."""
    begin, end = end_of(first), end_of(second)
    from_at = kept.filter(at__lt=begin).aggregate(at=Max("at"))["at"]
    to_at = kept.filter(at__lt=end).aggregate(at=Max("at"))["at"]
    if from_at is None:
        return Difference(begin, end, None, to_at)
    moved = _moved(purchases, begin, end)
    return Difference(
        *(begin, end, from_at, to_at),
        totals=(of_day(kept, from_at), of_day(kept, to_at)),
        parts=[Part(kind, title, moved.get(kind, [])) for kind, title in TITLES.items()],
    )


def end_of(day: date) -> datetime:
    return datetime.combine(day + DAY, time(), UTC)


def _moved(
    purchases: QuerySet[ReservedInstance], begin: datetime, end: datetime
) -> dict[str, list[Moved]]:
    """Return the purchases that are kept otherwise at the end than at the beginning, by kind."""
    pairs = [
        (before, after)
        for before, after in purchases.order_by().values_list(
            _last_before(begin), _last_before(end)
        )
        if after and before != after
    ]
    rows = Utilization.objects.in_bulk({key for pair in pairs for key in pair if key})
    found: dict[str, list[Moved]] = {}
    for before, after in pairs:
        one = Moved(rows.get(before), rows[after])
        if one.kind:
            found.setdefault(one.kind, []).append(one)
    for some in found.values():
        some.sort(key=_by_cost)
    return found


def _last_before(moment: datetime) -> Subquery:
    rows = Utilization.objects.filter(reserved_instance=OuterRef("pk"), at__lt=moment)
    return Subquery(rows.order_by("-at").values("pk")[:1])


def _by_cost(row: Moved) -> tuple[bool, Decimal, int]:
    """Order by how much the cost changed; what is not known comes last."""
    cost = row.cost
    return cost is None, -abs(cost or Decimal(0)), row.key


def _share(row: Utilization) -> Fraction | None:
    return share_of(row.used, row.idle, row.causes)


def _since(rows: Sequence[Moved], begin: datetime, end: datetime) -> dict[int, datetime]:
    """Return from when on each was as idle as at the end, without a break."""
    kept = Utilization.objects.filter(reserved_instance__in=[row.key for row in rows])
    last = {row.key: Fraction(row.after.idle) for row in rows}
    found: dict[int, datetime] = {}
    for key, at, idle in (
        kept.filter(at__gte=begin, at__lt=end)
        .order_by("at")
        .values_list("reserved_instance", "at", "idle")
    ):
        if Fraction(idle) < last[key]:
            found.pop(key, None)
        else:
            found.setdefault(key, at)
    return found


def _named(reasons: Iterable[Mapping[str, Any]]) -> list[str]:
    return [
        aws_id
        for reason in reasons
        if reason["code"] == "wrong_platform"
        for aws_id in reason["instance_ids"]
    ]
