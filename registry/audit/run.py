"""An audit: of everything, of what has changed, or of some images."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from registry.audit.coverage import audit_coverage
from registry.audit.findings import Found, reconcile
from registry.audit.images import Judged, Verdicts, judge_all, judge_some
from registry.audit.known import Known
from registry.audit.purchases import check
from registry.audit.touched import TouchedThings, concerned, forget, read_touched
from registry.billing.price import monthly
from registry.models import Finding, Image


@dataclass(frozen=True, slots=True)
class AuditCounts:
    """How many images were judged, and how many findings are open now."""

    images: int
    purchases: int
    findings: int


def audit(*, at: datetime, is_full: bool = True) -> AuditCounts:
    """Judge every present image and every purchase as they stand at `at`.

    If it is not full, of the images only those that may be judged otherwise than the last time:
    what syncs have touched since, what descends from it, and what has findings.
    """
    touched = read_touched()
    if is_full or touched.is_everything:
        verdicts = judge_all(Known.load(), at=at)
    else:
        verdicts = _judge_touched(touched, at=at)
    reconcile("image", _found(verdicts.images), at=at, is_all=True)
    applied = audit_coverage(at=at)
    idle = {
        pk: [Found(one, cost=monthly(use.idle_hourly_cost)) for one in check(use)]
        for pk, use in applied.uses.items()
    }
    reconcile("reserved_instance", idle, at=at, is_all=True)
    forget(touched)
    return AuditCounts(
        images=len(verdicts.images),
        purchases=len(applied.uses),
        findings=Finding.objects.open().count(),
    )


def judge_images(images: Sequence[Image], *, at: datetime) -> None:
    """Judge some images, and make their findings agree."""
    verdicts = judge_some(
        [image.pk for image in images], Known.of([image.aws_id for image in images]), at=at
    )
    reconcile("image", _found(verdicts.images), at=at)


def _judge_touched(touched: TouchedThings, *, at: datetime) -> Verdicts:
    broken = Finding.objects.open().exclude(image=None).values_list("image_id", flat=True)
    keys = concerned(touched) | set(broken)
    ids = Image.objects.present().filter(pk__in=keys).values_list("aws_id", flat=True)
    return judge_some(list(keys), Known.of(set(ids)), at=at)


def _found(images: Mapping[int, Judged]) -> dict[int, list[Found]]:
    return {
        pk: [Found(one, running=image.running) for one in image.violations]
        for pk, image in images.items()
    }
