"""The history of an image or an instance, as its page shows it."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import Q

from registry.access import visible
from registry.audit.history import links
from registry.http import SignedInRequest
from registry.models import Change, ChangeField, Image, Instance, Mirror, Run, RunKind, Snapshot

SHOWN = 20
MOST = 500
# What a lineage names and what may be out of reach; a volume has nothing to hide.
_NAMED: tuple[type[Mirror], ...] = (Image, Snapshot, Instance)
_KINDS = {
    ChangeField.CODE: "code",
    ChangeField.DETAILS: "text",
    ChangeField.STATE: "text",
    ChangeField.PRESENCE: "presence",
    ChangeField.LINEAGE: "chain",
    ChangeField.EXPECTED: "expected",
    ChangeField.VERDICT: "verdict",
    ChangeField.DECLARED: "expected",
}
_Link = tuple[str, str | None]  # the id and, where known, the code
_Chains = Mapping[str | None, Sequence[_Link]]


@dataclass(frozen=True, slots=True)
class Line:
    """A change, or a run that was about the thing. `kind` says how the two values are shown."""

    at: datetime
    kind: str
    title: str
    before: str | Sequence[_Link] | None = None
    after: str | Sequence[_Link] | None = None
    run: Run | None = None


def history(request: SignedInRequest, thing: Image | Instance) -> dict[str, Any]:
    """Return the latest of what has changed; or all, within reason, where the address asks for it.

    That a thing was seen for the first time is said of each and is no change.
    """
    limit = MOST if request.GET.get("history") == "all" else SHOWN
    first = Q(field=ChangeField.PRESENCE, before=None)
    changes = list(Change.objects.of(thing).exclude(first)[: limit + 1])
    lines = [*_changes(request, thing, changes), *_runs(thing, limit + 1)]
    lines.sort(key=lambda line: line.at, reverse=True)
    return {
        "lines": lines[:limit],
        "is_all": len(lines) <= limit,
        "can_show_more": limit < MOST,
        "first_seen_at": thing.first_seen_at,
    }


def readable(request: SignedInRequest, ids: Iterable[str]) -> set[str]:
    """Return those of the ids that name something in an account the person may read."""
    wanted = set(ids)
    found: set[str] = set()
    if wanted:
        for model in _NAMED:
            rows = visible(model._default_manager.filter(aws_id__in=wanted), request.user)
            found.update(rows.values_list("aws_id", flat=True))
    return found


def _changes(
    request: SignedInRequest, thing: Image | Instance, changes: Sequence[Change]
) -> list[Line]:
    chains = _chains(request, thing, changes)
    return [_line(change, chains) for change in changes]


def _line(change: Change, chains: _Chains) -> Line:
    kind, title = _KINDS[ChangeField(change.field)], change.get_field_display()
    if change.field == ChangeField.LINEAGE:
        before, after = chains.get(change.before, []), chains.get(change.after, [])
        return Line(change.at, kind, title, before, after)
    return Line(change.at, kind, title, change.before, change.after)


def _chains(
    request: SignedInRequest, thing: Image | Instance, changes: Sequence[Change]
) -> _Chains:
    """Return each lineage that the changes tell; of what is out of reach, only the id."""
    moves = [change for change in changes if change.field == ChangeField.LINEAGE]
    texts = {text for change in moves for text in (change.before, change.after) if text}
    chains = {text: links(text) for text in texts}
    named = {aws_id for chain in chains.values() for aws_id, _ in chain}
    shown = readable(request, named) | {thing.aws_id}
    return {
        text: [(aws_id, code if aws_id in shown else None) for aws_id, code in chain]
        for text, chain in chains.items()
    }


def _runs(thing: Image | Instance, number: int) -> list[Line]:
    """Return the registration, the removals and the verifications of an image."""
    if not isinstance(thing, Image):
        return []
    made = Q(
        registration__image_id=thing.aws_id,
        registration__account=thing.account_id,
        registration__region=thing.region,
    )
    # Who may read the image may read these: all are of its account.
    rows = Run.objects.filter(made | Q(removal__items__image=thing) | Q(images=thing))
    rows = rows.order_by("-requested_at", "-pk").distinct()
    return [
        Line(run.requested_at, "run", _title(run), run=run)
        for run in rows.select_related("requested_by", "removal")[:number]
    ]


def _title(run: Run) -> str:
    return str(run.removal) if run.kind == RunKind.REMOVE else run.get_kind_display()
