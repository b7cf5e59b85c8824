"""What a write to the mirror changes, and which things the next audit has to look at."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from registry.models import (
    Change,
    ChangeField,
    Image,
    Instance,
    Mirror,
    MirrorQuerySet,
    Scope,
    Snapshot,
    Touched,
    Volume,
)
from registry.models.change import Presence

# The columns whose changes are kept. What an instance comes from is its image.
_OF_BOTH = {
    ChangeField.CODE: "usage_operation",
    ChangeField.DETAILS: "platform_details",
    ChangeField.STATE: "state",
}
FOLLOWED: Mapping[type[Mirror], Mapping[ChangeField, str]] = {
    Image: _OF_BOTH,
    Instance: _OF_BOTH | {ChangeField.LINEAGE: "image_id"},
}
AUDITED = (Image, Snapshot, Volume, Instance)
Past = Mapping[str, Mapping[str, Any]]


def read_past(model: type[Mirror], scope: Scope, ids: Sequence[str]) -> Past:
    """Return, by id, what is known of the things; to be asked before they are written.

    Whoever writes them holds the lock of the scope from here on.
    """
    if model not in FOLLOWED:
        return {}
    table: MirrorQuerySet[Mirror] = MirrorQuerySet(model)
    columns = FOLLOWED[model].values()
    rows = table.within(scope).filter(aws_id__in=ids).values("aws_id", "gone_at", *columns)
    return {row["aws_id"]: row for row in rows}


def note_written(rows: Sequence[Mirror], past: Past) -> None:
    """Keep what has changed since `past` on the rows, all of one kind and just written."""
    model = type(rows[0])
    _touch(model, (row.aws_id for row in rows))
    if model in FOLLOWED:
        changes = (change for row in rows for change in _changes(row, past.get(row.aws_id)))
        Change.objects.bulk_create(changes)


def note_gone(model: type[Mirror], things: Mapping[str, int], *, at: datetime) -> None:
    """Keep that things, id to primary key, were there and are gone."""
    _touch(model, things)
    if model in FOLLOWED:
        change = {"field": ChangeField.PRESENCE, "before": Presence.PRESENT, "at": at}
        Change.objects.bulk_create(
            Change(**change, after=Presence.GONE, **{_key(model): pk}) for pk in things.values()
        )


def _touch(model: type[Mirror], ids: Iterable[str]) -> None:
    if model in AUDITED:
        kind = str(model._meta.model_name)
        Touched.objects.bulk_create(Touched(kind=kind, aws_id=aws_id) for aws_id in ids)


def _key(model: type[Mirror]) -> str:
    return f"{model._meta.model_name}_id"


def _changes(row: Mirror, before: Mapping[str, Any] | None) -> Iterator[Change]:
    thing = {_key(type(row)): row.pk, "at": row.last_seen_at}
    was = None if before is None else Presence.of(before["gone_at"])
    now = Presence.of(row.gone_at)
    if was != now:
        yield Change(**thing, field=ChangeField.PRESENCE, before=was, after=now)
    if before is None:
        return
    for field, column in FOLLOWED[type(row)].items():
        if before[column] != getattr(row, column):
            values = {"before": before[column], "after": getattr(row, column)}
            yield Change(**thing, field=field, **values)
