"""Make rows agree with a complete answer of AWS. Written once; a kind is a model."""

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any, ClassVar, Protocol

from django.core.serializers.json import DjangoJSONEncoder
from django.db import transaction
from django.db.models import F, Value
from django.db.models.functions import Greatest

from registry.models import Mirror, MirrorQuerySet, Scope

BATCH = 2_000


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
        rows = list(here.values_list("aws_id", "digest", "gone_at", "last_seen_at"))
        newer = {aws_id for aws_id, _, _, seen_at in rows if seen_at > at}
        known = {aws_id: digest if gone_at is None else "" for aws_id, digest, gone_at, _ in rows}
        older = [aws_id for aws_id in things if aws_id not in newer]
        digests = {aws_id: digest_of(things[aws_id]) for aws_id in older}
        differing = [aws_id for aws_id, digest in digests.items() if known.get(aws_id) != digest]
        _write(model, scope, [things[aws_id] for aws_id in differing], digests, {}, at=at)
        missing = [
            aws_id for aws_id, _, gone_at, _ in rows if gone_at is None and aws_id not in things
        ]
        gone = _mark_gone(here, missing, at=at, synced_at=synced_at)
    new = sum(aws_id not in known for aws_id in differing)
    return Changes(seen=len(things), new=new, changed=len(differing) - new, gone=gone)


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
    here: MirrorQuerySet[Mirror], ids: Sequence[str], *, at: datetime, synced_at: datetime | None
) -> int:
    """Mark the rows with these ids gone, unless they were read later; say how many there were."""
    # Until the last sync they were there, though nothing was written.
    seen_at = Greatest(F("last_seen_at"), Value(synced_at))
    there = here.present().filter(last_seen_at__lte=at)
    return sum(
        there.filter(aws_id__in=ids[start : start + BATCH]).update(gone_at=at, last_seen_at=seen_at)
        for start in range(0, len(ids), BATCH)
    )


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
    rows = [
        model(
            **place,
            **{name: getattr(record, name) for name in ("aws_id", *mirrored)},
            digest=digests[record.aws_id],
            first_seen_at=at,
            last_seen_at=later.get(record.aws_id, at),
        )
        for record in records
    ]
    table: MirrorQuerySet[Mirror] = MirrorQuerySet(model)
    table.bulk_create(
        rows,
        batch_size=BATCH,
        update_conflicts=True,
        unique_fields=["account", "region", "aws_id"],
        update_fields=[*mirrored, "digest", "last_seen_at", "gone_at"],
    )
