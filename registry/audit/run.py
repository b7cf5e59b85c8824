"""An audit: of everything, or of some images."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from registry.audit.coverage import audit_coverage
from registry.audit.findings import reconcile
from registry.audit.images import Known, judge_all, judge_some
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
    reconcile("image", verdicts.violations, {}, at=at, is_all=True)
    applied = audit_coverage(at=at)
    costs = {pk: monthly(use.idle_hourly_cost) for pk, use in applied.uses.items()}
    broken = {pk: check(use) for pk, use in applied.uses.items()}
    reconcile("reserved_instance", broken, costs, at=at, is_all=True)
    return AuditCounts(
        images=len(verdicts.violations),
        purchases=len(applied.uses),
        findings=Finding.objects.open().count(),
    )


def judge_images(images: Sequence[Image], *, at: datetime) -> None:
    """Judge some images, and make their findings agree."""
    verdicts = judge_some([image.pk for image in images], Known.of(images), at=at)
    reconcile("image", verdicts.violations, {}, at=at)
