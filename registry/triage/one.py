"""What a person does to one finding.

Each raises PermissionDenied where `by` may not, Late where the finding is in a state that does not
allow it, Refused where it makes no sense as it was said. Nothing resolves a finding by hand.
"""

from datetime import datetime

from django.contrib.auth.models import User
from django.db import transaction

from registry.models import Finding, TriageAction
from registry.triage.act import carry_out, locked
from registry.triage.objections import Rights, object_to
from registry.triage.wish import Wish, check


def comment(finding: Finding, text: str, *, by: User, at: datetime) -> None:
    _do(finding, Wish(TriageAction.COMMENT, by, text=text.strip()), at=at)


def watch(finding: Finding, *, by: User) -> None:
    object_to(finding, Wish(TriageAction.WATCH, by), Rights())
    finding.watchers.add(by)


def unwatch(finding: Finding, *, by: User) -> None:
    """Stop watching; that is everybody's own choice."""
    finding.watchers.remove(by)


def assign(finding: Finding, person: User | None, *, by: User, at: datetime) -> None:
    """Give the finding to `person`, or to nobody."""
    _do(finding, Wish(TriageAction.ASSIGN, by, person=person), at=at)


def start(finding: Finding, *, by: User, at: datetime) -> None:
    """Say that work on the finding goes on; where nobody is assigned, `by` is now."""
    _do(finding, Wish(TriageAction.START, by), at=at)


def waive(
    finding: Finding,
    *,
    owner: User | None,
    reason: str,
    until: datetime | None,
    by: User,
    at: datetime,
) -> None:
    """Let the finding be until a moment, as long as it is what it is now; `owner` answers for it.

    Errors of Refused: `person` is the owner, `text` the reason.
    """
    _do(
        finding,
        Wish(TriageAction.WAIVE, by, text=reason.strip(), person=owner, until=until),
        at=at,
    )


def reopen(finding: Finding, *, by: User, at: datetime, reason: str = "") -> None:
    """Open what is waived or in progress again."""
    _do(finding, Wish(TriageAction.REOPEN, by, text=reason.strip()), at=at)


def _do(finding: Finding, wish: Wish, *, at: datetime) -> None:
    check(wish, at=at)
    with transaction.atomic():
        [held] = locked([finding.pk])
        object_to(held, wish, Rights())
        carry_out([held], wish, at=at)
