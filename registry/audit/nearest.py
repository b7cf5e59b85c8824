"""The instances that are nearest to a purchase, and what can be done about its idle part."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from registry.access import Person, visible
from registry.audit.purchases import LOST
from registry.billing.codes import (
    normalize_reserved_platform,
    recorded_code,
    reserved_platform,
)
from registry.billing.remedies import IdlePurchase, Remedy, remedies
from registry.models import Finding, Image, Instance, ReservedInstance


def nearest(row: ReservedInstance, user: Person) -> list[Any]:
    """Return the instances that are named as nearest; those whose AMI lost its code first.

    `kind` says of each that carries another platform whether its AMI lost the code of the purchase
    ("lost"), carries what it should ("right"), or that nothing tells ("unknown"). Only those that
    `is_readable` may `user` be shown; what keeps a purchase idle is told of all.
    """
    named = [name for reason in row.reasons for name in reason["instance_ids"]]
    rows = Instance.objects.present().filter(aws_id__in=named)
    near: list[Any] = list(rows.select_related("account").order_by("pk"))
    readable = set(visible(rows, user).values_list("pk", flat=True))
    images = Image.objects.present().filter(aws_id__in={found.image_id for found in near})
    expected = dict(images.values_list("aws_id", "expected_usage_operation"))
    wanted = normalize_reserved_platform(row.product_description)
    for found in near:
        found.code = recorded_code(found.usage_operation, found.platform_details)
        found.expected = expected.get(found.image_id)
        found.kind = _kind(found.code, found.expected, wanted)
        found.is_readable = found.pk in readable
    return sorted(near, key=lambda found: found.kind != "lost")


def of_lost_codes(rows: Iterable[ReservedInstance]) -> set[int]:
    """Return the keys of those that a lost code keeps idle, by what the last audit found."""
    found = Finding.objects.open().filter(
        reserved_instance__in=list(rows), rule="RI001", title__endswith=LOST
    )
    return set(found.values_list("reserved_instance_id", flat=True))


def remedies_of(row: ReservedInstance, near: Iterable[Any], *, at: datetime) -> tuple[Remedy, ...]:
    """Return what can be done about an active purchase of which a part is idle."""
    if row.state != "active" or not row.idle_units or row.is_gone:
        return ()
    others = [found for found in near if found.kind]
    lost = [found for found in others if found.kind == "lost"]
    named = dict.fromkeys(found.image_id for found in lost if found.is_readable)
    idle = IdlePurchase(
        platform=normalize_reserved_platform(row.product_description),
        instance_type=row.instance_type,
        region=row.region,
        is_regional=row.scope == "Region",
        tenancy=row.tenancy,
        offering_class=row.offering_class,
        start=row.start_at,
        end=row.end_at,
        causes=tuple(reason["code"] for reason in row.reasons),
        lost_images=tuple(named),
        lost_elsewhere=len({found.image_id for found in lost} - named.keys()),
        near_codes=frozenset(found.code for found in others),
    )
    return remedies(idle, at=at)


def _kind(code: str | None, expected: str | None, wanted: str) -> str:
    if reserved_platform(code) == wanted:
        return ""
    if expected is None:
        return "unknown"
    return "lost" if reserved_platform(expected) == wanted else "right"
