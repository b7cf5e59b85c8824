"""What the instances of each image were billed with: the bill's own word on the image's code."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from django.db.models import Count, F, OuterRef, QuerySet, Subquery, Sum

from registry.billing.codes import parts, recorded_code
from registry.billing.witness import is_billed_as, is_platform
from registry.models import BilledUsage, Image, Instance, UsageKind

_SHOWN = ("aws_id", "name", "usage_operation", "platform_details", "account__number")


@dataclass(frozen=True, slots=True)
class ImageHours:
    """The hours that instances of one image were billed with one operation."""

    operation: str
    hours: Decimal
    instances: int


@dataclass(frozen=True, slots=True)
class BilledImage:
    """An image whose instances are on a bill; `row` None: it is not known.

    `other` are the hours with another code than the image's; None: that is not known.
    """

    aws_id: str
    row: Image | None
    billed: Sequence[ImageHours]
    hours: Decimal
    other: Decimal | None


def billed_images(
    usages: QuerySet[BilledUsage], instances: QuerySet[Instance], images: QuerySet[Image]
) -> list[BilledImage]:
    """Return the images of `instances`, with most hours of another code than their own first.

    An image that is not among `images` has no code here. Spot is left out, and what is no platform.
    """
    billed = _billed(usages, instances)
    present_last = F("gone_at").asc(nulls_last=True)
    found = images.filter(aws_id__in=list(billed)).select_related("account").only(*_SHOWN)
    rows = {row.aws_id: row for row in found.order_by(present_last, "-pk")}
    every = [_image(aws_id, rows.get(aws_id), some) for aws_id, some in billed.items()]
    return sorted(every, key=lambda one: (-(one.other or 0), -one.hours, one.aws_id))


def _billed(
    usages: QuerySet[BilledUsage], instances: QuerySet[Instance]
) -> dict[str, list[ImageHours]]:
    launched = instances.filter(
        aws_id=OuterRef("resource_id"), account__number=OuterRef("account")
    ).exclude(image_id="")
    rows = usages.exclude(kind=UsageKind.SPOT).exclude(resource_id="")
    rows = rows.annotate(image=Subquery(launched.values("image_id")[:1])).exclude(image=None)
    summed = rows.order_by().values_list("image", "operation")
    found: dict[str, list[ImageHours]] = defaultdict(list)
    for image, operation, hours, number in summed.annotate(
        total=Sum("hours"), number=Count("resource_id", distinct=True)
    ).order_by("-total", "operation"):
        if is_platform(operation):
            found[image].append(ImageHours(operation, hours, number))
    return found


def _image(aws_id: str, row: Image | None, billed: Sequence[ImageHours]) -> BilledImage:
    code = recorded_code(row.usage_operation, row.platform_details) if row else None
    others = [one.hours for one in billed if not is_billed_as(one.operation, [code])]
    return BilledImage(
        aws_id=aws_id,
        row=row,
        billed=billed,
        hours=sum((one.hours for one in billed), Decimal(0)),
        other=None if parts(code) is None else sum(others, Decimal(0)),
    )
