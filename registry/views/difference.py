"""Two days compared, as a page and as CSV."""

from collections.abc import Iterable, Iterator
from datetime import date, timedelta
from typing import Any

from django.db.models import Min
from django.http import HttpResponseBase
from django.shortcuts import render
from django.utils import timezone

from registry.audit.difference import SHOWN, Difference, Moved, compare
from registry.forms.over_time import DifferenceForm
from registry.http import SignedInRequest
from registry.models import ReservedInstance
from registry.views.lists import as_csv
from registry.views.over_time import totals
from registry.views.shell import narrow
from registry.views.units import number

WEEK = timedelta(days=7)
PAGE = 500
_COLUMNS = (
    *("Became", "Reserved Instances", "Account", "Region", "Type", "Platform"),
    *("Idle before", "Idle after", "Change per hour", "Currency", "Since", "Causes"),
    "What changed before",
)


def difference(request: SignedInRequest) -> HttpResponseBase:
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
        purchases = narrow(request, ReservedInstance.objects.all())
        found = compare(purchases, totals(request), days["from"], days["to"])
        if request.GET.get("export") == "csv":
            return as_csv(request, _COLUMNS, _lines(found, request))
        context |= {"first": days["from"], "second": days["to"]} | _shown(found, request)
    return render(request, "registry/difference.html", context)


def _a_week_before(today: date, kept_since: date | None) -> date:
    """Return the day to begin with: a week ago, or where less is kept, the first day of that."""
    is_shorter = kept_since is not None and today - WEEK < kept_since < today
    return kept_since if kept_since and is_shorter else today - WEEK


def _shown(found: Difference, request: SignedInRequest) -> dict[str, Any]:
    ends = {"from_at": found.from_at, "to_at": found.to_at}
    if found.totals is None:
        return ends
    found.tell([row for part in found.parts for row in part.shown], request.user)
    return ends | {
        "totals": found.totals,
        "parts": found.parts,
        "is_same": not found.rows,
    }


def _lines(found: Difference, request: SignedInRequest) -> Iterator[dict[str, Any]]:
    rows = found.rows
    for begin in range(0, len(rows), PAGE):
        some = rows[begin : begin + PAGE]
        found.tell(some, request.user)
        yield from _page(some)


def _page(rows: Iterable[Moved]) -> Iterator[dict[str, Any]]:
    for row in rows:
        purchase = row.purchase
        if purchase is None:
            continue
        values = (
            *(row.kind, purchase.aws_id, purchase.account.number, purchase.region),
            *(purchase.instance_type, purchase.product_description),
            *(number(row.idle_before), number(row.idle_after), row.cost, purchase.currency),
            *(row.since, ", ".join(row.causes)),
            "; ".join(
                f"{one.at:%Y-%m-%d %H:%M} {one.thing.aws_id} {one.sentence}"
                for one in row.triggers or ()
            ),
        )
        yield dict(zip(_COLUMNS, values, strict=True))
