"""Why a purchase is not used, which instances are nearest to it, and what can be done."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from registry.audit.purchases import LOST, TITLES
from registry.billing.codes import (
    normalize_reserved_platform,
    recorded_code,
    reserved_platform,
)
from registry.billing.idle import NAMED
from registry.billing.remedies import IdlePurchase, Remedy, remedies
from registry.models import Finding, Image, Instance, ReservedInstance


def why(row: ReservedInstance, *, is_lost: bool = False) -> list[dict[str, Any]]:
    """Return the causes, the most telling first, each with a sentence.

    `is_lost` says that an AMI lost the code that the purchase is for.
    """
    return [_reason(each["code"], len(each["instance_ids"]), is_lost) for each in row.reasons]


def of_lost_codes(rows: Iterable[ReservedInstance]) -> set[int]:
    """Return the keys of those that a lost code keeps idle, by what the last audit found."""
    found = Finding.objects.open().filter(
        reserved_instance__in=list(rows), rule="RI001", title__endswith=LOST
    )
    return set(found.values_list("reserved_instance_id", flat=True))


def nearest(row: ReservedInstance) -> list[Any]:
    """Return the instances that are named as nearest; those whose AMI lost its code first.

    `kind` says of each that carries another platform whether its AMI lost the code of the purchase
    ("lost"), carries what it should ("right"), or that nothing tells ("unknown").
    """
    named = [name for reason in row.reasons for name in reason["instance_ids"]]
    rows = Instance.objects.present().filter(aws_id__in=named)
    near: list[Any] = list(rows.select_related("account").order_by("pk"))
    images = Image.objects.present().filter(aws_id__in={found.image_id for found in near})
    expected = dict(images.values_list("aws_id", "expected_usage_operation"))
    wanted = normalize_reserved_platform(row.product_description)
    for found in near:
        found.code = recorded_code(found.usage_operation, found.platform_details)
        found.expected = expected.get(found.image_id)
        found.kind = _kind(found.code, found.expected, wanted)
    return sorted(near, key=lambda found: found.kind != "lost")


def split(near: Iterable[Any]) -> str:
    """Say in a sentence what the AMIs of the nearest instances should carry."""
    kinds = [found.kind for found in near]
    words = {
        "lost": "lost this code with their AMI",
        "right": "have an AMI that should not carry it: the purchase may be for the wrong platform",
        "unknown": "have an AMI of which nothing tells what it should carry",
    }
    told = [f"{kinds.count(kind)} {text}" for kind, text in words.items() if kind in kinds]
    return f"Of those named, {'; '.join(told)}." if told else ""


def remedies_of(row: ReservedInstance, near: Iterable[Any], *, at: datetime) -> tuple[Remedy, ...]:
    """Return what can be done about an active purchase of which a part is idle."""
    if row.state != "active" or not row.idle_units or row.is_gone:
        return ()
    others = [found for found in near if found.kind]
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
        lost_images=tuple(
            dict.fromkeys(found.image_id for found in others if found.kind == "lost")
        ),
        near_codes=frozenset(found.code for found in others),
    )
    return remedies(idle, at=at)


def _reason(code: str, number: int, is_lost: bool) -> dict[str, Any]:
    was_lost = is_lost and code == "wrong_platform"
    return {
        "code": code,
        "title": LOST if was_lost else TITLES[code],
        "is_lost": was_lost,
        "sentence": _sentence(code, number),
    }


def _sentence(code: str, number: int) -> str:
    if not number:
        return ""
    some = f"{number} instance{'s' if number > 1 else ''}"
    if number >= NAMED:
        some = f"{NAMED} instances or more"
    if code == "wrong_platform":
        return f"{some} near it with another code."
    return f"{some} near it."


def _kind(code: str | None, expected: str | None, wanted: str) -> str:
    if reserved_platform(code) == wanted:
        return ""
    if expected is None:
        return "unknown"
    return "lost" if reserved_platform(expected) == wanted else "right"
