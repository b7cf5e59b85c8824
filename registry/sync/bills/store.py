"""The sums of a month → the rows of its bill, replaced as a whole."""

from collections.abc import Iterable, Iterator
from datetime import UTC, date, datetime
from decimal import ROUND_HALF_EVEN, Decimal, localcontext
from fractions import Fraction
from itertools import islice
from typing import Any

from django.db import transaction

from registry.models import Bill, BilledPurchase, BilledUsage
from registry.sync.bills.lines import Lines
from registry.sync.bills.place import BillProblem
from registry.sync.bills.purchases import Name, Sums, name_of, summed

_BATCH = 2_000
_MOST = Decimal(10**10)  # hours or money: more is no bill, and less than a column holds
_DIGITS = Decimal("1e-10")
_PRECISION = 60
_SHORT = 64


@transaction.atomic
def replace(
    lines: Lines, *, payer: str, month: date, source: str, version: str, at: datetime
) -> Bill:
    """Put what was read in the place of what was known of the month.

    The row of the bill itself stays: others may be about to compare it.
    """
    known = Bill.objects.select_for_update(no_key=True).filter(payer=payer, month=month).first()
    if known and known.read_at > at:
        raise BillProblem("It was read by somebody else meanwhile.")
    count, through, names_instances = lines.all()
    bill, _ = Bill.objects.update_or_create(
        payer=payer,
        month=month,
        defaults={
            "source": source[:600],
            "version": version,
            "read_at": at,
            "through": _moment(through),
            "names_instances": names_instances,
            "lines": count,
        },
    )
    for rows in (bill.usages, bill.purchases, bill.disagreements):
        rows.all().delete()
    purchases = (_purchase(bill, name, sums) for name, sums in summed(lines.purchases()).items())
    _create(BilledPurchase, purchases)
    _create(BilledUsage, (_usage(bill, row) for row in lines.usage()))
    return bill


def _create(model: Any, rows: Iterable[Any]) -> None:
    rest: Iterator[Any] = iter(rows)
    while some := list(islice(rest, _BATCH)):
        model.objects.bulk_create(some)


def _purchase(bill: Bill, name: Name, sums: Sums) -> BilledPurchase:
    return BilledPurchase(
        bill=bill,
        aws_id=name.aws_id,
        account=name.account,
        region=name.region,
        used_hours=_number(sums.used_hours),
        unused_hours=_number(sums.unused_hours),
        unused_cost=_number(sums.unused_cost),
        currency=_text(next(iter(sums.currencies)), 3) if len(sums.currencies) == 1 else "",
    )


def _usage(bill: Bill, row: tuple[Any, ...]) -> BilledUsage:
    kind, account, region, resource, instance_type, operation, arn, hours, cost, *span = row
    name = name_of(arn)
    return BilledUsage(
        bill=bill,
        account=_text(account, 12),
        region=_text(region, 32),
        resource_id=resource,
        instance_type=_text(instance_type, _SHORT),
        operation=_text(operation, _SHORT),
        kind=kind,
        purchase=name.aws_id if name else "",
        hours=_number(hours) or Decimal(),
        cost=_number(cost),
        first_at=_moment(span[0]),
        last_at=_moment(span[1]),
    )


def _number(value: Decimal | Fraction | None) -> Decimal | None:
    """Return an amount with the digits that a column holds."""
    if value is None:
        return None
    if not -_MOST < value < _MOST:
        raise BillProblem("An amount is too large for hours or money of a month.")
    with localcontext(prec=_PRECISION):
        exact = Fraction(value)
        return (Decimal(exact.numerator) / exact.denominator).quantize(_DIGITS, ROUND_HALF_EVEN)


def _moment(value: datetime | None) -> datetime | None:
    return value.replace(tzinfo=UTC) if value else None


def _text(value: str, longest: int) -> str:
    return value.replace("\x00", "\ufffd")[:longest]
