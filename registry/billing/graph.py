"""The graph that lineage walks: images, snapshots, volumes and instances, by id."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime

LONGEST_ID = 64  # what AWS names is no longer; what a description names may be anything


@dataclass(frozen=True, slots=True)
class ImageNode:
    aws_id: str
    name: str = ""
    owner_id: str = ""
    usage_operation: str | None = None
    root_snapshot_id: str = ""
    source_instance_id: str = ""
    source_image_id: str = ""
    created_at: datetime | None = None
    is_gone: bool = False


@dataclass(frozen=True, slots=True)
class SnapshotNode:
    aws_id: str
    name: str = ""
    description: str = ""
    volume_id: str = ""
    is_gone: bool = False
    started_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class VolumeNode:
    aws_id: str
    snapshot_id: str = ""
    attachments: tuple[tuple[str, str], ...] = ()  # instance id, device
    is_gone: bool = False


@dataclass(frozen=True, slots=True)
class InstanceNode:
    aws_id: str
    name: str = ""
    image_id: str = ""
    usage_operation: str | None = None
    usage_operation_updated_at: datetime | None = None
    root_device_name: str = ""
    root_volume_id: str = ""
    is_gone: bool = False


@dataclass(frozen=True, slots=True)
class Inventory:
    """Everything the mirror knows, present and gone, by id."""

    images: Mapping[str, ImageNode] = field(default_factory=dict)
    snapshots: Mapping[str, SnapshotNode] = field(default_factory=dict)
    volumes: Mapping[str, VolumeNode] = field(default_factory=dict)
    instances: Mapping[str, InstanceNode] = field(default_factory=dict)
    root_of: Mapping[str, str] = field(default_factory=dict)  # root volume to instance
    made_from: Mapping[str, str] = field(default_factory=dict)  # root snapshot to oldest image


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
        if other is None or _age(node) < _age(other):
            found[node.root_snapshot_id] = aws_id
    return found


def _age(node: ImageNode) -> tuple[bool, float, str]:
    made = node.created_at
    return made is None, made.timestamp() if made else 0.0, node.aws_id


Node = ImageNode | SnapshotNode | VolumeNode | InstanceNode


def keys_of(node: Node) -> Iterator[str]:
    """Yield the ids under which a walk asks for a thing: its own, and those it is indexed by."""
    yield node.aws_id
    if isinstance(node, ImageNode) and node.root_snapshot_id:
        yield node.root_snapshot_id
    elif isinstance(node, InstanceNode) and node.root_volume_id:
        yield node.root_volume_id


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
