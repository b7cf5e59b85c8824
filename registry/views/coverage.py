"""Coverage and utilization of thirteen weeks, as a page; of each day and account as CSV."""

from collections.abc import Iterator, Sequence
from typing import Any

from django.db.models import Min, QuerySet
from django.http import HttpResponseBase
from django.shortcuts import render
from django.utils import timezone

from registry.audit.totals import Totals, by_week
from registry.billing.trend import percent
from registry.http import SignedInRequest
from registry.models import DailyTotals
from registry.views.charts import Line, line_chart
from registry.views.lists import as_csv
from registry.views.over_time import totals
from registry.views.units import number

# Never by the color alone: the second line is dashed.
_COVERAGE, _UTILIZATION = ("var(--c-1)", ""), ("var(--c-2)", "6 4")
_COLUMNS = (
    *("Day", "Account", "Audit", "Running", "Covered", "Coverage", "Purchases"),
    *("Per hour", "Idle per hour", "Idle without a price", "Utilization"),
)


def over_time(request: SignedInRequest) -> HttpResponseBase:
    today = timezone.now().date()
    rows = totals(request)
    if request.GET.get("export") == "csv":
        return as_csv(request, _COLUMNS, _lines(rows))
    first = rows.aggregate(first=Min("day"))["first"]
    context: dict[str, Any] = {
        "section": "reserved-instances",
        "first": first,
        "has_regions": bool(request.session.get("scope", {}).get("regions")),
    }
    if first:
        context |= _weeks(by_week(rows, today), first == today)
    return render(request, "registry/over_time.html", context)


def _weeks(weeks: Sequence[Totals], is_new: bool) -> dict[str, Any]:
    lines = (
        Line([week.coverage for week in weeks], *_COVERAGE),
        Line([week.utilization for week in weeks], *_UTILIZATION),
    )
    labels = [f"{week.begin:%-d %b}" for week in weeks[::3]]
    known = [week for week in weeks if week.open is not None]
    return {
        "is_new": is_new,
        "weeks": weeks[::-1],
        "earliest": known[0] if known else None,
        "latest": known[-1] if known else None,
        "color": {"coverage": _COVERAGE[0], "utilization": _UTILIZATION[0]},
        "unpriced": any(week.unpriced for week in weeks),
        "chart": line_chart(lines, labels, [_slot(week) for week in weeks]),
    }


def _slot(week: Totals) -> Sequence[str]:
    begin = f"Week of {week.begin:%-d %b}"
    if week.open is None:
        return [begin, "Not recorded"]
    shares = (("Coverage", week.coverage), ("Utilization", week.utilization))
    told = [f"{name} {percent(share)}\u00a0%" for name, share in shares if share is not None]
    return [begin, *told] if told else [begin, "Not known"]


def _lines(rows: QuerySet[DailyTotals]) -> Iterator[dict[str, Any]]:
    """Yield every day that is kept, each account by itself, the first day first."""
    kept = rows.select_related("account").order_by("day", "account__number")
    for row in kept.iterator(chunk_size=2_000):
        found = Totals(row.day)
        found.add(row)
        values: tuple[Any, ...] = (
            *(row.day, row.account.number, row.at, row.running, number(found.covered)),
            *(number(found.coverage), row.purchases, row.hourly_cost, row.idle_hourly_cost),
            *(row.unpriced, number(found.utilization)),
        )
        yield dict(zip(_COLUMNS, values, strict=True))
