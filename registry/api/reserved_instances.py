"""Reserved Instances: how far each purchase is used, what it covers, and why a part is idle."""

from collections.abc import Sequence
from fractions import Fraction
from typing import Any, Literal

from django.db.models import F
from django.http import Http404
from django.utils import timezone
from ninja import Router

from registry.access import visible
from registry.api.changes import changes_of
from registry.api.door import ApiRequest
from registry.api.list_prices import of_purchase
from registry.api.paging import PageQuery, page
from registry.api.problems import query
from registry.audit.answer import money
from registry.audit.nearest import nearest, remedies_of
from registry.audit.purchases import in_words
from registry.audit.waste import Waste, waste_of
from registry.models import ReservedInstance

router = Router()
MOST_COVERS = 1_000
MOST_STEPS = 100


class PurchaseQuery(PageQuery):
    account: str = ""
    region: str = ""
    state: str = ""
    q: str = ""
    use: Literal["idle", "full", ""] = ""


@router.get("", url_name="reserved-instances")
def list_reserved_instances(request: ApiRequest) -> Any:
    """Return the purchases that AWS showed last, those first that cost most for what is idle."""
    asked = query(PurchaseQuery, request)
    rows = visible(ReservedInstance.objects.present(), request.user).select_related("account")
    if asked.account:
        rows = rows.filter(account__number=asked.account)
    if asked.region:
        rows = rows.filter(region=asked.region)
    if asked.state:
        rows = rows.filter(state=asked.state)
    if asked.use:
        rows = rows.not_fully_used() if asked.use == "idle" else rows.fully_used()
    if asked.q.strip():
        rows = rows.search(asked.q.strip())
    dearest_first = rows.order_by(F("idle_hourly_cost").desc(nulls_last=True), "aws_id", "pk")
    return page(dearest_first, asked, lambda row: _row(row, request))


@router.get("/{aws_id}", url_name="reserved-instance")
def get_reserved_instance(request: ApiRequest, aws_id: str) -> Any:
    """Return one purchase, also one that is gone; with what it covers and why a part is idle."""
    rows = visible(ReservedInstance.objects.filter(aws_id=aws_id), request.user)
    # Of the present ones, gone_at is last: null.
    found = rows.select_related("account").order_by("gone_at", "pk").last()
    if found is None:
        raise Http404(f"There is no purchase {aws_id[:64]}.")
    at, near = timezone.now(), nearest(found, request.user)
    covers = visible(found.covers.all(), request.user, by="instance__account")
    findings = found.findings.open().order_by("rule", "pk")
    return _row(found, request) | {
        "tenancy": found.tenancy,
        "scope": found.scope,
        "availability_zone": found.availability_zone,
        "availability_zone_id": found.availability_zone_id,
        "offering_class": found.offering_class,
        "offering_type": found.offering_type,
        "currency": found.currency,
        "fixed_price": money(found.fixed_price),
        "usage_price": money(found.usage_price),
        "recurring_hourly": money(found.recurring_hourly),
        "tags": found.tags,
        "gone_at": found.gone_at,
        "causes": _causes(found, near),
        "remedies": [
            {"title": one.title, "is_possible": one.is_possible, "why": one.why}
            for one in remedies_of(found, near, at=at)
        ],
        "changes": changes_of(found, request.user, at=at),
        "waste": _waste(waste_of(found, at=at)),
        "list_prices": of_purchase(found, request),
        "over_time": _over_time(found),
        "covers": [
            {"instance_id": instance_id, "fraction": float(Fraction(share))}
            for instance_id, share in covers.order_by("instance__aws_id").values_list(
                "instance__aws_id", "share"
            )[:MOST_COVERS]
        ],
        "covers_in_all": found.covers.count(),
        "findings": [
            {"ref": finding.ref, "rule": finding.rule, "title": finding.title}
            for finding in findings
        ],
    }


def _row(row: ReservedInstance, request: ApiRequest) -> dict[str, Any]:
    return {
        "id": row.aws_id,
        "account": row.account.number,
        "region": row.region,
        "state": row.state,
        "instance_type": row.instance_type,
        "platform": row.product_description,
        "count": row.instance_count,
        "used": _number(row.used_units),
        "idle": _number(row.idle_units),
        "applies": row.applies,
        "reasons": [reason["code"] for reason in row.reasons],
        "hourly_cost": money(row.hourly_cost),
        "idle_hourly_cost": money(row.idle_hourly_cost),
        "start": row.start_at,
        "end": row.end_at,
        "judged_at": row.judged_at,
        "url": request.build_absolute_uri(row.get_absolute_url()),
    }


def _causes(row: ReservedInstance, near: Sequence[Any]) -> list[dict[str, Any]]:
    """Return the causes, the most telling first, each with the nearest that may be shown."""
    is_lost = any(one.kind == "lost" for one in near)
    shown = {one.aws_id: one for one in near if one.is_readable}
    return [
        {
            "code": reason["code"],
            "title": in_words([reason["code"]], is_lost=is_lost)[0],
            "instances": [
                _near(shown[aws_id]) for aws_id in reason["instance_ids"] if aws_id in shown
            ],
            "instances_in_all": len(reason["instance_ids"]),
        }
        for reason in row.reasons
    ]


def _near(instance: Any) -> dict[str, Any]:
    return {
        "id": instance.aws_id,
        "image_id": instance.image_id,
        "usage_operation": instance.code,
        "expected_usage_operation": instance.expected,
        "code": instance.kind,
    }


def _waste(found: Waste) -> dict[str, Any]:
    ahead = found.ahead
    return {
        "since": found.since,
        "so_far": money(found.so_far),
        "sunk": money(ahead.sunk) if ahead else None,
        "avoidable": money(ahead.avoidable) if ahead else None,
    }


def _over_time(row: ReservedInstance) -> list[dict[str, Any]]:
    """Return how far it was used, the newest first; each holds until the one before it."""
    return [
        {
            "at": step.at,
            "used": float(Fraction(step.used)),
            "idle": float(Fraction(step.idle)),
            "causes": step.causes,
            "idle_hourly_cost": money(step.idle_hourly_cost),
        }
        for step in row.utilizations.order_by("-at")[:MOST_STEPS]
    ]


def _number(units: Fraction | None) -> float | None:
    return None if units is None else float(units)
