"""What a purchase has cost in vain and will: rows → waste."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from fractions import Fraction
from typing import NamedTuple

from registry.billing.price import charged_hourly
from registry.billing.waste import Ahead, Record, ahead, so_far
from registry.models import ReservedInstance


class Priced(NamedTuple):
    """As much of a present purchase as tells what it will cost: all of it takes long to make."""

    pk: int
    idle: str
    idle_hourly_cost: Decimal | None
    usage_price: Decimal | None
    recurring_hourly: Decimal | None
    offering_type: str
    end_at: datetime | None


@dataclass(frozen=True, slots=True)
class Waste:
    """What idle Reserved Instances cost, since our first record and from now on; None: unknown."""

    since: datetime | None
    so_far: Decimal | None
    ahead: Ahead | None


def waste_of(row: ReservedInstance, *, at: datetime) -> Waste:
    """Return the waste of a purchase up to its last audit, and from `at` until it ends."""
    values = row.utilizations.order_by("at").values_list("at", "idle_hourly_cost")
    records = [Record(*value) for value in values]
    ends = (row.judged_at, row.gone_at, row.end_at)
    until = min((end for end in ends if end is not None), default=None)
    return Waste(
        since=records[0].at if records else None,
        so_far=so_far(records, until=until) if row.judged_at and until else None,
        ahead=Ahead(Decimal(0), Decimal(0)) if row.is_gone else ahead_of(row, at=at),
    )


def ahead_of(row: ReservedInstance | Priced, *, at: datetime) -> Ahead | None:
    """Return what the idle part of a purchase will cost from `at` until it ends; None: unknown."""
    charged = charged_hourly(
        row.usage_price, row.recurring_hourly, row.offering_type, is_used=False
    )
    if not row.idle:
        return None
    if row.idle == "0":
        return Ahead(Decimal(0), Decimal(0))  # whatever the price is
    return ahead(row.idle_hourly_cost, charged, Fraction(row.idle), at=at, end=row.end_at)
