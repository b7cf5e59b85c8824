"""Where it went wrong, so that all that went wrong for one reason can be set right as one."""

from collections.abc import Sequence
from dataclasses import dataclass

from registry.billing import descriptions
from registry.billing.graph import Asked, ImageNode
from registry.billing.hops import Hop, licences


def cause_of(image: ImageNode, hops: Sequence[Hop], asked: Asked) -> str:
    """Return the id of the thing at which the code of an image was lost, if it was lost.

    That is the hop after the last break on the way to it, the image itself where no break is on
    record; and of all copies and all images with one root snapshot, whose codes agree, the first.
    """
    lost_at = next((hop for hop in reversed(hops) if hop.is_break), None)
    if lost_at and lost_at.kind == "instance":
        return _of_instance(lost_at.aws_id, asked)
    first = asked.image(lost_at.aws_id) if lost_at else None
    return _origin(first or image, asked)


def _of_instance(instance_id: str, asked: Asked) -> str:
    """Return the image of an instance, if nothing says that its code was another."""
    instance = asked.instance(instance_id)
    image = asked.image(instance.image_id) if instance else None
    if instance is None or not instance.image_id or (image and image.usage_operation is not None):
        return instance_id
    return instance.image_id


@dataclass(frozen=True, slots=True)
class _Place:
    """An image, or where none is known, a snapshot or the id of an image."""

    aws_id: str
    image: ImageNode | None = None
    snapshot_id: str = ""


def _origin(image: ImageNode, asked: Asked) -> str:
    """Return the first of all images that are copies or have one root snapshot, and one code."""
    place, way = _place_of(image), [image.aws_id]
    while further := _before(place, image.usage_operation, asked):
        if further.aws_id in way:
            return min(way[way.index(further.aws_id) :])  # of a cycle, the same from everywhere
        way.append(further.aws_id)
        place = further
    return place.aws_id


def _before(place: _Place, code: str | None, asked: Asked) -> _Place | None:
    oldest = asked.oldest_image_on(place.snapshot_id)
    if oldest and oldest.aws_id != place.aws_id:
        return _place_of(oldest) if _agrees(oldest, code) else None
    image = place.image
    if image and image.source_instance_id:
        return None
    if image and image.source_image_id:
        return _at_image(image.source_image_id, code, asked)
    snapshot = asked.snapshot(place.snapshot_id)
    words = snapshot.description if snapshot else ""
    if match := descriptions.COPIED_IMAGE.match(words):
        return _at_image(match[2], code, asked)
    if match := descriptions.COPIED_SNAPSHOT.match(words):
        return _at_snapshot(match[1], code, asked)
    return None


def _place_of(image: ImageNode) -> _Place:
    return _Place(image.aws_id, image, image.root_snapshot_id)


def _at_image(image_id: str, code: str | None, asked: Asked) -> _Place | None:
    image = asked.image(image_id)
    if image is None:
        return _Place(image_id)
    return _place_of(image) if _agrees(image, code) else None


def _at_snapshot(snapshot_id: str, code: str | None, asked: Asked) -> _Place | None:
    oldest = asked.oldest_image_on(snapshot_id)
    is_right = oldest is not None and not _agrees(oldest, code)
    return None if is_right else _Place(snapshot_id, snapshot_id=snapshot_id)


def _agrees(image: ImageNode, code: str | None) -> bool:
    """Say whether nothing is known against two images having one code."""
    if code is None or image.usage_operation is None:
        return True
    return licences(code) == licences(image.usage_operation)
