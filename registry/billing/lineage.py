"""Where an image came from: image ← snapshot ← volume ← instance ← image, as far as is known.

AWS records the source of an image for CreateImage and CopyImage, not for RegisterImage. The rest
is read from snapshots: their volume, and the descriptions that AWS writes. Descriptions are free
text; what they say is evidence, not proof.
"""

import re
from collections.abc import Generator, Iterator
from dataclasses import dataclass
from datetime import datetime

from registry.billing import descriptions
from registry.billing.clues import Link
from registry.billing.graph import (
    Asked,
    ImageNode,
    InstanceNode,
    Inventory,
    SnapshotNode,
    VolumeNode,
)
from registry.billing.hops import Hop, with_breaks

LONGEST = 64  # images; AWS itself follows 50


@dataclass(frozen=True, slots=True)
class Lineage:
    """The links that carry codes, nearest first, and every hop, oldest first.

    `looked_for`: every id whose appearing, changing or going could change any of it.
    """

    links: tuple[Link, ...]
    hops: tuple[Hop, ...]
    looked_for: frozenset[str] = frozenset()


def trace(image_id: str, inventory: Inventory) -> Lineage:
    """Walk from an image to its origin; ends at what is not known, at a cycle, or far away."""
    asked = Asked(inventory)
    image = asked.image(image_id)
    if image is None:
        raise KeyError(image_id)
    steps = list(_Walk(asked, image).steps())
    links = tuple(link for link, _ in steps if link is not None)
    hops = [(hop, link is not None and link.has_changed) for link, hop in reversed(steps)]
    return Lineage(links, tuple(with_breaks(hops)), asked.ids)


_Step = tuple[Link | None, Hop]
_Found = Generator[_Step, None, "ImageNode | None"]
_FoundOrSnapshot = Generator[_Step, None, "ImageNode | str | None"]  # or where to look next


