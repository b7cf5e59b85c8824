"""The next findings of a triage, each done exactly once."""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime

from django.core.exceptions import PermissionDenied
from django.db import transaction

from registry.audit.rows import update_rows
from registry.models import Finding, Triage, TriageAction, TriageItem, TriageItemState
from registry.triage.act import carry_out, locked
from registry.triage.ledger import wish_of
from registry.triage.objections import Rights, object_to
from registry.triage.wish import Late, Refused, Wish, check

BATCH = 1_000
_LONGEST_NOTE = 200
# Queues that the images of findings are read again; returns a note for each finding.
Verify = Callable[[Sequence[Finding]], dict[int, str]]


def advance(triage: Triage, *, at: datetime, verify: Verify) -> bool:
    """Go through one batch of what is to do, in one transaction; False if nothing is."""
    wish = wish_of(triage)
    with transaction.atomic():
        items = _take(triage)
        if not items:
            return False
        held = locked([item.finding_id for item in items])
        against = _objections(held, wish, at=at)
        able = [finding for finding in held if finding.pk not in against]
        notes: dict[int, str] = {}
        if wish.action == TriageAction.VERIFY:
            notes = verify(able)
        else:
            carry_out(able, wish, at=at, triage=triage)
        _account_for(items, against, notes)
    return True


def _take(triage: Triage) -> list[TriageItem]:
    """Hold the next items; those of one place together, as they are read again together."""
    place = ("finding__image__account", "finding__image__region", "pk")
    order = place if triage.action == TriageAction.VERIFY else ("pk",)
    pending = triage.items.pending().select_for_update(of=("self",), no_key=True)
    return list(pending.order_by(*order)[:BATCH])


def _account_for(
    items: Sequence[TriageItem], against: Mapping[int, str], notes: Mapping[int, str]
) -> None:
    rows = []
    for item in items:
        is_left = item.finding_id in against
        state = TriageItemState.LEFT if is_left else TriageItemState.DONE
        note = (against if is_left else notes).get(item.finding_id, "")
        rows.append({"id": item.pk, "state": state, "note": note[:_LONGEST_NOTE]})
    update_rows(TriageItem, ("state", "note"), rows)


def _objections(findings: Sequence[Finding], wish: Wish, *, at: datetime) -> dict[int, str]:
    """Return what speaks against it, by finding."""
    rights, against = Rights(), {}
    for finding in findings:
        try:
            check(wish, at=at)  # a waiver may have run out while it waited
            object_to(finding, wish, rights)
        except (PermissionDenied, Late, Refused) as objection:
            against[finding.pk] = str(objection)
    return against
