"""What the latest bill says of one instance, image or purchase, for its page."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal

from django.db.models import Count, Q, QuerySet, Sum

from registry.access import Person, visible, visible_billed
from registry.audit.billed import BilledUse, uses_for
from registry.billing.codes import parts, recorded_code
from registry.billing.witness import is_billed_as, is_platform
from registry.models import (
    Bill,
    BilledPurchase,
    BilledUsage,
    Disagreement,
    DisagreementKind,
    Image,
    Instance,
    ReservedInstance,
    UsageKind,
)


@dataclass(frozen=True, slots=True)
class BilledHours:
    """The hours of some instances with one operation; `is_compared`: not those of Spot."""

    operation: str
    hours: Decimal
    instances: int
    is_compared: bool


@dataclass(frozen=True, slots=True)
class OnBill:
    """What a bill says of an instance, or of those of an image; `bill` None: it is on several.

    `state` says how it compares with our records: "agrees", "differs", or "" where it doesn't.
    """

    month: date
    bill: Bill | None
    billed: Sequence[BilledHours]
    state: str


@dataclass(frozen=True, slots=True)
class PurchaseOnBill:
    """What a bill says of a purchase; `found` None: it is not on it, and should be."""

    bill: Bill
    found: BilledUse | None


def instance_on_bill(user: Person, row: Instance) -> OnBill | None:
    """Return what the latest bill says of an instance; None where none does."""
    rows = BilledUsage.objects.filter(resource_id=row.aws_id, account=row.account.number)
    found = _latest(visible_billed(rows, user), row.usage_operation, row.platform_details)
    if found is None:
        return None
    differs = Disagreement.objects.filter(
        bill=found.bill,
        kind=DisagreementKind.OPERATION,
        subject=row.aws_id,
        account=row.account.number,
    ).exists()
    # It may have had another code in that month: only what was compared whole differs.
    state = "differs" if differs else "" if found.state == "differs" else found.state
    return OnBill(found.month, found.bill, found.billed, state)


def image_on_bill(user: Person, row: Image) -> OnBill | None:
    """Return what the latest bill says of the instances of an image, against the image's code."""
    launched = visible(Instance.objects.filter(image_id=row.aws_id), user)
    rows = BilledUsage.objects.filter(resource_id__in=launched.values("aws_id"))
    return _latest(visible_billed(rows, user), row.usage_operation, row.platform_details)


def purchase_on_bill(user: Person, row: ReservedInstance, *, at: datetime) -> PurchaseOnBill | None:
    """Return what the latest bill says of a purchase; None where none does."""
    number = row.account.number
    rows = BilledPurchase.objects.filter(aws_id=row.aws_id, account__in=["", number])
    billed = visible_billed(rows, user).select_related("bill").order_by("-bill__month").first()
    missing = (
        Disagreement.objects.filter(
            kind=DisagreementKind.NOT_BILLED, subject=row.aws_id, account=number
        )
        .select_related("bill")
        .order_by("-bill__month")
        .first()
    )
    if missing and (billed is None or billed.bill.month < missing.bill.month):
        return PurchaseOnBill(missing.bill, None)
    if billed is None:
        return None
    return PurchaseOnBill(billed.bill, uses_for(user, billed.bill, [billed], at=at)[0])


def _latest(rows: QuerySet[BilledUsage], code: str | None, details: str | None) -> OnBill | None:
    """Return what the latest month says, compared with one code."""
    last = rows.order_by("-bill__month").values_list("bill__month", flat=True).first()
    if last is None:
        return None
    rows = rows.filter(bill__month=last)
    bills = list(Bill.objects.filter(pk__in=rows.order_by().values("bill"))[:2])
    billed = _hours(rows)
    carried = recorded_code(code, details)
    compared = [one.operation for one in billed if one.is_compared]
    state = ""
    if compared and parts(carried) is not None:
        agrees = all(is_billed_as(operation, [carried]) for operation in compared)
        state = "agrees" if agrees else "differs"
    return OnBill(last, bills[0] if len(bills) == 1 else None, billed, state)


def _hours(rows: QuerySet[BilledUsage]) -> list[BilledHours]:
    """Sum up the hours of each operation, those of Spot apart; the most first."""
    summed = rows.annotate(is_spot=Q(kind=UsageKind.SPOT)).values_list("operation", "is_spot")
    found = summed.annotate(total=Sum("hours"), number=Count("resource_id", distinct=True))
    return [
        BilledHours(operation, hours, instances, not is_spot and is_platform(operation))
        for operation, is_spot, hours, instances in found.order_by("-total", "operation")
    ]
