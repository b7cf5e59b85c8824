"""The walk from an image back to its origin: image ← snapshot ← volume ← instance ← image."""

import re
from collections.abc import Generator, Iterator
from datetime import datetime

from registry.billing import descriptions
from registry.billing.clues import Link
from registry.billing.graph import Asked, ImageNode, InstanceNode, SnapshotNode, VolumeNode
from registry.billing.hops import Hop, Passed

LONGEST = 64  # images; AWS itself follows 50
UNSEEN = "not in the mirror"

_Found = Generator[Passed, None, "ImageNode | None"]
_FoundOrSnapshot = Generator[Passed, None, "ImageNode | str | None"]  # or where to look next


class Walk:
    """One walk; it passes no thing twice, and keeps what it asked for in `asked`."""

    def __init__(self, asked: Asked, image: ImageNode) -> None:
        self._all = asked
        self._first = image
        self._seen: set[str] = set()
        self._made_at: datetime | None = None  # the earliest time on the way so far
        self._is_guessed = False

    def steps(self) -> Iterator[Passed]:
        """Yield what is passed, the image first."""
        yield _passed_image(self._first, None, "this AMI")
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
        farther = yield from self._ancestry(image)
        return farther or (yield from self._snapshot(image.root_snapshot_id, image))

    def _ancestry(self, image: ImageNode) -> _Found:
        """Go on past a parent that is not in the mirror, as GetImageAncestry tells the way."""
        for aws_id in image.ancestry:
            if aws_id not in self._seen and self._all.image(aws_id):
                return (yield from self._image(aws_id, "Its recorded ancestor is", True, False))
            yield from self._missing("image", aws_id, "from GetImageAncestry")
        return None

    def _snapshot(self, snapshot_id: str, image: ImageNode) -> _Found:
        last, detail = None, ""
        while snapshot_id and snapshot_id not in self._seen:
            node = self._all.snapshot(snapshot_id)
            found: ImageNode | str | None = ""
            if node is None:
                yield from self._missing("snapshot", snapshot_id)
            else:
                self._seen.add(snapshot_id)
                self._go_back_to(node.started_at)
                yield Passed(_hop_of_snapshot(node, detail))
                found = yield from self._behind(node, image)
            if found is None or isinstance(found, ImageNode):
                return found
            last = node or last
            snapshot_id, detail = found, ""
            if last and not found:
                snapshot_id, detail = self._relative(last), "It has the same encryption key."
        return None

    def _relative(self, node: SnapshotNode) -> str:
        """Return an older snapshot with the same key, of which more is known; "" if there is none.

        What is younger may have been made of this one.
        """
        other = self._all.oldest_snapshot_with(node.data_encryption_key_id)
        if other is None or other.started_at is None or node.started_at is None:
            return ""
        if other.started_at >= node.started_at or other.aws_id in self._seen:
            return ""
        self._is_guessed = True
        return other.aws_id

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
        while volume_id and volume_id != descriptions.NO_VOLUME and volume_id not in self._seen:
            self._seen.add(volume_id)
            node = self._all.volume(volume_id)
            yield Passed(_hop_of_volume(volume_id, node))
            # Only a root volume tells: any other may hang on the machine that built the image.
            instance = self._all.instance_booted_from(volume_id) or self._root_owner(node)
            if instance:
                how = "Its snapshot's volume was the root of"
                return (yield from self._instance(instance, how, True))
            if node is None:
                return ""
            made = self._all.oldest_image_on(node.snapshot_id) if node.snapshot_id else None
            if made:
                how = "Its volume was made from"
                return (yield from self._image(made.aws_id, how, True, False))
            if node.snapshot_id:
                return node.snapshot_id
            volume_id = node.source_volume_id
        return ""

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
        is_recorded = is_recorded and not self._is_guessed
        changed, made = node.usage_operation_updated_at, self._made_at
        link = Link(
            "instance",
            node.aws_id,
            node.usage_operation,
            name=node.name,
            how=how,
            is_recorded=is_recorded,
            has_changed=bool(changed and made and changed > made),
            may_have_changed=changed is None,
        )
        yield Passed(_hop_of_instance(node), link)
        told = ImageNode(node.image_id, name=node.image_name, owner_id=node.image_owner_id)
        return (yield from self._image(node.image_id, "It descends from", is_recorded, False, told))

    def _image(
        self,
        image_id: str,
        how: str,
        is_recorded: bool,
        is_copy: bool,
        told: ImageNode | None = None,
    ) -> _Found:
        if not image_id or image_id in self._seen:
            return None
        node = self._all.image(image_id)
        known = node or told
        if known is None or not (node or known.name):
            yield from self._missing("image", image_id)
            return None
        link = Link(
            "image",
            image_id,
            known.usage_operation,
            name=known.name,
            owner_id=known.owner_id,
            how=how,
            is_recorded=is_recorded and not self._is_guessed,
            is_copy=is_copy,
        )
        if node is None:
            self._seen.add(image_id)
        yield _passed_image(known, link, "" if node else UNSEEN)
        return node

    def _missing(self, kind: str, aws_id: str, detail: str = UNSEEN) -> Iterator[Passed]:
        if aws_id not in self._seen:
            self._seen.add(aws_id)
            yield Passed(Hop(kind, aws_id, detail=detail))


def _passed_image(node: ImageNode, link: Link | None, detail: str) -> Passed:
    hop = Hop("image", node.aws_id, node.name, detail, node.usage_operation, node.is_gone)
    return Passed(hop, link, node.product_codes)


def _hop_of_snapshot(node: SnapshotNode, detail: str) -> Hop:
    said = f"{detail} {node.description}".strip()
    return Hop("snapshot", node.aws_id, node.name, said, None, node.is_gone)


def _hop_of_volume(volume_id: str, node: VolumeNode | None) -> Hop:
    detail = "" if node else UNSEEN
    return Hop("volume", volume_id, detail=detail, is_gone=bool(node and node.is_gone))


def _hop_of_instance(node: InstanceNode) -> Hop:
    return Hop("instance", node.aws_id, node.name, "", node.usage_operation, node.is_gone)
