"""The graph that lineage walks: images, snapshots, volumes and instances, by id."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from hashlib import blake2b

from registry.billing import descriptions

LONGEST_ID = 64  # what AWS names is no longer; what a description names may be anything


@dataclass(frozen=True, slots=True)
class ImageNode:
    """An image. `ancestry`: the ids that GetImageAncestry names, nearest first."""

    aws_id: str
    name: str = ""
    owner_id: str = ""
    usage_operation: str | None = None
    root_snapshot_id: str = ""
    source_instance_id: str = ""
    source_image_id: str = ""
    created_at: datetime | None = None
    is_gone: bool = False
    ancestry: tuple[str, ...] = ()
    product_codes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class SnapshotNode:
    aws_id: str
    name: str = ""
    description: str = ""
    volume_id: str = ""
    is_gone: bool = False
    started_at: datetime | None = None
    data_encryption_key_id: str = ""


@dataclass(frozen=True, slots=True)
class VolumeNode:
    aws_id: str
    snapshot_id: str = ""
    attachments: tuple[tuple[str, str], ...] = ()  # instance id, device
    is_gone: bool = False
    source_volume_id: str = ""


@dataclass(frozen=True, slots=True)
class InstanceNode:
    """An instance. `image_name`, `image_owner_id`: what AWS tells of its image, even a gone one."""

    aws_id: str
    name: str = ""
    image_id: str = ""
    usage_operation: str | None = None
    usage_operation_updated_at: datetime | None = None
    root_device_name: str = ""
    root_volume_id: str = ""
    is_gone: bool = False
    image_name: str = ""
    image_owner_id: str = ""


@dataclass(frozen=True, slots=True)
class Inventory:
    """Everything the mirror knows, present and gone, by id."""

    images: Mapping[str, ImageNode] = field(default_factory=dict)
    snapshots: Mapping[str, SnapshotNode] = field(default_factory=dict)
    volumes: Mapping[str, VolumeNode] = field(default_factory=dict)
    instances: Mapping[str, InstanceNode] = field(default_factory=dict)
    root_of: Mapping[str, str] = field(default_factory=dict)  # root volume to instance
    made_from: Mapping[str, str] = field(default_factory=dict)  # root snapshot to oldest image
    encrypted_with: Mapping[str, str] = field(default_factory=dict)  # key to oldest snapshot


def root_volumes(instances: Mapping[str, InstanceNode]) -> dict[str, str]:
    """Index instances by the volume they boot from."""
    return {
        node.root_volume_id: aws_id for aws_id, node in instances.items() if node.root_volume_id
    }


def images_of_snapshots(images: Mapping[str, ImageNode]) -> dict[str, str]:
    """Index images by their root snapshot; the oldest where several share one."""
    found: dict[str, str] = {}
    for aws_id, node in images.items():
        if not node.root_snapshot_id:
            continue
        other = images.get(found.get(node.root_snapshot_id, ""))
        if other is None or _age(node, node.created_at) < _age(other, other.created_at):
            found[node.root_snapshot_id] = aws_id
    return found


def snapshots_of_keys(snapshots: Mapping[str, SnapshotNode]) -> dict[str, str]:
    """Index snapshots by the key that their data are encrypted with.

    That is the oldest of which more is known than the key: those with one key are of one lineage.
    """
    found: dict[str, str] = {}
    for aws_id, node in snapshots.items():
        key = node.data_encryption_key_id
        if not key or not _leads_on(node):
            continue
        other = snapshots.get(found.get(key, ""))
        if other is None or _age(node, node.started_at) < _age(other, other.started_at):
            found[key] = aws_id
    return found


def _leads_on(node: SnapshotNode) -> bool:
    written = (descriptions.CREATED, descriptions.COPIED_IMAGE, descriptions.COPIED_SNAPSHOT)
    has_volume = node.volume_id not in {"", descriptions.NO_VOLUME}
    return has_volume or any(pattern.match(node.description) for pattern in written)


def _age(node: ImageNode | SnapshotNode, at: datetime | None) -> tuple[bool, float, str]:
    return at is None, at.timestamp() if at else 0.0, node.aws_id


Node = ImageNode | SnapshotNode | VolumeNode | InstanceNode


def key_of(data_encryption_key_id: str) -> str:
    """Return what stands for a key among ids: it is short, however long AWS makes its own."""
    return f"key-{blake2b(data_encryption_key_id.encode(), digest_size=16).hexdigest()}"


class Asked:
    """An inventory that keeps every id it is asked for.

    Whatever else appears, changes or goes, a walk that asked for nothing else comes out the same.
    """

    def __init__(self, inventory: Inventory) -> None:
        self._all = inventory
        self._ids: set[str] = set()

    @property
    def ids(self) -> frozenset[str]:
        return frozenset(aws_id for aws_id in self._ids if 0 < len(aws_id) <= LONGEST_ID)

    def image(self, aws_id: str) -> ImageNode | None:
        self._ids.add(aws_id)
        return self._all.images.get(aws_id)

    def snapshot(self, aws_id: str) -> SnapshotNode | None:
        self._ids.add(aws_id)
        return self._all.snapshots.get(aws_id)

    def volume(self, aws_id: str) -> VolumeNode | None:
        self._ids.add(aws_id)
        return self._all.volumes.get(aws_id)

    def instance(self, aws_id: str) -> InstanceNode | None:
        self._ids.add(aws_id)
        return self._all.instances.get(aws_id)

    def instance_booted_from(self, volume_id: str) -> InstanceNode | None:
        self._ids.add(volume_id)
        return self.instance(self._all.root_of.get(volume_id, ""))

    def oldest_image_on(self, snapshot_id: str) -> ImageNode | None:
        self._ids.add(snapshot_id)
        return self.image(self._all.made_from.get(snapshot_id, ""))

    def oldest_snapshot_with(self, data_encryption_key_id: str) -> SnapshotNode | None:
        if not data_encryption_key_id:
            return None
        self._ids.add(key_of(data_encryption_key_id))
        return self.snapshot(self._all.encrypted_with.get(data_encryption_key_id, ""))
