"""Inventories for lineage, and chains of images grown step by step."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import count
from typing import Any

from registry.billing.graph import (
    ImageNode,
    InstanceNode,
    Inventory,
    Node,
    SnapshotNode,
    VolumeNode,
    images_of_snapshots,
    root_volumes,
    snapshots_of_keys,
)

LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)


def inventory(*nodes: Node) -> Inventory:
    images = {node.aws_id: node for node in nodes if isinstance(node, ImageNode)}
    instances = {node.aws_id: node for node in nodes if isinstance(node, InstanceNode)}
    snapshots = {node.aws_id: node for node in nodes if isinstance(node, SnapshotNode)}
    return Inventory(
        images=images,
        snapshots=snapshots,
        volumes={node.aws_id: node for node in nodes if isinstance(node, VolumeNode)},
        instances=instances,
        root_of=root_volumes(instances),
        made_from=images_of_snapshots(images),
        encrypted_with=snapshots_of_keys(snapshots),
    )


@dataclass
class Chain:
    """Images that descend from each other, each from the one before or the one it stands on."""

    nodes: list[Node] = field(default_factory=list)
    images: list[str] = field(default_factory=list)
    parent: str = ""
    _numbers: "count[int]" = field(default_factory=lambda: count(1))

    def begin(self, code: str | None) -> None:
        self._image(code, root_snapshot_id="snap-00")
        self.nodes.append(SnapshotNode("snap-00"))

    def create(self, code: str | None) -> None:
        """CreateImage from an instance that is known."""
        instance = self._launch()
        self._image(code, source_instance_id=instance, source_image_id=self.parent)

    def create_unseen(self, code: str | None) -> None:
        """CreateImage from an instance that nobody ever saw."""
        self._image(code, source_instance_id="i-dead", source_image_id=self.parent)

    def copy(self, code: str | None) -> None:
        self._image(code, source_image_id=self.parent)

    def copy_unrecorded(self, code: str | None) -> None:
        """CopyImage that only the description of the snapshot tells."""
        number = next(self._numbers)
        self.nodes.append(
            SnapshotNode(
                f"snap-{number:04x}",
                description=f"Copied for DestinationAmi ami-f{number:04x} from SourceAmi "
                f"{self.parent} for SourceSnapshot snap-dead. Task created on 1,650.",
                volume_id="vol-ffffffff",
            )
        )
        self._image(code, aws_id=f"ami-f{number:04x}", root_snapshot_id=f"snap-{number:04x}")

    def register(self, code: str | None) -> None:
        """RegisterImage from a snapshot of an instance's root volume."""
        self._image(code, root_snapshot_id=self._snapshot_of(self._launch()))

    def register_copied(self, code: str | None) -> None:
        """RegisterImage from a copy of such a snapshot."""
        source, number = self._snapshot_of(self._launch()), next(self._numbers)
        copied = f"snap-{number:04x}"
        words = f"[Copied {source} from eu-west-1] nightly"
        self.nodes.append(SnapshotNode(copied, description=words, volume_id="vol-ffffffff"))
        self._image(code, root_snapshot_id=copied)

    def register_described(self, code: str | None) -> None:
        """RegisterImage from the snapshot of an image that nobody ever saw."""
        source, number = self._launch(), next(self._numbers)
        words = f"Created by CreateImage({source}) for ami-dead{number:04x} from vol-dead"
        self.nodes.append(SnapshotNode(f"snap-{number:04x}", description=words))
        self._image(code, root_snapshot_id=f"snap-{number:04x}")

    def register_encrypted(self, code: str | None) -> None:
        """RegisterImage from a copy of such a snapshot, of which only the key is known."""
        source, number = self._launch(), next(self._numbers)
        volume, key = source.replace("i-", "vol-f"), f"aes-{number}"
        for aws_id, volume_id, day in (("d", volume, 2), ("", "vol-ffffffff", 3)):
            node = SnapshotNode(
                f"snap-{aws_id}{number:04x}",
                volume_id=volume_id,
                started_at=LONG_AGO.replace(day=day),
                data_encryption_key_id=key,
            )
            self.nodes.append(node)
        self._image(code, root_snapshot_id=f"snap-{number:04x}")

    def register_copied_volume(self, code: str | None) -> None:
        """RegisterImage from a snapshot of a copy of an instance's root volume."""
        source, number = self._launch(), next(self._numbers)
        root, volume = source.replace("i-", "vol-f"), f"vol-{number:04x}"
        self.nodes.append(VolumeNode(volume, source_volume_id=root))
        self.nodes.append(SnapshotNode(f"snap-{number:04x}", volume_id=volume))
        self._image(code, root_snapshot_id=f"snap-{number:04x}")

    def restore(self, code: str | None) -> None:
        """RegisterImage from a snapshot of a volume that was made of the image's snapshot."""
        number, parent = next(self._numbers), self.parent
        root = next(
            node.root_snapshot_id
            for node in self.nodes
            if isinstance(node, ImageNode) and node.aws_id == parent
        )
        self.nodes.append(VolumeNode(f"vol-{number:04x}", snapshot_id=root))
        self.nodes.append(SnapshotNode(f"snap-{number:04x}", volume_id=f"vol-{number:04x}"))
        self._image(code, root_snapshot_id=f"snap-{number:04x}")

    def _image(self, code: str | None, *, aws_id: str = "", **fields: Any) -> None:
        number = next(self._numbers)
        aws_id = aws_id or f"ami-{number:04x}"
        fields.setdefault("root_snapshot_id", f"snap-f{number:04x}")
        self.nodes.append(ImageNode(aws_id, usage_operation=code, **fields))
        self.images.append(aws_id)
        self.parent = aws_id

    def _launch(self) -> str:
        number, parent = next(self._numbers), self.parent
        code = next(
            node.usage_operation
            for node in self.nodes
            if isinstance(node, ImageNode) and node.aws_id == parent
        )
        self.nodes.append(
            InstanceNode(
                f"i-{number:04x}",
                image_id=parent,
                usage_operation=code,
                usage_operation_updated_at=LONG_AGO,
                root_device_name="/dev/xvda",
                root_volume_id=f"vol-f{number:04x}",
            )
        )
        return f"i-{number:04x}"

    def _snapshot_of(self, instance: str) -> str:
        number = next(self._numbers)
        volume = instance.replace("i-", "vol-f")
        self.nodes.append(SnapshotNode(f"snap-{number:04x}", volume_id=volume))
        return f"snap-{number:04x}"


