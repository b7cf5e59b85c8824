"""What stands beside an image and is not discarded with it: its copies, and shared snapshots."""

from collections import defaultdict
from collections.abc import Iterable
from typing import Any

from django.db import connection

from registry.models import Image

_COPIES = """
    WITH RECURSIVE chain (origin, aws_id) AS (
        SELECT source_image_id, aws_id FROM registry_image WHERE source_image_id = ANY (%s)
        UNION
        SELECT chain.origin, image.aws_id
        FROM registry_image AS image JOIN chain ON image.source_image_id = chain.aws_id
    )
    SELECT origin, aws_id FROM chain WHERE origin <> aws_id
"""
# A disabled image needs its snapshots as any other does.
_USERS = """
    SELECT image.id, used.snapshot_id
    FROM registry_image AS image, LATERAL (
        SELECT image.root_snapshot_id AS snapshot_id
        UNION
        SELECT device -> 'Ebs' ->> 'SnapshotId'
        FROM jsonb_array_elements(
            CASE jsonb_typeof(image.block_devices)
                WHEN 'array' THEN image.block_devices ELSE '[]' END
        ) AS device
    ) AS used
    WHERE image.gone_at IS NULL AND used.snapshot_id = ANY (%s)
"""


def present_copies(images: Iterable[Image]) -> dict[str, list[Image]]:
    """Return, by id, the copies of each image that AWS showed last, and the copies of copies.

    A copy in between may be gone. A copy is an image of its own: nothing happens to it.
    """
    origins: dict[str, set[str]] = defaultdict(set)
    for origin, copy in _asked(_COPIES, [image.aws_id for image in images]):
        origins[copy].add(origin)
    copies: dict[str, list[Image]] = defaultdict(list)
    rows = Image.objects.present().select_related("account").filter(aws_id__in=list(origins))
    for row in rows.order_by("pk"):
        for origin in origins[row.aws_id]:
            copies[origin].append(row)
    return dict(copies)


def snapshots_of(image: Image) -> list[str]:
    """Return the ids of the snapshots that an image stands on, the root's first."""
    devices = [device.get("Ebs") or {} for device in image.block_devices]
    ids = [image.root_snapshot_id, *(str(ebs.get("SnapshotId", "")) for ebs in devices)]
    return list(dict.fromkeys(filter(None, ids)))


def users_of_snapshots(snapshot_ids: Iterable[str]) -> dict[str, set[int]]:
    """Return the primary keys of the present images that stand on each snapshot."""
    found: dict[str, set[int]] = defaultdict(set)
    for image_id, snapshot_id in _asked(_USERS, list(snapshot_ids)):
        found[snapshot_id].add(image_id)
    return dict(found)


def _asked(question: str, ids: list[str]) -> list[tuple[Any, str]]:
    with connection.cursor() as cursor:
        cursor.execute(question, [ids])
        return list(cursor.fetchall())
