"""What syncs have written since an audit last looked, and which images have to be judged again."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import TypeVar

from django.db import connection
from django.db.models import CharField, F, Func, Q

from registry.billing.graph import key_of
from registry.models import EVERYTHING, Image, Instance, Snapshot, Touched

BATCH = 2_000
MOST = 20_000
_T = TypeVar("_T")
_DESCENDED = """
    SELECT DISTINCT image.id
    FROM unnest(%s::varchar[]) AS touched (aws_id)
    JOIN registry_image AS image ON image.ancestors @> ARRAY[touched.aws_id]
    WHERE image.gone_at IS NULL
"""


@dataclass(frozen=True, slots=True)
class TouchedThings:
    """The rows that were read, and the ids of the things they name, by kind."""

    keys: Sequence[int]
    ids: Mapping[str, frozenset[str]]

    @property
    def is_everything(self) -> bool:
        """Say whether all is to be judged: that was asked for, or too much was touched."""
        return EVERYTHING in self.ids or len(self.keys) > MOST


def read_touched() -> TouchedThings:
    """Return what has been touched so far. It stays until `forget` is told of it."""
    keys, ids = [], defaultdict(set)
    for key, kind, aws_id in Touched.objects.order_by("pk").values_list("pk", "kind", "aws_id"):
        keys.append(key)
        ids[kind].add(aws_id)
    return TouchedThings(keys, {kind: frozenset(some) for kind, some in ids.items()})


def forget(touched: TouchedThings) -> None:
    """Delete exactly the rows that were read: what was written since is for the next audit."""
    for some in _batches(touched.keys):
        Touched.objects.filter(pk__in=some).delete()


def concerned(touched: TouchedThings) -> set[int]:
    """Return the primary keys of the present images whose judgment may have changed.

    An image stores every id that its lineage depends on (`ancestors`), also of what was not to be
    found; so it is concerned by what was touched, and by the volume, snapshot or key behind that.
    """
    images, instances = touched.ids.get("image", ()), touched.ids.get("instance", ())
    snapshots = touched.ids.get("snapshot", ())
    behind = {*_root_snapshots(images), *_root_volumes(instances), *_encryption_keys(snapshots)}
    named = set().union(*touched.ids.values()) | behind
    found: set[int] = set()
    for some in _batches(named):
        found.update(_descended(some))
        found.update(_keys(Q(aws_id__in=some)))
    # How many instances run on an image is part of its judgment.
    for some in _batches(instances):
        launched = Instance.objects.filter(aws_id__in=some).values("image_id")
        found.update(_keys(Q(aws_id__in=launched)))
    return found


def _descended(ids: list[str]) -> Iterator[int]:
    """Yield the present images that depend on one of these things: one look at the index for each.

    Asked whether `ancestors` overlaps them all, PostgreSQL expects most rows and reads the table.
    """
    with connection.cursor() as cursor:
        cursor.execute(_DESCENDED, [ids])
        yield from (key for (key,) in cursor)


def _keys(like: Q) -> Iterator[int]:
    yield from Image.objects.present().filter(like).values_list("pk", flat=True)


def _root_snapshots(ids: Iterable[str]) -> Iterator[str]:
    for some in _batches(ids):
        rows = Image.objects.filter(aws_id__in=some).exclude(root_snapshot_id="")
        yield from rows.values_list("root_snapshot_id", flat=True)


def _root_volumes(ids: Iterable[str]) -> Iterator[str]:
    root = Func(
        F("volumes"),
        F("root_device_name"),
        function="jsonb_extract_path_text",
        output_field=CharField(),
    )
    for some in _batches(ids):
        rows = Instance.objects.filter(aws_id__in=some).values_list(root, flat=True)
        yield from (volume_id for volume_id in rows if volume_id)


def _encryption_keys(ids: Iterable[str]) -> Iterator[str]:
    for some in _batches(ids):
        rows = Snapshot.objects.filter(aws_id__in=some).exclude(data_encryption_key_id="")
        yield from map(key_of, rows.values_list("data_encryption_key_id", flat=True))


def _batches(things: Iterable[_T]) -> Iterator[list[_T]]:
    rest = iter(things)
    while some := list(islice(rest, BATCH)):
        yield some
