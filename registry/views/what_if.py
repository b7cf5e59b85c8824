"""What one change would do about idle purchases, the most useful first."""

from collections.abc import Iterable, Iterator
from typing import Any

from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponseBase
from django.shortcuts import render

from registry.access import accounts
from registry.audit.proposals import kept
from registry.audit.told import Reach, Row, Sums, rows_of
from registry.billing.price import monthly
from registry.billing.proposals import Proposal
from registry.http import SignedInRequest
from registry.models import Image, ReservedInstance
from registry.views.lists import as_csv
from registry.views.shell import findings, narrow

SHOWN = 50
EXPORTED = (
    *("Change", "Kind", "ID", "Name", "Where", "Images", "Instances", "Would be used"),
    *("Others idle", "Per month, alone", "Adds", "Adds per month"),
)


def what_if(request: SignedInRequest) -> HttpResponseBase:
    found = kept()
    rows = rows_within(request, found.proposals if found else ())
    if request.GET.get("export") == "csv":
        return as_csv(request, EXPORTED, _exported(rows))
    page = Paginator(rows, SHOWN).get_page(request.GET.get("page"))
    pages = page.paginator.get_elided_page_range(page.number, on_each_side=1, on_ends=1)
    context = {
        "section": "reserved-instances",
        "at": found.at if found else None,
        "rows": page.object_list,
        "page_obj": page,
        "pages": list(pages),
        "sums": Sums.of(rows),
    }
    return render(request, "registry/what_if.html", context)


def gain(request: HttpRequest) -> Sums:
    """Return what all changes would do together, as the page of them sums it up."""
    found = kept()
    return Sums.of(rows_within(request, found.proposals if found else ()))


def rows_within(request: HttpRequest, proposals: Iterable[Proposal]) -> list[Row]:
    """Put into words what is about things within the scope of the person."""
    chosen = request.session.get("scope", {}).get("accounts")
    members = accounts(request.user)
    reach = Reach(
        images=narrow(request, Image.objects.present()),
        findings=findings(request),
        purchases=narrow(request, ReservedInstance.objects.present()),
        accounts=members.filter(number__in=chosen) if chosen else members,
    )
    return rows_of(proposals, reach)


def _exported(rows: Iterable[Row]) -> Iterator[dict[str, Any]]:
    for row in rows:
        found, adds = row.found, row.found.adds
        values = (
            *(row.title, found.kind, found.name, row.name, row.where, len(found.images)),
            *(found.instances, float(row.units), float(row.idle), monthly(found.effect.hourly)),
            *((float(adds.units), monthly(adds.hourly)) if adds else (None, None)),
        )
        yield dict(zip(EXPORTED, values, strict=True))
