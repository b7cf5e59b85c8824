"""Reserved Instances: how far each purchase is used, what it covers, and why a part is idle."""

from fractions import Fraction
from typing import Any, Literal

from django.db.models import F
from django.http import Http404
from ninja import Router

from registry.access import visible
from registry.api.door import ApiRequest
from registry.api.paging import PageQuery, page
from registry.api.problems import query
from registry.audit.answer import money
from registry.audit.purchases import TITLES
from registry.models import Image, Instance, ReservedInstance

router = Router()
MOST_COVERS = 1_000


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
        "causes": _causes(found, request),
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


def _causes(row: ReservedInstance, request: ApiRequest) -> list[dict[str, Any]]:
    """Return the causes, the most telling first, each with the nearest instances."""
    named = {aws_id for reason in row.reasons for aws_id in reason["instance_ids"]}
    rows = visible(Instance.objects.present().filter(aws_id__in=named), request.user)
    near = {instance.aws_id: instance for instance in rows}
    images = visible(Image.objects.present(), request.user)
    some = images.filter(aws_id__in={instance.image_id for instance in near.values()})
    expected = dict(some.values_list("aws_id", "expected_usage_operation"))
    return [
        {
            "code": reason["code"],
            "title": TITLES[reason["code"]],
            "instances": [
                {
                    "id": aws_id,
                    "image_id": near[aws_id].image_id,
                    "usage_operation": near[aws_id].usage_operation,
                    "expected_usage_operation": expected.get(near[aws_id].image_id),
                }
                for aws_id in reason["instance_ids"]
                if aws_id in near
            ],
            "instances_in_all": len(reason["instance_ids"]),
        }
        for reason in row.reasons
    ]


def _number(units: Fraction | None) -> float | None:
    return None if units is None else float(units)
