"""Doing it: to one finding or to a thousand, in the same few statements."""

from collections.abc import Callable, Collection, Sequence
from datetime import datetime

from django.db import connection
from django.db.models import Value
from django.db.models.functions import Coalesce
from psycopg import sql

from registry.audit.waivers import facts_of
from registry.models import (
    Activity,
    ActivityKind,
    Finding,
    FindingState,
    Triage,
    TriageAction,
    Waiver,
)
from registry.models.finding import FindingQuerySet
from registry.triage.wish import Wish

Line = tuple[ActivityKind, str]


def locked(keys: Collection[int]) -> list[Finding]:
    """Keep findings from changing for this transaction; return them as they are now, in order.

    The table first: an audit takes all of it, and then updates the rows. Taking rows before the
    table, we would wait for it and it for us.
    """
    table = sql.Identifier(Finding._meta.db_table)
    with connection.cursor() as cursor:
        cursor.execute(sql.SQL("LOCK TABLE {} IN ROW EXCLUSIVE MODE").format(table))
    rows = Finding.objects.filter(pk__in=keys).order_by("pk")
    held = rows.select_for_update(of=("self",), no_key=True)
    return list(held.for_list())


def carry_out(
    findings: Sequence[Finding], wish: Wish, *, at: datetime, triage: Triage | None = None
) -> None:
    """Do what is wished to findings that are held and that nothing speaks against."""
    if not findings:
        return
    lines = [(finding, _line(finding, wish)) for finding in findings]
    _CHANGES[wish.action](findings, wish, at)
    Activity.objects.bulk_create(
        Activity(finding=finding, at=at, by=wish.by, kind=line[0], text=line[1], triage=triage)
        for finding, line in lines
        if line
    )


def _line(finding: Finding, wish: Wish) -> Line | None:
    """Return the line of the timeline. To watch is a matter of one's own."""
    if wish.action == TriageAction.START:
        return ActivityKind.STARTED, "" if finding.assignee_id else f"Assigned to {wish.by}."
    if wish.action == TriageAction.ASSIGN:
        whom = f"Assigned to {wish.person}." if wish.person else f"Taken from {finding.assignee}."
        return ActivityKind.ASSIGNED, whom
    if wish.action == TriageAction.WAIVE:
        until = f"{wish.person} answers for it until {wish.until:%Y-%m-%d}."
        return ActivityKind.WAIVED, f"{until} {wish.text}"
    if wish.action == TriageAction.REOPEN:
        return ActivityKind.REOPENED, wish.text
    return (ActivityKind.COMMENT, wish.text) if wish.action == TriageAction.COMMENT else None


def _start(findings: Sequence[Finding], wish: Wish, at: datetime) -> None:
    assignee = Coalesce("assignee", Value(wish.by.pk))
    _rows(findings).update(state=FindingState.IN_PROGRESS, assignee=assignee)


def _assign(findings: Sequence[Finding], wish: Wish, at: datetime) -> None:
    _rows(findings).update(assignee=wish.person)


def _waive(findings: Sequence[Finding], wish: Wish, at: datetime) -> None:
    _rows(findings).update(state=FindingState.WAIVED)
    Waiver.objects.bulk_create(
        Waiver(
            finding=finding,
            owner=wish.person,
            by=wish.by,
            at=at,
            until=wish.until,  # type: ignore[misc] # check() has seen to it
            reason=wish.text,
            facts=facts_of(finding),
            severity=finding.severity,
        )
        for finding in findings
    )


def _reopen(findings: Sequence[Finding], wish: Wish, at: datetime) -> None:
    _rows(findings).update(state=FindingState.OPEN)
    in_force = Waiver.objects.filter(ended_at=None, finding__in=findings)
    in_force.update(ended_at=at, ended_because=f"Reopened by {wish.by}.")


def _comment(findings: Sequence[Finding], wish: Wish, at: datetime) -> None:
    """Change nothing: the line of the timeline is all there is to it."""


def _watch(findings: Sequence[Finding], wish: Wish, at: datetime) -> None:
    watching = Finding.watchers.through
    watching.objects.bulk_create(
        [watching(finding=finding, user=wish.by) for finding in findings], ignore_conflicts=True
    )


def _rows(findings: Sequence[Finding]) -> FindingQuerySet:
    return Finding.objects.filter(pk__in=[finding.pk for finding in findings])


# To verify is not among them: it is for the job to queue.
_CHANGES: dict[TriageAction, Callable[[Sequence[Finding], Wish, datetime], None]] = {
    TriageAction.START: _start,
    TriageAction.ASSIGN: _assign,
    TriageAction.WAIVE: _waive,
    TriageAction.REOPEN: _reopen,
    TriageAction.COMMENT: _comment,
    TriageAction.WATCH: _watch,
}
