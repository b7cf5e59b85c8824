"""Findings: made to agree with what the rules say, by difference."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from itertools import islice
from typing import Any, Literal

from django.db import transaction
from django.db.models import F, Q, Value
from django.db.models.functions import Greatest

from registry.audit.rows import alone_on, update_rows
from registry.audit.waivers import ended_because, reopen_waived
from registry.billing.rules import Violation
from registry.models import Activity, ActivityKind, Finding, FindingState, Severity, Waiver

BATCH = 1_000
_SHOWN = (
    *("severity", "title", "message", "remedy", "monthly_cost"),
    *("cause", "running", "idle_purchases"),
)
Subject = Literal["image", "instance", "reserved_instance"]


@dataclass(frozen=True, slots=True)
class Found:
    """A violation, and what it costs and concerns; see Finding."""

    violation: Violation
    cost: Decimal | None = None
    cause: str = ""
    running: int = 0
    idle_purchases: tuple[str, ...] = ()


def reconcile(
    subject: Subject,
    found: Mapping[int, Sequence[Found]],
    *,
    at: datetime,
    is_all: bool = False,
) -> None:
    """Make the open findings of the judged things, by primary key, agree with what was `found`.

    What comes back opens the same finding again. A waiver ends where it ran out, the code changed
    or the finding got worse; until then it also holds for what went away and comes back. All else
    that people made of a finding stays.

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
    # What was neither judged nor is gone appeared meanwhile: somebody else has just judged it.
    meant = Q(**{f"{key}__in": list(found)})
    if is_all:
        meant |= Q(**{f"{subject}__gone_at__isnull": False})
    still_open = Finding.objects.open().filter(meant)
    turn, rest = _Turn(at), still_open.iterator(chunk_size=BATCH)
    while some := list(islice(rest, BATCH)):
        waivers = _in_force(subject, [one.pk for one in some if one.state == FindingState.WAIVED])
        for finding in some:
            one = missing.pop((getattr(finding, key), finding.rule), None)
            if one is None:
                turn.resolve(finding)
            else:
                turn.keep(finding, _values(one), waivers.get(finding.pk))
    turn.write()
    still_open.filter(resolved_at=None).update(checked_at=at)
    _open(subject, missing, at=at)


@dataclass(slots=True)
class _Turn:
    """What becomes of the findings that were open, gathered to be written at once."""

    at: datetime
    over: list[int] = field(default_factory=list)
    changed: list[dict[str, Any]] = field(default_factory=list)
    unwaived: dict[int, str] = field(default_factory=dict)
    lines: list[Activity] = field(default_factory=list)

    def resolve(self, finding: Finding) -> None:
        self.over.append(finding.pk)
        self._note(finding.pk, ActivityKind.RESOLVED)

    def keep(self, finding: Finding, values: Mapping[str, Any], waiver: Waiver | None) -> None:
        if _differs(finding, values):
            self.changed.append({"id": finding.pk, **values})
        if finding.severity != values["severity"]:
            before, now = Severity(finding.severity).label, Severity(values["severity"]).label
            self._note(finding.pk, ActivityKind.SEVERITY, f"From {before} to {now}.")
        reason = waiver and ended_because(waiver, severity=values["severity"], at=self.at)
        if reason:
            self.unwaived[finding.pk] = reason

    def write(self) -> None:
        # An audit as of an earlier time resolves nothing before it was opened.
        resolved_at = Greatest(F("opened_at"), Value(self.at))
        Finding.objects.filter(pk__in=self.over).update(
            resolved_at=resolved_at, checked_at=self.at, state=FindingState.RESOLVED
        )
        for start in range(0, len(self.changed), BATCH):
            update_rows(Finding, _SHOWN, self.changed[start : start + BATCH])
        Activity.objects.bulk_create(self.lines, batch_size=BATCH)
        reopen_waived(self.unwaived, at=self.at)

    def _note(self, pk: int, kind: ActivityKind, text: str = "") -> None:
        self.lines.append(Activity(finding_id=pk, at=self.at, kind=kind, text=text))


def _in_force(subject: Subject, findings: Sequence[int]) -> dict[int, Waiver]:
    """Return the waivers in force of findings about things of a kind, by finding."""
    if not findings:
        return {}
    in_force = Waiver.objects.filter(ended_at=None, finding__in=findings)
    rows = in_force.select_related(f"finding__{subject}")
    return {waiver.finding_id: waiver for waiver in rows}


def _differs(finding: Finding, values: Mapping[str, Any]) -> bool:
    return any(getattr(finding, name) != value for name, value in values.items())


def _open(
    subject: Subject,
    missing: Mapping[tuple[int, str], Found],
    *,
    at: datetime,
) -> None:
    """Open what is new, and open the same finding again where it comes back."""
    key = f"{subject}_id"
    before = _latest_resolved(key, missing)
    back = list(before.values())
    Finding.objects.filter(pk__in=back).update(
        state=FindingState.REOPENED, opened_at=at, checked_at=at, resolved_at=None
    )
    said = [{"id": pk, **_values(missing[place])} for place, pk in before.items()]
    for start in range(0, len(said), BATCH):
        update_rows(Finding, _SHOWN, said[start : start + BATCH])
    new = Finding.objects.bulk_create(
        [
            Finding(**{key: pk}, rule=rule, opened_at=at, checked_at=at, **_values(one))
            for (pk, rule), one in missing.items()
            if (pk, rule) not in before
        ],
        batch_size=BATCH,
    )
    opened = [Activity(finding=row, at=at, kind=ActivityKind.OPENED) for row in new]
    reopened = [Activity(finding_id=pk, at=at, kind=ActivityKind.REOPENED) for pk in back]
    Activity.objects.bulk_create([*opened, *reopened], batch_size=BATCH)
    severities = {pk: missing[place].violation.severity for place, pk in before.items()}
    _keep_waived(_in_force(subject, back), severities, at=at)


def _keep_waived(
    waivers: Mapping[int, Waiver], severities: Mapping[int, str], *, at: datetime
) -> None:
    """Leave waived what comes back while its waiver holds."""
    Finding.objects.filter(pk__in=list(waivers)).update(state=FindingState.WAIVED)
    reasons = {
        pk: ended_because(waiver, severity=severities[pk], at=at) for pk, waiver in waivers.items()
    }
    reopen_waived({pk: reason for pk, reason in reasons.items() if reason}, at=at)


def _latest_resolved(
    key: str, missing: Mapping[tuple[int, str], Found]
) -> dict[tuple[int, str], int]:
    """Return the findings that were resolved last of those things and rules."""
    things, rules = {pk for pk, _ in missing}, {rule for _, rule in missing}
    rows = Finding.objects.resolved().filter(rule__in=rules, **{f"{key}__in": things})
    latest = rows.order_by(key, "rule", "-resolved_at", "-pk").distinct(key, "rule")
    found = {(pk, rule): finding for pk, rule, finding in latest.values_list(key, "rule", "pk")}
    return {place: finding for place, finding in found.items() if place in missing}


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