class _Walk:
    def __init__(self, asked: Asked, image: ImageNode) -> None:
        self._all = asked
        self._first = image
        self._seen: set[str] = set()
        self._made_at: datetime | None = None  # the earliest time on the way so far

    def steps(self) -> Iterator[_Step]:
        yield None, _hop_of_image(self._first, "this AMI")
        image: ImageNode | None = self._first
        for _ in range(LONGEST):
            if image is None or image.aws_id in self._seen:
                return
            self._seen.add(image.aws_id)
            self._go_back_to(image.created_at)
            image = yield from self._before(image)

    def _go_back_to(self, at: datetime | None) -> None:
        if at and (self._made_at is None or at < self._made_at):
            self._made_at = at

    def _before(self, image: ImageNode) -> _Found:
        instance = self._all.instance(image.source_instance_id)
        if instance:
            return (yield from self._instance(instance, "It was created from", True))
        if self._all.image(image.source_image_id):
            is_copy = not image.source_instance_id
            how = "It is a copy of" if is_copy else "Its source instance was launched from"
            return (yield from self._image(image.source_image_id, how, True, is_copy))
        if image.source_image_id:
            yield from self._missing("image", image.source_image_id)
        elif image.source_instance_id:
            yield from self._missing("instance", image.source_instance_id)
        return (yield from self._snapshot(image.root_snapshot_id, image))

    def _snapshot(self, snapshot_id: str, image: ImageNode) -> _Found:
        while snapshot_id and snapshot_id not in self._seen:
            node = self._all.snapshot(snapshot_id)
            if node is None:
                yield from self._missing("snapshot", snapshot_id)
                return None
            self._seen.add(snapshot_id)
            self._go_back_to(node.started_at)
            yield None, _hop_of_snapshot(node)
            found = yield from self._behind(node, image)
            if not isinstance(found, str):
                return found
            snapshot_id = found
        return None

    def _behind(self, node: SnapshotNode, image: ImageNode) -> _FoundOrSnapshot:
        if match := descriptions.CREATED.match(node.description):
            return (yield from self._created(match, node))
        if match := descriptions.COPIED_IMAGE.match(node.description):
            return (yield from self._copied(match, image))
        if match := descriptions.COPIED_SNAPSHOT.match(node.description):
            return match[1]
        if descriptions.IMPORTED.match(node.description):
            return None
        return (yield from self._volume(node.volume_id))

    def _created(self, match: re.Match[str], node: SnapshotNode) -> _FoundOrSnapshot:
        other = yield from self._made_for(match[2])
        instance = self._all.instance(match[1])
        if instance:
            return (yield from self._instance(instance, "Its snapshot was taken from", False))
        yield from self._missing("instance", match[1])
        return other or (yield from self._volume(node.volume_id))

    def _copied(self, match: re.Match[str], image: ImageNode) -> _FoundOrSnapshot:
        is_copy = match[1] == image.aws_id
        yield from self._made_for(match[1])
        if self._all.image(match[2]):
            how = "Its snapshot was copied with"
            return (yield from self._image(match[2], how, False, is_copy))
        yield from self._missing("image", match[2])
        return match[3]

    def _made_for(self, image_id: str) -> _Found:
        """The image that a snapshot was made for, if it is not the one that is asked of."""
        return (yield from self._image(image_id, "Its snapshot was made for", False, False))

    def _volume(self, volume_id: str) -> _FoundOrSnapshot:
        if not volume_id or volume_id == descriptions.NO_VOLUME or volume_id in self._seen:
            return None
        self._seen.add(volume_id)
        node = self._all.volume(volume_id)
        yield None, _hop_of_volume(volume_id, node)
        # Only a root volume tells: any other may hang on the machine that built the image.
        instance = self._all.instance_booted_from(volume_id) or self._root_owner(node)
        if instance:
            how = "Its snapshot's volume was the root of"
            return (yield from self._instance(instance, how, True))
        if node is None:
            return None
        made = self._all.oldest_image_on(node.snapshot_id)
        if made:
            return (yield from self._image(made.aws_id, "Its volume was made from", True, False))
        return node.snapshot_id

    def _root_owner(self, node: VolumeNode | None) -> InstanceNode | None:
        for instance_id, device in node.attachments if node else ():
            instance = self._all.instance(instance_id)
            if device and instance is not None and instance.root_device_name == device:
                return instance
        return None

    def _instance(self, node: InstanceNode, how: str, is_recorded: bool) -> _Found:
        if node.aws_id in self._seen:
            return None
        self._seen.add(node.aws_id)
        changed, made = node.usage_operation_updated_at, self._made_at
        yield (
            Link(
                "instance",
                node.aws_id,
                node.usage_operation,
                name=node.name,
                how=how,
                is_recorded=is_recorded,
                has_changed=bool(changed and made and changed > made),
                may_have_changed=changed is None,
            ),
            _hop_of_instance(node),
        )
        return (yield from self._image(node.image_id, "It descends from", is_recorded, False))

    def _image(self, image_id: str, how: str, is_recorded: bool, is_copy: bool) -> _Found:
        if not image_id or image_id in self._seen:
            return None
        node = self._all.image(image_id)
        if node is None:
            yield from self._missing("image", image_id)
            return None
        link = Link(
            "image",
            image_id,
            node.usage_operation,
            name=node.name,
            owner_id=node.owner_id,
            how=how,
            is_recorded=is_recorded,
            is_copy=is_copy,
        )
        yield link, _hop_of_image(node, "")
        return node

    def _missing(self, kind: str, aws_id: str) -> Iterator[_Step]:
        if aws_id not in self._seen:
            self._seen.add(aws_id)
            yield None, Hop(kind, aws_id, detail="not in the mirror")


def _hop_of_image(node: ImageNode, detail: str) -> Hop:
    return Hop("image", node.aws_id, node.name, detail, node.usage_operation, node.is_gone)


def _hop_of_snapshot(node: SnapshotNode) -> Hop:
    return Hop("snapshot", node.aws_id, node.name, node.description, None, node.is_gone)


def _hop_of_volume(volume_id: str, node: VolumeNode | None) -> Hop:
    detail = "" if node else "not in the mirror"
    return Hop("volume", volume_id, detail=detail, is_gone=bool(node and node.is_gone))


def _hop_of_instance(node: InstanceNode) -> Hop:
    return Hop("instance", node.aws_id, node.name, "", node.usage_operation, node.is_gone)
