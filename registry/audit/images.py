"""Images: rows → facts → verdicts."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import Any

from django.db.models import Count, F, QuerySet

from registry.audit.inventory import load_inventory, read_on_demand
from registry.audit.rows import alone_on, update_rows
from registry.billing.clues import Clues
from registry.billing.codes import parts, recorded_code
from registry.billing.expectation import expect
from registry.billing.lineage import Inventory, Lineage, trace
from registry.billing.rules import ImageFacts, Violation, is_marketplace_code, judge, sold_with
from registry.models import Image, Instance

BATCH = 5_000
FEW = 25  # more are judged faster by the whole graph
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


@dataclass(frozen=True, slots=True)
class Known:
    """What an image is judged by, besides itself."""

    inventory: Inventory
    running: Mapping[str, int]  # image id to number of instances
    sold: dict[str, frozenset[str]] = field(default_factory=dict)  # read when it is asked for
    is_whole: bool = False

    @classmethod
    def load(cls) -> "Known":
        """Read all of it, for judging every image."""
        return cls(load_inventory(), dict(_running()), is_whole=True)

    @classmethod
    def of(cls, images: Sequence[Image]) -> "Known":
        """Read what these images are judged by; of few, no more than that."""
        if len(images) > FEW:
            return cls.load()
        ids = [image.aws_id for image in images]
        return cls(read_on_demand(ids), dict(_running().filter(image_id__in=ids)))

    def products_of(self, instance_id: str) -> frozenset[str]:
        """Return the ids of the Marketplace products on an instance.

        Few images need them; the first that does reads those of all, if all are judged.
        """
        if instance_id not in self.sold and not (self.is_whole and self.sold):
            rows = Instance.objects.exclude(product_codes=[])
            if not self.is_whole:
                rows = rows.filter(aws_id=instance_id)
            # The present last: of two rows with one id, the one that AWS still shows counts.
            order = F("gone_at").asc(nulls_last=True)
            found = rows.order_by(order, "pk").values_list("aws_id", "product_codes")
            self.sold.update({instance_id: frozenset()} | {i: _products(c) for i, c in found})
        return self.sold.get(instance_id, frozenset())


def _running() -> QuerySet[Instance, tuple[str, int]]:
    return (
        Instance.objects.present()
        .running()
        .order_by()
        .values_list("image_id")
        .annotate(number=Count("pk"))
    )


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
    expectation = expect(_clues(image, lineage))
    products = _products(image.product_codes)
    judgment = judge(
        ImageFacts(
            usage_operation=code_of(image),
            expectation=expectation,
            is_marketplace=bool(products),
            sold_with=sold_with(lineage.links, products, known.products_of),
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


def _clues(image: Image, lineage: Lineage) -> Clues:
    return Clues(
        usage_operation=code_of(image),
        declared=image.declared,
        name=image.name,
        description=image.description,
        tags=image.tags,
        owner_id=image.owner_id,
        platform=image.platform,
        product_codes=tuple(code["id"] for code in image.product_codes),
        links=lineage.links,
    )


def _products(codes: Sequence[Mapping[str, str]]) -> frozenset[str]:
    """Return the ids of those product codes that are of the Marketplace."""
    return frozenset(
        code["id"] for code in codes if is_marketplace_code(code["id"], code.get("type", ""))
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
