"""One purchase of Reserved Instances: how far it is used, and why not further."""

from datetime import datetime
from typing import Any

from django.db.models import F
from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.utils import timezone

from registry.access import visible
from registry.audit.changes import changes_for
from registry.audit.nearest import nearest, remedies_of
from registry.audit.on_demand import purchase_worth
from registry.audit.waste import waste_of
from registry.http import SignedInRequest
from registry.models import Instance, ReservedInstance
from registry.views.on_bill import purchase_on_bill
from registry.views.over_time import utilization
from registry.views.what_if import rows_within
from registry.views.why_idle import split, why


def reserved_instance(request: SignedInRequest, aws_id: str) -> HttpResponse:
    rows = visible(ReservedInstance.objects.filter(aws_id=aws_id), request.user)
    found = rows.select_related("account").order_by(F("gone_at").desc(nulls_first=True)).first()
    if found is None:
        raise Http404(f"{aws_id} is not in the inventory.")
    at = timezone.now()
    near = nearest(found, request.user)
    is_lost = any(one.kind == "lost" for one in near)
    covers = visible(found.covers.all(), request.user, by="instance__account")
    context = {
        "section": "reserved-instances",
        "purchase": found,
        "why": why(found, is_lost=is_lost),
        "split": split(near),
        "near": [one for one in near if one.is_readable],
        "changes": _would_apply(request, found, at=at),
        "remedies": remedies_of(found, near, at=at),
        "covers": covers.select_related("instance").order_by("pk")[:50],
        "findings": found.findings.open().for_list(),
        "utilization": utilization(found, is_lost=is_lost),
        "waste": waste_of(found, at=at),
        "on_bill": purchase_on_bill(request.user, found, at=at),
        "worth": purchase_worth(found, visible(Instance.objects.all(), request.user)),
    }
    return render(request, "registry/reserved_instance.html", context)


def _would_apply(
    request: SignedInRequest, row: ReservedInstance, *, at: datetime
) -> list[dict[str, Any]]:
    """Return each change that would let more of a purchase be used, and how much of it."""
    if row.state != "active" or not row.idle_units or row.is_gone:
        return []
    return [
        {"row": each, "units": each.found.effect.gained[row.aws_id]}
        for each in rows_within(request, changes_for(row, at=at))
    ]
