"""What correcting images would change in money, and whom it concerns."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal

from registry.audit.fleet import Fleet
from registry.billing.codes import parts
from registry.billing.price import monthly


@dataclass(frozen=True, slots=True)
class Corrected:
    """An image, the wrong code that it carries, and the one that it should carry."""

    aws_id: str
    usage_operation: str
    expected_usage_operation: str


@dataclass(frozen=True, slots=True)
class ImageEffect:
    """What a wrong code leaves idle, and how many instances run with it.

    `purchases` are those that it would use, in part at least, were it the only image put right.
    `monthly` is its share of what all the images cost together: what it adds to those that cost
    more, so that the amounts of images can be summed up. It is below 0 where the right code
    leaves more idle than it uses. None: not known.
    """

    purchases: tuple[str, ...]
    monthly: Decimal | None
    running: int


def effects_of(fleet: Fleet, images: Mapping[int, Corrected]) -> dict[int, ImageEffect]:
    """Return what would apply if the instances of each image carried the right code.

    Of an image only those are concerned that carry its wrong code: one that was converted since
    has its own.
    """
    corrections = {
        pk: dict.fromkeys(wrong_instances(fleet, image), image.expected_usage_operation)
        for pk, image in images.items()
    }
    asked = fleet.asked
    alone = asked.effects(corrections)
    total, found = Decimal(0), {}
    for pk, share in asked.shares({pk: corrections[pk] for pk in alone}).items():
        before, total = total, total + (share.hourly or 0)
        found[pk] = ImageEffect(
            purchases=alone[pk].purchases,
            monthly=None if share.hourly is None else _added(before, total),
            running=len(corrections[pk]),
        )
    return found


def wrong_instances(fleet: Fleet, image: Corrected) -> Iterator[str]:
    """Return the running instances of an image that carry its wrong code."""
    wrong = parts(image.usage_operation)
    for aws_id in fleet.running.get(image.aws_id, ()):
        code = fleet.situation.machines[aws_id].usage_operation
        if code == image.usage_operation or (wrong is not None and parts(code) == wrong):
            yield aws_id


def _added(before: Decimal, after: Decimal) -> Decimal | None:
    """Return by how many cents a month grows, so that the cents sum up to those of the total."""
    low, high = monthly(before), monthly(after)
    return None if low is None or high is None else high - low
