"""Make rows agree with a complete answer of AWS. Written once; a kind is a model."""

import hashlib
import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, fields
from datetime import datetime
from typing import Any, ClassVar, Protocol

from django.core.serializers.json import DjangoJSONEncoder
from django.db import transaction

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
    """Make the rows of `scope` agree with `records`, which must be all there is.

    Only rows that differ are written. A row without its record is marked gone and keeps what AWS
    last said of it. Our own judgments are never touched.
    """
    things = {record.aws_id: record for record in records}
    table: MirrorQuerySet[Mirror] = MirrorQuerySet(model)
    here = table.within(scope)
    with transaction.atomic():
        _alone(scope)
        known = {
            aws_id: digest if gone_at is None else ""
            for aws_id, digest, gone_at in here.values_list("aws_id", "digest", "gone_at")
        }
        digests = {aws_id: digest_of(record) for aws_id, record in things.items()}
        differing = [aws_id for aws_id, digest in digests.items() if known.get(aws_id) != digest]
        _write(model, scope, [things[aws_id] for aws_id in differing], digests, at=at)
        present = here.present()
        gone = present.exclude(aws_id__in=list(things)).update(gone_at=at)
        here.present().update(last_seen_at=at)
    new = sum(aws_id not in known for aws_id in differing)
    return Changes(seen=len(things), new=new, changed=len(differing) - new, gone=gone)


def mirror_some(
    model: type[Mirror], scope: Scope, records: Sequence[Record], *, at: datetime
) -> None:
    """Write these records; of what else there may be, nothing is said."""
    digests = {record.aws_id: digest_of(record) for record in records}
    with transaction.atomic():
        _alone(scope)
        _write(model, scope, records, digests, at=at)


def digest_of(record: Record) -> str:
    """Return a short text that changes when a mirrored field does."""
    whole = json.dumps(asdict(record), cls=DjangoJSONEncoder, sort_keys=True)
    return hashlib.blake2b(whole.encode(), digest_size=16).hexdigest()


def _alone(scope: Scope) -> None:
    """Let no other transaction mirror the scope until this one ends."""
    Scope.objects.select_for_update().get(pk=scope.pk)


def _write(
    model: type[Mirror],
    scope: Scope,
    records: Sequence[Record],
    digests: dict[str, str],
    *,
    at: datetime,
) -> None:
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
            last_seen_at=at,
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
