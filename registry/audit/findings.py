"""Findings: made to agree with what the rules say, by difference."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
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
_SHOWN = (
    *("severity", "title", "message", "remedy", "monthly_cost"),
    *("cause", "running", "idle_purchases"),
)
Subject = Literal["image", "instance", "reserved_instance"]


@dataclass(frozen=True, slots=True)
class Found:
    """A violation, and what it costs and concerns.

    `facts`: what a waiver of it is of; a waiver ends when they change. `cause`: see Finding.
    """

    violation: Violation
    cost: Decimal | None = None
    cause: str = ""
    running: int = 0
    idle_purchases: tuple[str, ...] = ()
    facts: str = ""


def reconcile(
    subject: Subject,
    found: Mapping[int, Sequence[Found]],
    *,
    at: datetime,
    is_all: bool = False,
) -> None:
    """Make the open findings of the judged things, by primary key, agree with what was `found`.

    With `is_all`, the findings of things that are gone are resolved too.
    """
    with transaction.atomic(), alone_on(Finding):
        _reconcile(subject, found, at=at, is_all=is_all)


def _reconcile(
    subject: Subject,
    found: Mapping[int, Sequence[Found]],
    *,
    at: datetime,
    is_all: bool,
) -> None:
    key = f"{subject}_id"
    missing = {(pk, one.violation.rule): one for pk in found for one in found[pk]}
    over, changed = [], []
    # What was neither judged nor is gone appeared meanwhile: somebody else has just judged it.
    meant = Q(**{f"{key}__in": list(found)})
    if is_all:
        meant |= Q(**{f"{subject}__gone_at__isnull": False})
    still_open = Finding.objects.open().filter(meant)
    for finding in still_open:
        pk = getattr(finding, key)
        one = missing.pop((pk, finding.rule), None)
        if one is None:
            over.append(finding.pk)
        elif _differs(finding, values := _values(one)):
            changed.append({"id": finding.pk} | values)
    # An audit as of an earlier time resolves nothing before it was opened.
    resolved_at = Greatest(F("opened_at"), Value(at))
    Finding.objects.filter(pk__in=over).update(
        resolved_at=resolved_at, checked_at=at, state=FindingState.RESOLVED
    )
    for start in range(0, len(changed), BATCH):
        update_rows(Finding, _SHOWN, changed[start : start + BATCH])
    still_open.filter(resolved_at=None).update(checked_at=at)
    _open(key, missing, at=at)


def _differs(finding: Finding, values: Mapping[str, Any]) -> bool:
    return any(getattr(finding, name) != value for name, value in values.items())


def _open(
    key: str,
    missing: Mapping[tuple[int, str], Found],
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
                **_values(one),
            )
            for (pk, rule), one in missing.items()
        ],
        batch_size=BATCH,
    )


def _values(found: Found) -> dict[str, Any]:
    said = found.violation
    return {
        "severity": said.severity,
        "title": said.title[:200],
        "message": said.message,
        "remedy": list(said.remedy),
        "monthly_cost": found.cost,
        "cause": found.cause,
        "running": found.running,
        "idle_purchases": list(found.idle_purchases),
    }
