"""The mirror as the graph that lineage walks: all that is and all that was."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from django.db.models import F

from registry.billing.lineage import (
    ImageNode,
    InstanceNode,
    Inventory,
    SnapshotNode,
    VolumeNode,
    images_of_snapshots,
    root_volumes,
)
from registry.models import Image, Instance, Mirror, MirrorQuerySet, Snapshot, Volume

PAGE = 5_000


def load_inventory() -> Inventory:
    """Read the graph: four streams, only the columns that lineage needs."""
    images = {node.aws_id: node for node in _images()}
    instances = {node.aws_id: node for node in _instances()}
    return Inventory(
        images=images,
        snapshots={node.aws_id: node for node in _snapshots()},
        volumes={node.aws_id: node for node in _volumes()},
        instances=instances,
        root_of=root_volumes(instances),
        made_from=images_of_snapshots(images),
    )


def _rows(model: type[Mirror], *columns: str) -> Iterator[tuple[Any, ...]]:
    # The present last: of two rows with one id, the one that AWS still shows counts.
    order = F("gone_at").desc(nulls_last=True)
    rows: MirrorQuerySet[Mirror] = MirrorQuerySet(model)
    yield from (
        rows.order_by(order, "pk")
        .values_list("aws_id", "gone_at", *columns)
        .iterator(chunk_size=PAGE)
    )


def _images() -> Iterator[ImageNode]:
    columns = ("name", "owner_id", "usage_operation", "root_snapshot_id")
    sources = ("source_instance_id", "source_image_id", "created_at")
    for aws_id, gone_at, *values in _rows(Image, *columns, *sources):
        yield replace(ImageNode(aws_id, *values), is_gone=gone_at is not None)


def _snapshots() -> Iterator[SnapshotNode]:
    for aws_id, gone_at, *values in _rows(Snapshot, "name", "description", "volume_id"):
        yield replace(SnapshotNode(aws_id, *values), is_gone=gone_at is not None)


def _volumes() -> Iterator[VolumeNode]:
    for aws_id, gone_at, snapshot_id, attachments in _rows(Volume, "snapshot_id", "attachments"):
        places = tuple((item["instance_id"], item["device"]) for item in attachments)
        yield VolumeNode(aws_id, snapshot_id, places, is_gone=gone_at is not None)


def _instances() -> Iterator[InstanceNode]:
    codes = ("usage_operation", "usage_operation_updated_at")
    for row in _rows(Instance, "name", "image_id", *codes, "root_device_name", "volumes"):
        aws_id, gone_at, name, image_id, code, updated_at, root, volumes = row
        yield InstanceNode(
            aws_id,
            name=name,
            image_id=image_id,
            usage_operation=code,
            usage_operation_updated_at=updated_at,
            root_device_name=root,
            root_volume_id=volumes.get(root, ""),
            is_gone=gone_at is not None,
        )
