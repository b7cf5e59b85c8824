"""Findings: made to agree with what the rules say, by difference."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any, Literal

from django.db import transaction
from django.db.models import F, Q, Value
from django.db.models.functions import Greatest

from registry.audit.rows import alone_on, update_rows
from registry.billing.rules import Violation
from registry.models import Finding, FindingState

BATCH = 1_000
_SHOWN = ("severity", "title", "message", "remedy", "monthly_cost")
Subject = Literal["image", "reserved_instance"]


def reconcile(
    subject: Subject,
    violations: Mapping[int, Sequence[Violation]],
    costs: Mapping[int, Decimal | None],
    *,
    at: datetime,
    is_all: bool = False,
) -> None:
    """Make the open findings of the judged things, by primary key, agree with `violations`.

    With `is_all`, the findings of things that are gone are resolved too.
    """
    with transaction.atomic(), alone_on(Finding):
        _reconcile(subject, violations, costs, at=at, is_all=is_all)


def _reconcile(
    subject: Subject,
    violations: Mapping[int, Sequence[Violation]],
    costs: Mapping[int, Decimal | None],
    *,
    at: datetime,
    is_all: bool,
) -> None:
    key = f"{subject}_id"
    missing = {(pk, found.rule): found for pk in violations for found in violations[pk]}
    over, changed = [], []
    # What was neither judged nor is gone appeared meanwhile: somebody else has just judged it.
    meant = Q(**{f"{key}__in": list(violations)})
    if is_all:
        meant |= Q(**{f"{subject}__gone_at__isnull": False})
    still_open = Finding.objects.open().filter(meant)
    for finding in still_open:
        pk = getattr(finding, key)
        found = missing.pop((pk, finding.rule), None)
        if found is None:
            over.append(finding.pk)
        elif _differs(finding, values := _values(found, costs.get(pk))):
            changed.append({"id": finding.pk} | values)
    # An audit as of an earlier time resolves nothing before it was opened.
    resolved_at = Greatest(F("opened_at"), Value(at))
    Finding.objects.filter(pk__in=over).update(
        resolved_at=resolved_at, checked_at=at, state=FindingState.RESOLVED
    )
    for start in range(0, len(changed), BATCH):
        update_rows(Finding, _SHOWN, changed[start : start + BATCH])
    still_open.filter(resolved_at=None).update(checked_at=at)
    _open(key, missing, costs, at=at)


def _differs(finding: Finding, values: Mapping[str, Any]) -> bool:
    return any(getattr(finding, name) != value for name, value in values.items())


def _open(
    key: str,
    missing: Mapping[tuple[int, str], Violation],
    costs: Mapping[int, Decimal | None],
    *,
    at: datetime,
) -> None:
    rules = {rule for _, rule in missing}
    before = set(
        Finding.objects.resolved().filter(rule__in=rules).values_list(key, "rule").distinct()
    )
    Finding.objects.bulk_create(
        [
            Finding(
                **{key: pk},
                rule=rule,
                state=FindingState.REOPENED if (pk, rule) in before else FindingState.OPEN,
                opened_at=at,
                checked_at=at,
                **_values(found, costs.get(pk)),
            )
            for (pk, rule), found in missing.items()
        ],
        batch_size=BATCH,
    )


def _values(found: Violation, cost: Decimal | None) -> dict[str, Any]:
    return {
        "severity": found.severity,
        "title": found.title[:200],
        "message": found.message,
        "remedy": list(found.remedy),
        "monthly_cost": cost,
    }
