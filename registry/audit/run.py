"""An audit: of everything, or of some images."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from registry.audit.coverage import audit_coverage
from registry.audit.findings import Found, reconcile
from registry.audit.images import Violations, judge_all, judge_some
from registry.audit.known import Known
from registry.audit.purchases import check, monthly
from registry.models import Finding, Image


@dataclass(frozen=True, slots=True)
class AuditCounts:
    """How many images were judged, and how many findings are open now."""

    images: int
    purchases: int
    findings: int


def audit(*, at: datetime) -> AuditCounts:
    """Judge every present image and every purchase as they stand at `at`."""
    verdicts = judge_all(Known.load(), at=at)
    reconcile("image", _found(verdicts.violations), at=at, is_all=True)
    applied = audit_coverage(at=at)
    idle = {
        pk: [Found(one, cost=monthly(use.idle_hourly_cost)) for one in check(use)]
        for pk, use in applied.uses.items()
    }
    reconcile("reserved_instance", idle, at=at, is_all=True)
    return AuditCounts(
        images=len(verdicts.violations),
        purchases=len(applied.uses),
        findings=Finding.objects.open().count(),
    )


def judge_images(images: Sequence[Image], *, at: datetime) -> None:
    """Judge some images, and make their findings agree."""
    verdicts = judge_some(
        [image.pk for image in images], Known.of([image.aws_id for image in images]), at=at
    )
    reconcile("image", _found(verdicts.violations), at=at)


def _found(violations: Violations) -> dict[int, list[Found]]:
    return {pk: [Found(one) for one in some] for pk, some in violations.items()}
