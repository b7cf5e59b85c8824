"""The audit as it stands, frozen."""

from datetime import datetime
from decimal import Decimal
from typing import Any

from django.db.models import Count, Prefetch

from registry.billing.price import monthly
from registry.models import Finding, FindingState, Image, Report, ReservedInstance, Scope, Waiver


def build(report: Report, *, at: datetime) -> Report:
    """Fill `report` with the audit as it stands at `at`, once; a report that is filled stays."""
    if report.created_at is not None:
        return report
    previous = Report.objects.ready().exclude(pk=report.pk).order_by("-created_at", "-pk").first()
    result = _result(at)
    result["difference"] = _difference(result, previous.result if previous else None)
    report.created_at, report.previous, report.result = at, previous, result
    report.save()
    return report


def _result(at: datetime) -> dict[str, Any]:
    in_force = Prefetch("waivers", Waiver.objects.filter(ended_at=None).select_related("owner"))
    rows = Finding.objects.open().for_list().most_urgent_first().prefetch_related(in_force)
    findings = [_finding(row) for row in rows]
    images = Image.objects.present().order_by().values_list("verdict")
    verdicts = dict(images.annotate(number=Count("pk")))
    return {
        "as_of": at.isoformat(),
        "totals": {
            "images": sum(verdicts.values()),
            "verdicts": verdicts,
            "open_findings": len(findings),
            "waived": sum(row["state"] == FindingState.WAIVED for row in findings),
            **_idle(),
        },
        "findings": findings,
        "scopes": [_scope(row) for row in Scope.objects.enabled().select_related("account")],
    }


def _idle() -> dict[str, Any]:
    """Return what idle purchases cost in a month, None if no price is known; how many lack one."""
    # A state that was never recorded may be that it is active.
    rows = ReservedInstance.objects.present().filter(state__in=("active", "")).exclude(idle="0")
    costs = rows.values_list("idle_hourly_cost", flat=True)
    known = [cost for cost in costs if cost is not None]
    total = monthly(sum(known, Decimal(0)))
    return {
        "idle_per_month": None if total is None or (costs and not known) else str(total),
        "idle_unpriced": len(costs) - len(known),
    }


def _finding(row: Finding) -> dict[str, Any]:
    thing = row.thing
    found: dict[str, Any] = {
        "ref": row.ref,
        "rule": row.rule,
        "severity": row.severity,
        "state": row.state,
        "waived": None,
        "title": row.title,
        "message": row.message,
        "account": thing.account.number,
        "account_name": thing.account.name,
        "region": thing.region,
        "thing": thing.aws_id,
        "name": str(thing),
        "opened_at": row.opened_at.isoformat(),
        "per_month": None if row.monthly_cost is None else str(row.monthly_cost),
        "actual": "",
        "expected": "",
    }
    if row.image:
        found["actual"] = row.image.usage_operation or ""
        found["expected"] = row.image.expected_usage_operation or ""
    for waiver in row.waivers.all():  # one at most, that in force
        found["waived"] = {
            "owner": str(waiver.owner),
            "until": waiver.until.isoformat(),
            "reason": waiver.reason,
        }
    return found


def _scope(row: Scope) -> dict[str, Any]:
    return {
        "account": row.account.number,
        "region": row.region,
        "synced_at": row.synced_at.isoformat() if row.synced_at else None,
        "error": row.error,
    }


def _difference(result: dict[str, Any], before: dict[str, Any] | None) -> dict[str, list[str]]:
    """Name the findings that opened and those that closed since the report before."""
    if before is None:
        return {"opened": [], "closed": []}
    # What was resolved and came back meanwhile is the same finding, opened at another time.
    now = {(row["ref"], row["opened_at"]): row for row in result["findings"]}
    then = {(row["ref"], row["opened_at"]): row for row in before["findings"]}
    return {
        "opened": [row["ref"] for key, row in now.items() if key not in then],
        "closed": [f"{row['ref']} {row['title']}" for key, row in then.items() if key not in now],
    }
