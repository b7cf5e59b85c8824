"""Images: judged batch by batch, written by difference."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.db.models import Count, Exists, OuterRef, QuerySet, Subquery

from registry.audit.facts import code_of, examine, examine_gone
from registry.audit.history import judged_changes
from registry.audit.known import Known
from registry.audit.rows import alone_on, update_rows
from registry.billing.rules import Violation
from registry.models import Change, Image, Instance

BATCH = 5_000
JUDGED = (
    *("verdict", "expected_usage_operation", "expected_platform", "confidence", "source"),
    *("missing", "unexpected", "evidence", "lineage", "ancestors"),
    "judged_at",
)


@dataclass(frozen=True, slots=True)
class Judged:
    """What an image breaks, not raised, and what tells how much that matters."""

    aws_id: str
    violations: tuple[Violation, ...]
    running: int
    created_at: datetime | None
    cause: str = ""
    verdict: str = ""
    usage_operation: str | None = None
    expected: str | None = None


@dataclass(slots=True)
class Verdicts:
    """The judged images by primary key; and how many judgments changed."""

    images: dict[int, Judged] = field(default_factory=dict)
    changed: int = 0


def judge_all(known: Known, *, at: datetime) -> Verdicts:
    """Judge every present image, batch by batch, and write what changed."""
    return judge_some(list(Image.objects.present().values_list("pk", flat=True)), known, at=at)


def judge_some(keys: Iterable[int], known: Known, *, at: datetime) -> Verdicts:
    """Judge the images with these primary keys and write what changed."""
    verdicts, rest = Verdicts(), sorted(keys)
    for start in range(0, len(rest), BATCH):
        with alone_on(Image):
            _judge_batch(rest[start : start + BATCH], known, verdicts, at=at)
    return verdicts


def judge_gone() -> dict[int, Judged]:
    """Judge the images that are gone and still have running instances. Nothing is written."""
    running = Instance.objects.present().running().filter(image_id=OuterRef("aws_id"))
    elsewhere = Image.objects.present().filter(aws_id=OuterRef("aws_id"))
    number = running.order_by().values("image_id").annotate(number=Count("pk")).values("number")
    gone = Image.objects.gone().filter(Exists(running), ~Exists(elsewhere))
    # Of an image that several accounts have mirrored, one row speaks.
    gone = gone.order_by("aws_id", "-gone_at", "-pk").distinct("aws_id")
    rows: QuerySet[Any] = gone.annotate(number=Subquery(number))
    return {
        image.pk: Judged(
            aws_id=image.aws_id,
            violations=examine_gone(image, image.number),
            running=image.number,
            created_at=image.created_at,
            cause=image.aws_id,
        )
        for image in rows
    }


def _judge_batch(keys: Sequence[int], known: Known, verdicts: Verdicts, *, at: datetime) -> None:
    changed, history = [], []
    rows = Image.objects.present().filter(pk__in=keys)
    # What appeared since the graph was read waits for the next audit.
    for image in (row for row in rows if row.aws_id in known.inventory.images):
        found = examine(image, known)
        verdicts.images[image.pk] = Judged(
            aws_id=image.aws_id,
            violations=found.violations,
            running=known.running.get(image.aws_id, 0),
            created_at=image.created_at,
            cause=found.cause,
            verdict=found.values["verdict"],
            usage_operation=code_of(image),
            expected=found.values["expected_usage_operation"],
        )
        if image.judged_at is None or _differs(image, found.values):
            changed.append({"id": image.pk, "judged_at": at} | dict(found.values))
            history += judged_changes(image, found.values, at=at)
    update_rows(Image, JUDGED, changed)
    Change.objects.bulk_create(history, batch_size=BATCH)
    verdicts.changed += len(changed)


def _differs(image: Image, values: Mapping[str, Any]) -> bool:
    return any(getattr(image, name) != value for name, value in values.items())
