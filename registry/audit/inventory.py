"""The mirror as the graph that lineage walks: all that is and all that was."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from django.db.models import F

from registry.billing.codes import recorded_code
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
    order = F("gone_at").asc(nulls_last=True)
    rows: MirrorQuerySet[Mirror] = MirrorQuerySet(model)
    yield from (
        rows.order_by(order, "pk")
        .values_list("aws_id", "gone_at", *columns)
        .iterator(chunk_size=PAGE)
    )


def _images() -> Iterator[ImageNode]:
    columns = ("name", "owner_id", "usage_operation", "root_snapshot_id")
    sources = ("source_instance_id", "source_image_id", "created_at")
    for aws_id, gone_at, details, *values in _rows(Image, "platform_details", *columns, *sources):
        node = ImageNode(aws_id, *values)
        code = recorded_code(node.usage_operation, details)
        yield replace(node, is_gone=gone_at is not None, usage_operation=code)


def _snapshots() -> Iterator[SnapshotNode]:
    columns = ("name", "description", "volume_id", "started_at")
    for aws_id, gone_at, *values, started_at in _rows(Snapshot, *columns):
        node = SnapshotNode(aws_id, *values)
        yield replace(node, is_gone=gone_at is not None, started_at=started_at)


def _volumes() -> Iterator[VolumeNode]:
    for aws_id, gone_at, snapshot_id, attachments in _rows(Volume, "snapshot_id", "attachments"):
        places = tuple((item["instance_id"], item["device"]) for item in attachments)
        yield VolumeNode(aws_id, snapshot_id, places, is_gone=gone_at is not None)


def _instances() -> Iterator[InstanceNode]:
    codes = ("platform_details", "usage_operation", "usage_operation_updated_at")
    for row in _rows(Instance, "name", "image_id", *codes, "root_device_name", "volumes"):
        aws_id, gone_at, name, image_id, details, code, updated_at, root, volumes = row
        yield InstanceNode(
            aws_id,
            name=name,
            image_id=image_id,
            usage_operation=recorded_code(code, details),
            usage_operation_updated_at=updated_at,
            root_device_name=root,
            root_volume_id=volumes.get(root, ""),
            is_gone=gone_at is not None,
        )
