"""What costs money now, and is the data fresh?"""

from decimal import Decimal
from typing import Any

from django.db.models import Count, F, Q, Sum
from django.http import HttpResponse
from django.shortcuts import render
from django.utils import timezone

from registry.access import visible
from registry.billing.codes import is_published, label
from registry.http import SignedInRequest
from registry.models import MISMATCHES, Image, ReservedInstance, Scope, Severity
from registry.models.finding import FindingQuerySet
from registry.models.reserved_instance import idle_cost
from registry.views.accounts import matrix
from registry.views.findings import is_unpriced
from registry.views.month import by_kind
from registry.views.over_time import thirteen_weeks
from registry.views.shell import findings, narrow, runs
from registry.views.what_if import gain

SHOWN_CODES = 7


def overview(request: SignedInRequest) -> HttpResponse:
    every = findings(request)
    to_do = every.actionable()
    now = timezone.now()
    by_severity = dict(to_do.order_by().values_list("severity").annotate(number=Count("pk")))
    context = {
        "section": "overview",
        "idle": _idle(request),
        "gain": gain(request),
        "severities": [(level, by_severity.get(level, 0)) for level in Severity.values],
        "open_findings": sum(by_severity.values()),
        "waived_findings": every.waived().count(),
        "images": _images(request),
        "codes": _codes(request),
        "costliest": _costliest(to_do),
        "idle_purchases": _purchases(request),
        "matrix": matrix(visible(Scope.objects.all(), request.user)),
        "trend": thirteen_weeks(request, by_severity, today=now.date()),
        "month": by_kind(request, at=now),
        "recent": runs(request).for_list().order_by("-pk")[:5],
    }
    return render(request, "registry/overview.html", context)


def _costliest(to_do: FindingQuerySet) -> FindingQuerySet:
    """Return the wrong codes that leave the most idle; what is idle is told beside them."""
    rows = to_do.filter(reserved_instance=None).for_list().annotate(is_unpriced=is_unpriced)
    return rows.costliest_first()[:5]


def _idle(request: SignedInRequest) -> dict[str, Any]:
    active = narrow(request, ReservedInstance.objects.present().active())
    by_code = active.filter(findings__rule="RI001", findings__resolved_at=None)
    return active.aggregate(
        active=Count("pk"),
        unjudged=Count("pk", filter=Q(judged_at=None)),
        **idle_cost("hourly", "unpriced"),
    ) | by_code.aggregate(by_code=Sum("idle_hourly_cost"))


def _images(request: SignedInRequest) -> dict[str, Any]:
    found = narrow(request, Image.objects.present()).aggregate(
        number=Count("pk"),
        ok=Count("pk", filter=Q(verdict__in=("ok", "excused"))),
        bad=Count("pk", filter=Q(verdict__in=MISMATCHES)),
        unknown=Count("pk", filter=Q(verdict="unknown")),
        unjudged=Count("pk", filter=Q(verdict="")),
    )
    share = Decimal(100 * found["ok"]) / found["number"] if found["number"] else None
    return found | {"share": share}


def _codes(request: SignedInRequest) -> list[dict[str, Any]]:
    rows = (
        narrow(request, Image.objects.present())
        .order_by()
        .values_list("usage_operation")
        .annotate(number=Count("pk"))
    )
    counts = sorted(rows, key=lambda row: -row[1])
    most = sum(number for _, number in counts) or 1
    bars = [
        {
            "code": code,
            "label": label(code),
            "is_published": bool(code) and is_published(code),
            "number": number,
            "share": 100 * number // most,
        }
        for code, number in counts[:SHOWN_CODES]
    ]
    rest = sum(number for _, number in counts[SHOWN_CODES:])
    if rest:
        bars.append({"label": "Other", "number": rest, "share": 100 * rest // most})
    return bars


def _purchases(request: SignedInRequest) -> Any:
    rows = narrow(request, ReservedInstance.objects.present().not_fully_used())
    dearest_first = F("idle_hourly_cost").desc(nulls_last=True)
    return rows.select_related("account").order_by(dearest_first, "pk")[:6]
