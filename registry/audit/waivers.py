"""Waivers: what was waived, and when one ends by itself."""

from collections.abc import Mapping
from datetime import datetime

from registry.audit.rows import update_rows
from registry.models import Activity, ActivityKind, Finding, FindingState, Severity, Waiver

_LONGEST_FACTS = 160
_LONGEST_REASON = 200
_RANK = {level: place for place, level in enumerate(Severity.values)}


def facts_of(finding: Finding) -> str:
    """Return what a waiver of `finding` is of; where this changes, the waiver ends.

    Nothing for a purchase: who uses it changes by the hour.
    """
    if finding.image:
        image = finding.image
        facts = f"{_code(image.usage_operation)}→{_code(image.expected_usage_operation)}"
    else:
        facts = _code(finding.instance.usage_operation) if finding.instance else ""
    return facts[:_LONGEST_FACTS]


def ended_because(waiver: Waiver, *, severity: str, at: datetime) -> str:
    """Say why a waiver in force ends by itself at `at`; "" while it holds.

    `severity` is what the finding has now.
    """
    if waiver.until <= at:
        return f"The waiver expired on {waiver.until:%Y-%m-%d}."
    facts = facts_of(waiver.finding)
    if facts != waiver.facts:
        return f"The code is not what was waived: {waiver.facts} was, {facts} is."[:_LONGEST_REASON]
    if _RANK[severity] < _RANK[waiver.severity]:
        before, now = Severity(waiver.severity).label, Severity(severity).label
        return f"It got worse: {before} was waived, {now} is."
    return ""


def reopen_waived(reasons: Mapping[int, str], *, at: datetime) -> None:
    """End the waivers in force of findings, by primary key, and open these if they are waived.

    The caller holds the findings.
    """
    if not reasons:
        return
    waived = Finding.objects.waived().filter(pk__in=list(reasons))
    waived.update(state=FindingState.REOPENED)
    in_force = Waiver.objects.filter(ended_at=None, finding__in=list(reasons))
    ended = list(in_force.values_list("pk", "finding_id"))
    in_force.update(ended_at=at)
    rows = [{"id": pk, "ended_because": reasons[finding]} for pk, finding in ended]
    update_rows(Waiver, ("ended_because",), rows)
    Activity.objects.bulk_create(
        Activity(finding_id=pk, at=at, kind=ActivityKind.UNWAIVED, text=reason)
        for pk, reason in reasons.items()
    )


def _code(usage_operation: str | None) -> str:
    return "unknown" if usage_operation is None else usage_operation or "none"
