"""Make rows agree with a complete answer of AWS. Written once; a kind is a model."""

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any, ClassVar, Protocol, TypeVar

from django.core.serializers.json import DjangoJSONEncoder
from django.db import transaction
from django.db.models import F, Value
from django.db.models.functions import Greatest

from registry.models import Image, Mirror, MirrorQuerySet, Scope
from registry.sync.history import note_gone, note_written, read_past

BATCH = 2_000
_T = TypeVar("_T")


class Record(Protocol):
    """A thing as AWS describes it; its fields are the columns that mirror it."""

    __dataclass_fields__: ClassVar[dict[str, Any]]

    @property
    def aws_id(self) -> str: ...


@dataclass(frozen=True, slots=True)
class Changes:
    """How many things there are, and how many of them are new, changed or gone."""

    seen: int
    new: int
    changed: int
    gone: int


def mirror(
    model: type[Mirror], scope: Scope, records: Iterable[Record], *, at: datetime
) -> Changes:
    """Make the rows of `scope` agree with `records`: all there was when AWS was asked, at `at`.

    Only rows that differ are written. A row without its record is marked gone and keeps what AWS
    last said of it. Our own judgments are never touched. What was read later than `at` is newer
    than the records and stays.
    """
    things = {record.aws_id: record for record in records}
    table: MirrorQuerySet[Mirror] = MirrorQuerySet(model)
    here = table.within(scope)
    with transaction.atomic():
        synced_at = _alone(scope)
        if synced_at and at < synced_at:
            return Changes(seen=len(things), new=0, changed=0, gone=0)
        rows = list(here.values_list("aws_id", "digest", "gone_at", "last_seen_at", "pk"))
        newer = {aws_id for aws_id, _, _, seen_at, _ in rows if seen_at > at}
        known = {row[0]: row[1] if row[2] is None else "" for row in rows}
        older = [aws_id for aws_id in things if aws_id not in newer]
        digests = {aws_id: digest_of(things[aws_id]) for aws_id in older}
        differing = [aws_id for aws_id, digest in digests.items() if known.get(aws_id) != digest]
        _write(model, scope, [things[aws_id] for aws_id in differing], digests, {}, at=at)
        missing = {
            aws_id: pk
            for aws_id, _, gone_at, _, pk in rows
            if gone_at is None and aws_id not in things and aws_id not in newer
        }
        _mark_gone(here, missing, at=at, synced_at=synced_at)
    new = sum(aws_id not in known for aws_id in differing)
    return Changes(seen=len(things), new=new, changed=len(differing) - new, gone=len(missing))


def mirror_some(
    model: type[Mirror], scope: Scope, records: Sequence[Record], *, at: datetime
) -> None:
    """Write these records; of what else there may be, nothing is said."""
    things = {record.aws_id: record for record in records}
    digests = {aws_id: digest_of(record) for aws_id, record in things.items()}
    table: MirrorQuerySet[Mirror] = MirrorQuerySet(model)
    with transaction.atomic():
        _alone(scope)
        rows = table.within(scope).filter(aws_id__in=list(things), last_seen_at__gt=at)
        later = dict(rows.values_list("aws_id", "last_seen_at"))
        _write(model, scope, list(things.values()), digests, later, at=at)


def amend(image_id: int, *, at: datetime, **to: Any) -> None:
    """Let the mirror of an image agree at once with what was just done to it.

    What a sync has asked for before is older.
    """
    with transaction.atomic():
        place = Image.objects.values("account_id", "region").get(pk=image_id)
        scope = Scope.objects.get(**place)
        _alone(scope)
        image = Image.objects.get(pk=image_id)
        past = read_past(Image, scope, [image.aws_id])
        # Without its digest, the next sync writes the row whatever it reads.
        now = {"digest": "", "last_seen_at": max(image.first_seen_at, at), **to}
        for name, value in now.items():
            setattr(image, name, value)
        image.save(update_fields=now)
        note_written([image], past)


def digest_of(record: Record) -> str:
    """Return a short text that changes when a mirrored field does."""
    values = {field.name: getattr(record, field.name) for field in fields(record)}
    whole = json.dumps(values, cls=DjangoJSONEncoder, sort_keys=True)
    return hashlib.blake2b(whole.encode(), digest_size=16).hexdigest()


def _alone(scope: Scope) -> datetime | None:
    """Let no other transaction mirror the scope until this one ends; tell when it was synced."""
    # A weaker lock than one for deletion: meanwhile, runs of the scope can be asked for.
    alone = Scope.objects.select_for_update(no_key=True)
    return alone.values_list("synced_at", flat=True).get(pk=scope.pk)


def _mark_gone(
    here: MirrorQuerySet[Mirror],
    things: Mapping[str, int],
    *,
    at: datetime,
    synced_at: datetime | None,
) -> None:
    """Mark things, id to primary key, gone."""
    # Until the last sync they were there, though nothing was written.
    seen_at = Greatest(F("last_seen_at"), Value(synced_at))
    for batch in _batches(list(things)):
        here.filter(aws_id__in=batch).update(gone_at=at, last_seen_at=seen_at)
        note_gone(here.model, {aws_id: things[aws_id] for aws_id in batch}, at=at)


def _write(
    model: type[Mirror],
    scope: Scope,
    records: Sequence[Record],
    digests: Mapping[str, str],
    later: Mapping[str, datetime],
    *,
    at: datetime,
) -> None:
    """Insert or update the rows of `records`, seen at `at`, or `later` where they were already."""
    if not records:
        return
    mirrored = [field.name for field in fields(records[0]) if field.name != "aws_id"]
    place = {"account_id": scope.account_id, "region": scope.region}
    table: MirrorQuerySet[Mirror] = MirrorQuerySet(model)
    for batch in _batches(records):
        rows = [
            model(
                **place,
                **{name: getattr(record, name) for name in ("aws_id", *mirrored)},
                digest=digests[record.aws_id],
                first_seen_at=at,
                last_seen_at=later.get(record.aws_id, at),
            )
            for record in batch
        ]
        past = read_past(model, scope, [row.aws_id for row in rows])
        table.bulk_create(
            rows,
            update_conflicts=True,
            unique_fields=["account", "region", "aws_id"],
            update_fields=[*mirrored, "digest", "last_seen_at", "gone_at"],
        )
        note_written(rows, past)


def _batches(things: Sequence[_T]) -> Iterator[Sequence[_T]]:
    return (things[start : start + BATCH] for start in range(0, len(things), BATCH))
