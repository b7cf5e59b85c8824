"""How things went: the use of one purchase, and what the overview says of thirteen weeks."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from typing import Any

from django.db.models import Max, Min, Q, QuerySet

from registry.access import visible
from registry.audit.purchases import in_words
from registry.audit.totals import Totals, by_week
from registry.billing.price import monthly
from registry.billing.trend import (
    NOT_ACTIVE,
    UNCLEAR,
    Step,
    average,
    percent,
    share_of,
    stretches,
)
from registry.http import SignedInRequest
from registry.models import DailyTotals, ReservedInstance, Severity, Utilization
from registry.views.charts import Bar, spark, stacked_bars, step_chart

SHOWN, AVERAGED = timedelta(days=90), timedelta(days=30)
DAY = timedelta(days=1)
MOST_STEPS = 1_000
MOST_LINES = 50
_COLORS = {
    Severity.LOW.value: "var(--c-low)",
    Severity.MEDIUM.value: "var(--c-med)",
    Severity.HIGH.value: "var(--c-high)",
    Severity.CRITICAL.value: "var(--c-crit)",
}
_NOT_IDLE = Q(idle="0") | Q(causes=[NOT_ACTIVE]) | Q(causes=[UNCLEAR])


def utilization(purchase: ReservedInstance, *, is_lost: bool = False) -> dict[str, Any]:
    """Return the use of a purchase up to its last audit; little where none has kept any.

    `is_lost` says that now an AMI lost the code that the purchase is for.
    """
    rows = purchase.utilizations.order_by("at")
    kept = rows.aggregate(first=Min("at"), last=Max("at"), not_idle=Max("at", filter=_NOT_IDLE))
    if kept["first"] is None:
        return {}
    until = max(kept["last"], purchase.judged_at or kept["last"])
    # A purchase of yesterday fills its chart, too.
    since = min(max(until - SHOWN, kept["first"]), until - DAY)
    found = _rows(rows, since)
    steps = [Step(row.at, share_of(row.used, row.idle, row.causes)) for row in found]
    mean = average(steps, until - AVERAGED, until)
    return {
        "first": kept["first"],
        "until": until,
        "now": _percent(steps[-1].share),
        "average": _percent(mean.share if mean else None),
        "known": about(mean.known) if mean and mean.known < AVERAGED - DAY else "",
        "idle_since": _idle_since(rows, kept["not_idle"]),
        "is_longer_idle": kept["not_idle"] is None,
        "chart": step_chart(stretches(steps, since, until), _labels(since, until)),
        "lines": [
            _line(row, is_lost=is_lost and row is found[-1])
            for row in reversed(found[-MOST_LINES:])
        ],
        "has_more": len(found) > MOST_LINES,
    }


def _rows(rows: QuerySet[Utilization], since: datetime) -> list[Utilization]:
    """Return the rows that hold after `since`; of very many, the latest."""
    before = list(rows.filter(at__lte=since).reverse()[:1])
    after = list(rows.filter(at__gt=since).reverse()[:MOST_STEPS])[::-1]
    return after if len(after) == MOST_STEPS else before + after


def _idle_since(rows: QuerySet[Utilization], not_idle: datetime | None) -> datetime | None:
    """Return the first time after the last one at which nothing was idle; None: that is now."""
    since = rows.filter(at__gt=not_idle) if not_idle else rows
    found: datetime | None = since.aggregate(since=Min("at"))["since"]
    return found


def _percent(share: Fraction | None) -> str:
    return "" if share is None else percent(share)


def about(length: timedelta) -> str:
    """Return a length of time in its largest unit, the rest left out: "3 days"."""
    for unit, name in (
        (DAY, "day"),
        (timedelta(hours=1), "hour"),
        (timedelta(minutes=1), "minute"),
    ):
        number = length // unit
        if number:
            return f"{number} {name}{'s' if number > 1 else ''}"
    return "moment"


def _labels(since: datetime, until: datetime) -> list[str]:
    step = (until - since) / 3
    is_long = until - since > 4 * DAY
    return [
        f"{since + part * step:{'%-d %b' if is_long else '%-d %b, %H:%M'}}" for part in range(4)
    ]


def _line(row: Utilization, *, is_lost: bool) -> dict[str, Any]:
    return {
        "at": row.at,
        "used": Fraction(row.used),
        "idle": Fraction(row.idle),
        "share": _percent(share_of(row.used, row.idle, row.causes)),
        "is_unclear": UNCLEAR in row.causes,
        "idle_hourly_cost": row.idle_hourly_cost,
        "causes": in_words(row.causes, is_lost=is_lost),
    }


def totals(request: SignedInRequest) -> QuerySet[DailyTotals]:
    """Return what is kept of the accounts in the scope; it is kept for all regions together."""
    rows = visible(DailyTotals.objects.all(), request.user)
    chosen = request.session.get("scope", {}).get("accounts")
    return rows.filter(account__number__in=chosen) if chosen else rows


def thirteen_weeks(
    request: SignedInRequest, severities: Mapping[str, int], *, today: date
) -> dict[str, Any]:
    """Return how open findings, idle cost and verified images went, with `severities` as of now."""
    rows = totals(request)
    first = rows.aggregate(first=Min("day"))["first"]
    if first is None:
        return {"first": None}
    weeks = by_week(rows, today)
    has_regions = bool(request.session.get("scope", {}).get("regions"))
    if not has_regions:
        weeks[-1].open = dict(severities)
    return {
        "first": first,
        "is_new": first == today,
        "has_regions": has_regions,
        "weeks": weeks[::-1],
        "legend": [
            {
                "color": color,
                "name": Severity(level).label,
                "number": (weeks[-1].open or {}).get(level, 0),
            }
            for level, color in reversed(_COLORS.items())
        ],
        "earliest": next(week for week in weeks if week.open is not None or week is weeks[-1]),
        "chart": stacked_bars(
            [Bar(week.open, _slot(week)) for week in weeks],
            _COLORS,
            [f"{week.begin:%-d %b}" for week in weeks[::3]],
        ),
    } | ({} if has_regions else _sparks(weeks))


def _slot(week: Totals) -> Sequence[str]:
    if week.open is None:
        return [f"Week of {week.begin:%-d %b}", "Not recorded"]
    parts = zip(Severity.labels, week.numbers, strict=True)
    lines = [f"{label} {number:,}" for label, number in parts]
    return [f"Week of {week.begin:%-d %b} · {week.total:,}", *lines]


def _sparks(weeks: Sequence[Totals]) -> dict[str, Any]:
    before, now = weeks[-2:]
    return {
        "idle_spark": spark([week.idle_cost for week in weeks], "var(--c-crit)"),
        "verified_spark": spark([week.share for week in weeks], "var(--c-1)"),
        "idle_change": _change(before.idle_cost, now.idle_cost) if now.is_like(before) else None,
    }


def idle_change(request: SignedInRequest, *, today: date) -> Decimal | None:
    """Return by how much the idle cost of an hour has changed since last week; None: not told."""
    if request.session.get("scope", {}).get("regions"):
        return None  # it is kept for whole accounts
    before, now = by_week(totals(request), today)[-2:]
    return _change(before.idle_cost, now.idle_cost) if now.is_like(before) else None


def _change(before: Decimal | None, now: Decimal | None) -> Decimal | None:
    """Return by how much an hourly cost has changed; None: not by a dollar in a month."""
    if before is None or now is None:
        return None
    month = monthly(now - before)
    return now - before if month and round(month) else None
