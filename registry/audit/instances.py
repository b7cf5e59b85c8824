"""Instances: those whose code is not that of their image."""

from typing import Any

from django.db.models import F, OuterRef, Q, QuerySet, Subquery

from registry.billing.codes import recorded_code
from registry.billing.rules import InstanceFacts, Violation, check_instance
from registry.models import Finding, Image, Instance

PAGE = 5_000
OVER = ("shutting-down", "terminated")  # AWS shows such an instance for a while


def judge_instances() -> dict[int, tuple[Violation, ...]]:
    """Return what each present instance breaks that has not been terminated, by primary key.

    Only those that may break something, and those that did, are among them.
    """
    # The present first: of two rows with one id, the one that AWS still shows counts.
    images = Image.objects.filter(aws_id=OuterRef("image_id")).order_by(
        F("gone_at").desc(nulls_first=True), "-pk"
    )
    rows: QuerySet[Any] = Instance.objects.present().annotate(
        image_code=Subquery(images.values("usage_operation")[:1]),
        image_details=Subquery(images.values("platform_details")[:1]),
        image_products=Subquery(images.values("product_codes")[:1]),
    )
    is_known = Q(image_code__isnull=False) | Q(image_details__isnull=False)
    differs = ~Q(usage_operation=F("image_code")) | ~Q(platform_details=F("image_details"))
    found: dict[int, tuple[Violation, ...]] = dict.fromkeys(_with_findings(), ())
    for row in rows.filter(is_known & differs).exclude(state__in=OVER).iterator(PAGE):
        found[row.pk] = check_instance(_facts(row))
    return found


def _with_findings() -> list[int]:
    rows = Finding.objects.open().filter(instance__gone_at=None, instance__isnull=False)
    return list(rows.values_list("instance_id", flat=True))


def _facts(row: Any) -> InstanceFacts:
    codes = [*row.product_codes, *(row.image_products or ())]
    return InstanceFacts(
        usage_operation=recorded_code(row.usage_operation, row.platform_details),
        image_usage_operation=recorded_code(row.image_code, row.image_details),
        image_id=row.image_id,
        launched_at=row.launched_at,
        updated_at=row.usage_operation_updated_at,
        first_seen_at=row.first_seen_at,
        product_codes=frozenset(code["id"] for code in codes),
        lifecycle=row.lifecycle,
    )
