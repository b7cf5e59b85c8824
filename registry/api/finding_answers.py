"""Findings as they are answered."""

from typing import Any

from registry.access import visible
from registry.api.door import ApiRequest
from registry.api.list_prices import of_finding
from registry.models import Activity, Finding, ReservedInstance, Waiver

MOST_ACTIVITIES = 200


def row(finding: Finding, request: ApiRequest) -> dict[str, Any]:
    """Return what a list says of a finding."""
    thing = finding.thing
    kind = "image" if finding.image_id else "instance" if finding.instance_id else ""
    return {
        "ref": finding.ref,
        "rule": finding.rule,
        "severity": finding.severity,
        "state": finding.state,
        "title": finding.title,
        "kind": kind or "reserved_instance",
        "id": thing.aws_id,
        "name": str(thing),
        "account": thing.account.number,
        "region": thing.region,
        "per_month": finding.monthly_cost,
        "running": finding.running,
        "cause": finding.cause,
        "assignee": str(finding.assignee) if finding.assignee else None,
        "opened_at": finding.opened_at,
        "checked_at": finding.checked_at,
        "resolved_at": finding.resolved_at,
        "url": request.build_absolute_uri(finding.get_absolute_url()),
    }


def whole(finding: Finding, request: ApiRequest) -> dict[str, Any]:
    """Return all of a finding, with what was said of it."""
    waiver = finding.waivers.filter(ended_at=None).select_related("owner", "by").first()
    said = finding.activities.select_related("by").order_by("-pk")[:MOST_ACTIVITIES]
    purchases = ReservedInstance.objects.filter(aws_id__in=finding.idle_purchases)
    readable = visible(purchases, request.user).order_by("aws_id")
    return row(finding, request) | {
        "message": finding.message,
        "advice": finding.remedy,
        "idle_purchases": list(readable.values_list("aws_id", flat=True).distinct()),
        "idle_purchases_in_all": len(finding.idle_purchases),
        "list_prices": of_finding(finding, request),
        "is_watched": finding.watchers.filter(pk=request.user.pk).exists(),
        "waiver": _waiver(waiver) if waiver else None,
        "activity": [_activity(one) for one in said],
    }


def _waiver(waiver: Waiver) -> dict[str, Any]:
    return {
        "owner": str(waiver.owner),
        "reason": waiver.reason,
        "until": waiver.until,
        "by": str(waiver.by),
        "at": waiver.at,
    }


def _activity(one: Activity) -> dict[str, Any]:
    return {
        "at": one.at,
        "by": str(one.by) if one.by else None,
        "kind": one.kind,
        "text": one.text,
    }
