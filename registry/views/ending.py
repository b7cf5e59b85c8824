"""When purchases end, and what they still pay for: as a page and as CSV."""

from collections.abc import Iterator
from typing import Any

from django.http import HttpResponseBase
from django.shortcuts import render
from django.utils import timezone

from registry.access import Action, may_everywhere
from registry.audit.ending import WITHIN, calendar, coming, name_instances, until, with_instances
from registry.http import SignedInRequest
from registry.models import ReservedInstance
from registry.models.reserved_instance import ReservedInstanceQuerySet
from registry.views.lists import as_csv
from registry.views.shell import narrow
from registry.views.units import number

SHOWN = 100
_COLUMNS = (
    *("Reserved Instances", "Ends", "Account", "Region", "Zone", "Type", "Count", "Platform"),
    *("Class", "Used", "Idle", "Instances covered", "Per hour", "Idle per hour", "Currency"),
)


def ending(request: SignedInRequest) -> HttpResponseBase:
    now = timezone.now()
    present = narrow(request, ReservedInstance.objects.present())
    still = coming(present, at=now)
    if request.GET.get("export") == "csv":
        return as_csv(request, _COLUMNS, _lines(with_instances(still, request.user)))
    found = calendar(still, request.user, at=now)
    rows = list(with_instances(until(still, WITHIN[-1], at=now), request.user)[:SHOWN])
    name_instances(rows, request.user)
    context = {
        "section": "reserved-instances",
        "windows": found.windows,
        "months": found.months,
        "later": found.later,
        "rows": rows,
        "soon": found.windows[-1][1].purchases,
        "shown": SHOWN,
        "over": present.active().filter(end_at__lte=now).count(),
        "without_end": present.active().filter(end_at=None).count(),
        "reads_all": may_everywhere(request.user, Action.READ),
    }
    return render(request, "registry/ending.html", context)


def _lines(rows: ReservedInstanceQuerySet) -> Iterator[dict[str, Any]]:
    """Yield every purchase that ends some day, the first one first."""
    row: Any
    for row in rows.iterator(chunk_size=2_000):
        values = (
            *(row.aws_id, row.end_at, row.account.number, row.region, row.availability_zone),
            *(row.instance_type, row.instance_count, row.product_description),
            *(row.offering_class, number(row.used_units), number(row.idle_units)),
            row.instances if row.judged_at else None,
            *(row.hourly_cost, row.idle_hourly_cost, row.currency),
        )
        yield dict(zip(_COLUMNS, values, strict=True))
