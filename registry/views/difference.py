"""Two days compared: which purchases became idle or used between them, and what changed before."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from fractions import Fraction
from typing import Any

from django.db.models import Max, Min, OuterRef, QuerySet, Subquery
from django.http import HttpResponse
from django.shortcuts import render
from django.utils import timezone

from registry.billing.trend import share_of
from registry.forms.over_time import DifferenceForm
from registry.http import SignedInRequest
from registry.models import DailyTotals, ReservedInstance, Utilization
from registry.views.over_time import Totals, causes, totals
from registry.views.shell import narrow
from registry.views.triggers import Trigger, triggers

WEEK, DAY = timedelta(days=7), timedelta(days=1)
SHOWN = 100
_TITLES = {
    "idle": "Became idle",
    "new": "New, or in force again",
    "used": "Used again",
    "over": "No longer in force, or not recorded",
}


@dataclass(slots=True)
class Moved:
    """A purchase that is not used as it was; `before` is None where nothing was kept of it."""

    before: Utilization | None
    after: Utilization
    purchase: ReservedInstance | None = None
    since: datetime | None = None
    triggers: Sequence[Trigger] | None = None  # None: not known

    @property
    def key(self) -> int:
        return self.after.reserved_instance_id

    @property
    def kind(self) -> str:
        """What became of it; "" where it is as idle as it was."""
        was = _share(self.before) if self.before else None
        is_now = _share(self.after)
        if is_now is None:
            return "" if was is None else "over"
        if was is None or self.before is None:
            return "new"
        change = Fraction(self.after.idle) - Fraction(self.before.idle)
        return "idle" if change > 0 else "used" if change < 0 else ""

    @property
    def cost(self) -> Decimal | None:
        """By how much the idle cost of an hour has changed; None: not known."""
        if self.after.idle_hourly_cost is None:
            return None
        if self.kind == "new" or self.before is None:
            return self.after.idle_hourly_cost
        was = self.before.idle_hourly_cost
        return None if was is None else self.after.idle_hourly_cost - was

    @property
    def causes(self) -> list[str]:
        return causes(self.after.causes)

    @property
    def is_wrong_code(self) -> bool:
        return "wrong_platform" in self.after.causes

    @property
    def idle_before(self) -> Fraction | None:
        return Fraction(self.before.idle) if self.before and self.kind != "new" else None

    @property
    def idle_after(self) -> Fraction:
        return Fraction(self.after.idle)


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


def difference(request: SignedInRequest) -> HttpResponse:
    today = timezone.now().date()
    kept_since = totals(request).aggregate(day=Min("day"))["day"]
    days = {"from": _a_week_before(today, kept_since), "to": today}
    form = DifferenceForm(request.GET or None, initial=days, today=today)
    context: dict[str, Any] = {
        "section": "reserved-instances",
        "form": form,
        "shown": SHOWN,
        "kept_since": kept_since,
        "is_new": kept_since == today,
    }
    if form.is_bound:
        days = form.cleaned_data if form.is_valid() else {}
    if days:
        context |= _compared(request, days["from"], days["to"])
    return render(request, "registry/difference.html", context)


def _a_week_before(today: date, kept_since: date | None) -> date:
    """Return the day to begin with: a week ago, or where less is kept, the first day of that."""
    is_shorter = kept_since is not None and today - WEEK < kept_since < today
    return kept_since if kept_since and is_shorter else today - WEEK


def _end_of(day: date) -> datetime:
    return datetime.combine(day + DAY, time(), UTC)


def _compared(request: SignedInRequest, first: date, second: date) -> dict[str, Any]:
    begin, end = _end_of(first), _end_of(second)
    rows = totals(request)
    found: dict[str, Any] = {
        "first": first,
        "second": second,
        "from_at": rows.filter(at__lt=begin).aggregate(at=Max("at"))["at"],
        "to_at": rows.filter(at__lt=end).aggregate(at=Max("at"))["at"],
    }
    if found["from_at"] is None:
        return found
    found["totals"] = _totals(rows, found["from_at"]), _totals(rows, found["to_at"])
    moved = _moved(request, begin, end)
    parts = [Part(kind, title, moved.get(kind, [])) for kind, title in _TITLES.items()]
    _name(part.shown for part in parts)
    _explain(request, parts[0].shown, found["from_at"], begin, end)
    return found | {"parts": parts, "is_same": not any(moved.values())}


def _totals(rows: QuerySet[DailyTotals], at: datetime) -> Totals:
    """Return what the last audit of that day has found in all accounts together."""
    day = at.astimezone(UTC).date()
    found = Totals(day)
    for row in rows.filter(day=day):
        found.add(row)
    return found


def _moved(request: SignedInRequest, begin: datetime, end: datetime) -> dict[str, list[Moved]]:
    """Return the purchases that are kept otherwise at the end than at the beginning, by kind."""
    purchases = narrow(request, ReservedInstance.objects.all()).order_by()
    pairs = [
        (before, after)
        for before, after in purchases.values_list(_last_before(begin), _last_before(end))
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


def _name(parts: Iterable[Sequence[Moved]]) -> None:
    shown = [row for part in parts for row in part]
    rows = ReservedInstance.objects.select_related("account").in_bulk([row.key for row in shown])
    for row in shown:
        row.purchase = rows[row.key]


def _explain(
    request: SignedInRequest,
    shown: Sequence[Moved],
    from_at: datetime,
    begin: datetime,
    end: datetime,
) -> None:
    """Find since when they are idle, and what changed about the instances that come nearest."""
    keys = [row.key for row in shown]
    since = _since(shown, begin, end)
    rows = Utilization.objects.filter(reserved_instance__in=keys, at__gte=end)
    # Which instances come nearest is kept only of the last audit.
    changed_later = set(rows.values_list("reserved_instance", flat=True))
    named: dict[int, list[str]] = {}
    for row in shown:
        row.since = since[row.key]
        if row.is_wrong_code and row.key not in changed_later and row.purchase:
            named[row.key] = _named(row.purchase.reasons)
    found = triggers(request, named, since, from_at)
    for row in shown:
        row.triggers = found.get(row.key)


def _since(shown: Sequence[Moved], begin: datetime, end: datetime) -> dict[int, datetime]:
    """Return from when on each was as idle as at the end, without a break."""
    rows = Utilization.objects.filter(reserved_instance__in=[row.key for row in shown])
    last = {row.key: row.idle_after for row in shown}
    found: dict[int, datetime] = {}
    for key, at, idle in (
        rows.filter(at__gte=begin, at__lt=end)
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
