"""The totals of days, added up over accounts: rows → totals."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from fractions import Fraction

from django.db.models import QuerySet
from django.db.models.functions import TruncWeek

from registry.models import DailyTotals, Severity

WEEK, DAY = timedelta(days=7), timedelta(days=1)
WEEKS = 13


@dataclass(slots=True)
class Totals:
    """What is kept of all accounts together at the end of a week or a day; `open` None: nothing."""

    begin: date
    open: dict[str, int] | None = None
    purchases: int = 0
    cost: Decimal | None = None
    idle_cost: Decimal | None = None
    unpriced: int = 0
    verdicts: dict[str, int] = field(default_factory=dict)
    running: int = 0
    covered: Fraction = Fraction(0)
    accounts: set[int] = field(default_factory=set)

    def add(self, row: DailyTotals) -> None:
        self.accounts.add(row.account_id)
        self.open = _together(self.open or {}, row.severities)
        self.verdicts = _together(self.verdicts, row.verdicts)
        self.purchases += row.purchases
        self.cost = _plus(self.cost, row.hourly_cost)
        self.idle_cost = _plus(self.idle_cost, row.idle_hourly_cost)
        self.unpriced += row.unpriced
        self.running += row.running
        self.covered += Fraction(row.covered or 0)

    @property
    def images(self) -> int:
        return sum(self.verdicts.values())

    @property
    def verified(self) -> int:
        return self.verdicts.get("ok", 0) + self.verdicts.get("excused", 0)

    @property
    def share(self) -> Fraction | None:
        return Fraction(self.verified, self.images) if self.images else None

    @property
    def coverage(self) -> Fraction | None:
        """Which share of the running instances purchases pay for."""
        return self.covered / self.running if self.running else None

    @property
    def utilization(self) -> Fraction | None:
        """Which share of the known cost of purchases is for what was used."""
        if not self.cost or self.idle_cost is None:
            return None
        return 1 - Fraction(self.idle_cost) / Fraction(self.cost)

    @property
    def total(self) -> int:
        return sum((self.open or {}).values())

    @property
    def numbers(self) -> list[int]:
        """How many are open, the most severe first."""
        return [(self.open or {}).get(level, 0) for level in Severity.values]

    def is_like(self, other: "Totals") -> bool:
        """Say whether its cost compares: that of the same accounts, with as much unknown."""
        return self.accounts == other.accounts and self.unpriced == other.unpriced


def by_week(rows: QuerySet[DailyTotals], today: date) -> list[Totals]:
    """Return thirteen weeks, the first one first: of each account the last day in each."""
    monday = today - today.weekday() * DAY
    weeks = {begin: Totals(begin) for begin in (monday - part * WEEK for part in range(WEEKS))}
    shown = rows.filter(day__gte=min(weeks), day__lte=today).annotate(week=TruncWeek("day"))
    last = shown.order_by("account", "week", "-day").distinct("account", "week")
    for row in last:
        weeks[row.week].add(row)
    return [weeks[begin] for begin in sorted(weeks)]


def by_day(rows: QuerySet[DailyTotals]) -> list[Totals]:
    """Return the days of which something is kept, the first one first."""
    days: dict[date, Totals] = {}
    for row in rows.order_by("day").iterator(chunk_size=2_000):
        days.setdefault(row.day, Totals(row.day)).add(row)
    return list(days.values())


def of_day(rows: QuerySet[DailyTotals], at: datetime) -> Totals:
    """Return what the last audit of a day has found in all accounts together."""
    day = at.astimezone(UTC).date()
    found = Totals(day)
    for row in rows.filter(day=day):
        found.add(row)
    return found


def _plus(amount: Decimal | None, more: Decimal | None) -> Decimal | None:
    """Add up what is known."""
    return amount if more is None else (amount or Decimal(0)) + more


def _together(numbers: dict[str, int], more: dict[str, int]) -> dict[str, int]:
    keys: Iterable[str] = {**numbers, **more}
    return {key: numbers.get(key, 0) + more.get(key, 0) for key in keys}
