"""Where an image came from, where on the way its code was lost, and what its loss is the fault of.

AWS records the source of an image for CreateImage and CopyImage, not for RegisterImage. The rest
is read from snapshots: their volume, and the descriptions that AWS writes. Descriptions are free
text; what they say is evidence, not proof.
"""

from dataclasses import dataclass

from registry.billing.causes import cause_of
from registry.billing.clues import Link
from registry.billing.graph import Asked, Inventory
from registry.billing.hops import Hop, with_breaks
from registry.billing.walk import Walk


@dataclass(frozen=True, slots=True)
class Lineage:
    """The links that carry codes, nearest first, and every hop, oldest first.

    `looked_for`: every id whose appearing, changing or going could change any of it. `cause`: the
    id of the thing where it went wrong, if it did; the same for all that went wrong there.
    """

    links: tuple[Link, ...]
    hops: tuple[Hop, ...]
    looked_for: frozenset[str] = frozenset()
    cause: str = ""


def trace(image_id: str, inventory: Inventory) -> Lineage:
    """Walk from an image to its origin; ends at what is not known, at a cycle, or far away."""
    asked = Asked(inventory)
    image = asked.image(image_id)
    if image is None:
        raise KeyError(image_id)
    steps = list(Walk(asked, image).steps())
    links = tuple(step.link for step in steps if step.link is not None)
    hops = tuple(with_breaks(reversed(steps)))
    cause = cause_of(image, hops, asked)
    return Lineage(links, hops, asked.ids, cause)
