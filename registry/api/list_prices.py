"""List prices as they are answered: of findings about codes, and of purchases."""

from typing import Any

from registry.access import visible
from registry.api.door import ApiRequest
from registry.audit.answer import money
from registry.audit.on_demand import compare_finding, purchase_worth
from registry.billing.on_demand import Line
from registry.models import Finding, Instance, ReservedInstance


def of_finding(found: Finding, request: ApiRequest) -> dict[str, Any] | None:
    """Return what a wrong code changes, for the instances that the person may read."""
    compared = compare_finding(found, visible(Instance.objects.all(), request.user))
    if compared is None:
        return None
    return {
        "currency": compared.currency or None,
        "read_at": compared.read_at,
        "now": money(compared.now),
        "should_be": money(compared.due),
        "difference": money(compared.difference),
        "instances": compared.count,
        "instances_unknown": compared.unknown,
        "instances_at_other_prices": compared.others,
        "lines": [_line(line) for line in compared.lines],
    }


def _line(line: Line) -> dict[str, Any]:
    return {
        "instance_type": line.instance_type,
        "tenancy": line.tenancy,
        "usage_operation": line.usage_operation,
        "instances": line.count,
        "now": money(line.now.hourly),
        "should_be": money(line.due.hourly),
        "problems": [each for each in (line.now.problem, line.due.problem) if each],
    }


def of_purchase(row: ReservedInstance, request: ApiRequest) -> dict[str, Any] | None:
    """Return what an hour of use is worth, and what the instances cost that are not paid for."""
    worth = purchase_worth(row, visible(Instance.objects.all(), request.user))
    if worth is None:
        return None
    return {
        "usage_operation": worth.kind.usage_operation if worth.kind else None,
        "currency": worth.price.currency or None,
        "read_at": worth.price.read_at,
        "on_demand": money(worth.price.hourly),
        "paid": money(worth.paid),
        "gain": money(worth.gain),
        "instances_not_covered": None if worth.rest is None else float(worth.rest),
        "not_covered": money(worth.rest_hourly),
        "problem": worth.price.problem,
    }
