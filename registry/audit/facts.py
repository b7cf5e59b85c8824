"""One image: its row and what is known around it → its judgment."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from registry.audit.known import Known, products
from registry.audit.origins import made_by
from registry.billing.clues import Clues, Evidence, Expectation
from registry.billing.codes import parts, recorded_code
from registry.billing.expectation import expect
from registry.billing.graph import Inventory
from registry.billing.hops import Hop
from registry.billing.lineage import Lineage, trace
from registry.billing.rules import ImageFacts, Violation, check_image, sold_with
from registry.billing.text import vendor_code
from registry.models import Image

# A pending image has no code yet, a failed one never gets one; "": not recorded.
DECIDED = frozenset({"available", "disabled", "deregistered", ""})


@dataclass(frozen=True, slots=True)
class Examined:
    """The judgment of an image as the values of its columns, and what it breaks, not raised.

    `cause`: the id of the thing where it went wrong.
    """

    values: Mapping[str, Any]
    violations: tuple[Violation, ...]
    cause: str


def examine(image: Image, known: Known) -> Examined:
    """Judge one image; nothing is written. KeyError if the graph that is known has it not."""
    lineage = trace(image.aws_id, known.inventory)
    expectation = expect(_clues(image, lineage, known))
    judgment = check_image(_facts(image, lineage, expectation, known))
    depends_on = lineage.looked_for | {image.root_snapshot_id}
    values = {
        "verdict": judgment.comparison.verdict,
        "expected_usage_operation": expectation.usage_operation,
        "expected_platform": expectation.platform,
        "confidence": expectation.confidence,
        "source": expectation.source,
        "missing": list(judgment.comparison.missing),
        "unexpected": list(judgment.comparison.unexpected),
        "evidence": [_flat(item) for item in expectation.evidence],
        "lineage": [_flat(hop) for hop in lineage.hops],
        "ancestors": sorted(depends_on - {image.aws_id, ""}),
    }
    return Examined(values, judgment.violations, lineage.cause)


def examine_gone(image: Image, running: int) -> tuple[Violation, ...]:
    """Return what an image breaks that is gone; the verdict of old stays on its row."""
    facts = ImageFacts(
        usage_operation=code_of(image),
        running=running,
        is_gone=True,
        verdict_before=image.verdict,
    )
    return check_image(facts).violations


def _facts(image: Image, lineage: Lineage, expectation: Expectation, known: Known) -> ImageFacts:
    sold = products(image.product_codes)
    return ImageFacts(
        usage_operation=code_of(image),
        expectation=expectation,
        is_marketplace=bool(sold),
        sold_with=sold_with(lineage.links, sold, known.products_of),
        running=known.running.get(image.aws_id, 0),
        source_instance_id=_source_instance(lineage, expectation.usage_operation, known.inventory),
        platform=image.platform,
        made_by=made_by(image, known.inventory.snapshots.get(image.root_snapshot_id)),
        is_vendors=_is_vendors(image),
        parent=next(iter(lineage.links), None),
        is_shared=_is_shared(image),
    )


def _is_shared(image: Image) -> bool | None:
    """Say whether others may launch an image; None where its permissions were not read."""
    if image.is_public:
        return True
    if image.launch_permissions is None:
        return None
    return any(one.get("UserId") != image.owner_id for one in image.launch_permissions)


def _is_vendors(image: Image) -> bool:
    """Say whether AWS or a vendor has made an image, not its account."""
    return bool(image.owner_alias) or vendor_code(image.owner_id, image.name) is not None


def _flat(item: Evidence | Hop) -> dict[str, Any]:
    # `asdict` copies in depth, which costs a fifth of an audit; these hold nothing deep.
    return {name: getattr(item, name) for name in item.__slots__}


def code_of(image: Image) -> str | None:
    """Return the code of an image; None where none was recorded, or AWS has not decided yet."""
    if image.state not in DECIDED:
        return None
    return recorded_code(image.usage_operation, image.platform_details)


def _clues(image: Image, lineage: Lineage, known: Known) -> Clues:
    return Clues(
        usage_operation=code_of(image),
        declared=image.declared,
        declaration=known.said.declaration(image),
        account=image.account_id,
        patterns=known.said.patterns,
        name=image.name,
        description=image.description,
        tags=image.tags,
        owner_id=image.owner_id,
        owner_alias=image.owner_alias,
        platform=image.platform,
        product_codes=tuple(code["id"] for code in image.product_codes),
        links=lineage.links,
    )


def _source_instance(lineage: Lineage, expected: str | None, inventory: Inventory) -> str:
    """Name the nearest instance, still there, from which the image could be made rightly."""
    for link in lineage.links:
        node = inventory.instances.get(link.aws_id) if link.kind == "instance" else None
        if node is None or node.is_gone or parts(expected) is None:
            continue
        if parts(node.usage_operation) == parts(expected):
            return node.aws_id
    return ""