Step = Callable[[Chain, str | None], None]


def grown(base: str | None, steps: Iterable[tuple[Step, str | None]]) -> Chain:
    """A chain from an image billed as `base`, one image more for each step and its code."""
    chain = Chain()
    chain.begin(base)
    for step, code in steps:
        step(chain, code)
    return chain


STEPS: tuple[Step, ...] = (
    Chain.create,
    Chain.create_unseen,
    Chain.copy,
    Chain.copy_unrecorded,
    Chain.register,
    Chain.register_copied,
    Chain.register_described,
    Chain.register_encrypted,
    Chain.register_copied_volume,
    Chain.restore,
)


@dataclass
class Tree:
    """Images that descend from one, of which some have lost its code."""

    chain: Chain
    lost: frozenset[str]  # the images, and the instances launched from them
    lost_at: str

    @property
    def kept(self) -> list[str]:
        return [aws_id for aws_id in self.chain.images if aws_id not in self.lost]


def branched(code: str, steps: Iterable[tuple[Step, int]], lost_at: int | None, plain: str) -> Tree:
    """A tree: each image made by a step from the one with a number; one of them loses its code."""
    chain = Chain()
    chain.begin(code)
    lost: set[str] = set()
    for place, (step, number) in enumerate(steps):
        parent = chain.images[number % len(chain.images)]
        chain.parent, before = parent, len(chain.nodes)
        is_lost = parent in lost or place == lost_at
        step(chain, plain if is_lost else code)
        made = chain.nodes[before:]
        if parent in lost:
            lost.update(node.aws_id for node in made if isinstance(node, InstanceNode))
        if is_lost:
            lost.add(chain.images[-1])
    first = next((aws_id for aws_id in chain.images if aws_id in lost), "")
    return Tree(chain, frozenset(lost), first)
