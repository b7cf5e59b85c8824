"""What idle Reserved Instances have cost so far, and what they will cost until they end.

A purchase can't be cancelled: it is paid for each hour of its term, used or not. What was paid
upfront is spent, whatever is done now. What is charged each hour is still to be paid; it is worth
avoiding that it buys nothing.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from typing import NamedTuple

from registry.billing.price import hourly

_HOUR = timedelta(hours=1)
_CENT = Decimal("0.01")
_NOTHING = Decimal("0.00")


class Record(NamedTuple):
    """What the idle part of a purchase cost in an hour, from `at` until the next record."""

    at: datetime
    idle_hourly: Decimal | None  # None: not known


@dataclass(frozen=True, slots=True)
class Ahead:
    """What idle Reserved Instances will cost, in cents: the two sum up to the whole."""

    sunk: Decimal
    avoidable: Decimal

    @property
    def total(self) -> Decimal:
        return self.sunk + self.avoidable


def so_far(records: Sequence[Record], *, until: datetime) -> Decimal | None:
    """Return what was idle from the first record on, in order of time, has cost until `until`.

    Of the time before, nothing is known, and nothing is said. None where no record is, or where
    one does not know its cost.
    """
    if not records or records[0].at > until:
        return None
    total = Fraction(0)
    ends = [*(record.at for record in records[1:]), until]
    for record, end in zip(records, ends, strict=True):
        hours = _hours(record.at, min(end, until))
        if hours <= 0:
            continue
        if record.idle_hourly is None:
            return None
        total += Fraction(record.idle_hourly) * hours
    return cents(total)


def ahead(
    idle_hourly: Decimal | None,
    charged: Decimal | None,
    idle: Fraction,
    *,
    at: datetime,
    end: datetime | None,
) -> Ahead | None:
    """Return what will be idle from `at` until `end` costs, were it as idle all the time.

    Of each of the `idle` Reserved Instances `charged` is paid in an hour; the rest of what is idle
    was paid upfront. None where a price or the end is not known, or where they contradict.
    """
    if idle_hourly == 0 or (end is not None and end <= at):
        return Ahead(_NOTHING, _NOTHING)
    if idle_hourly is None or charged is None or end is None:
        return None
    to_pay = hourly(Fraction(charged) * idle)
    if to_pay is None or to_pay > idle_hourly:
        return None
    hours = _hours(at, end)
    total, avoidable = (cents(Fraction(rate) * hours) for rate in (idle_hourly, to_pay))
    return Ahead(total - avoidable, avoidable)


def _hours(begin: datetime, end: datetime) -> Fraction:
    return Fraction((end - begin) // timedelta.resolution, _HOUR // timedelta.resolution)


def cents(amount: Fraction) -> Decimal:
    """Return an amount in cents, half to even."""
    return Decimal(round(amount * 100)) * _CENT
