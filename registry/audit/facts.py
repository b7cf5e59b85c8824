"""One image: its row and what is known around it → its judgment."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from registry.audit.known import Known, products
from registry.billing.clues import Clues
from registry.billing.codes import parts, recorded_code
from registry.billing.expectation import expect
from registry.billing.graph import Inventory
from registry.billing.lineage import Lineage, trace
from registry.billing.rules import ImageFacts, Violation, judge, sold_with
from registry.models import Image

# A pending image has no code yet, a failed one never gets one; "": not recorded.
DECIDED = frozenset({"available", "disabled", "deregistered", ""})


@dataclass(frozen=True, slots=True)
class Examined:
    """The judgment of an image as the values of its columns, and what it breaks."""

    values: Mapping[str, Any]
    violations: tuple[Violation, ...]


def examine(image: Image, known: Known) -> Examined:
    """Judge one image; nothing is written. KeyError if the graph that is known has it not."""
    lineage = trace(image.aws_id, known.inventory)
    expectation = expect(_clues(image, lineage, known))
    sold = products(image.product_codes)
    judgment = judge(
        ImageFacts(
            usage_operation=code_of(image),
            expectation=expectation,
            is_marketplace=bool(sold),
            sold_with=sold_with(lineage.links, sold, known.products_of),
            running=known.running.get(image.aws_id, 0),
            source_instance_id=_source_instance(
                lineage, expectation.usage_operation, known.inventory
            ),
        )
    )
    values = {
        "verdict": judgment.comparison.verdict,
        "expected_usage_operation": expectation.usage_operation,
        "expected_platform": expectation.platform,
        "confidence": expectation.confidence,
        "source": expectation.source,
        "missing": list(judgment.comparison.missing),
        "unexpected": list(judgment.comparison.unexpected),
        "evidence": [asdict(item) for item in expectation.evidence],
        "lineage": [asdict(hop) for hop in lineage.hops],
        "ancestors": sorted(lineage.looked_for - {image.aws_id}),
    }
    return Examined(values, judgment.violations)


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
        platform=image.platform,
        product_codes=tuple(code["id"] for code in image.product_codes),
        links=lineage.links,
    )


def _source_instance(lineage: Lineage, expected: str | None, inventory: Inventory) -> str:
    """Name the nearest instance, still there, from which the image could be made rightly."""
    for link in lineage.links:
        node = inventory.instances.get(link.aws_id)
        if node is None or node.is_gone or parts(expected) is None:
            continue
        if parts(node.usage_operation) == parts(expected):
            return node.aws_id
    return ""
