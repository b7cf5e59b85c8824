"""Images: rows → facts → verdicts."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from registry.audit.known import Known, products
from registry.audit.rows import alone_on, update_rows
from registry.billing.clues import Clues
from registry.billing.codes import parts, recorded_code
from registry.billing.expectation import expect
from registry.billing.graph import Inventory
from registry.billing.lineage import Lineage, trace
from registry.billing.rules import ImageFacts, Violation, judge, sold_with
from registry.models import Image

BATCH = 5_000
# A pending image has no code yet, a failed one never gets one; "": not recorded.
DECIDED = frozenset({"available", "disabled", "deregistered", ""})
JUDGED = (
    "verdict",
    "expected_usage_operation",
    "expected_platform",
    "confidence",
    "source",
    "missing",
    "unexpected",
    "evidence",
    "lineage",
)
Violations = dict[int, tuple[Violation, ...]]


@dataclass(slots=True)
class Verdicts:
    """What the judged images, by primary key, break; and how many judgments changed."""

    violations: Violations
    changed: int = 0


def judge_all(known: Known, *, at: datetime) -> Verdicts:
    """Judge every present image, batch by batch, and write what changed."""
    verdicts = Verdicts({})
    for low, high in _batches():
        with alone_on(Image):
            _judge_batch(range(low, high + 1), known, verdicts, at=at)
    return verdicts


def judge_some(keys: Sequence[int], known: Known, *, at: datetime) -> Verdicts:
    """Judge the images with these primary keys and write what changed."""
    verdicts = Verdicts({})
    with alone_on(Image):
        _judge_batch(keys, known, verdicts, at=at)
    return verdicts


def examine(image: Image, known: Known) -> tuple[dict[str, Any], tuple[Violation, ...]]:
    """Return the judgment of one image as column values, and what it breaks."""
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
    }
    return values, judgment.violations


def code_of(image: Image) -> str | None:
    """Return the code of an image; None where none was recorded, or AWS has not decided yet."""
    if image.state not in DECIDED:
        return None
    return recorded_code(image.usage_operation, image.platform_details)


def _batches() -> Iterator[tuple[int, int]]:
    """Cut the present images into ranges of primary keys."""
    keys = list(Image.objects.present().order_by("pk").values_list("pk", flat=True))
    for start in range(0, len(keys), BATCH):
        batch = keys[start : start + BATCH]
        yield batch[0], batch[-1]


def _judge_batch(keys: Sequence[int], known: Known, verdicts: Verdicts, *, at: datetime) -> None:
    rows = Image.objects.present()
    if isinstance(keys, range):
        rows = rows.filter(pk__gte=keys.start, pk__lt=keys.stop)
    else:
        rows = rows.filter(pk__in=keys)
    changed = []
    # What appeared since the graph was read waits for the next audit.
    for image in (row for row in rows.order_by() if row.aws_id in known.inventory.images):
        values, violations = examine(image, known)
        verdicts.violations[image.pk] = violations
        if _differs(image, values):
            changed.append({"id": image.pk} | values)
    update_rows(Image, JUDGED, changed)
    rows.update(judged_at=at)
    verdicts.changed += len(changed)


def _differs(image: Image, values: Mapping[str, Any]) -> bool:
    return any(getattr(image, name) != value for name, value in values.items())


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
