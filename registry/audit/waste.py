"""What a purchase has cost in vain and will: rows → waste."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from registry.billing.waste import Ahead, Record, ahead, so_far
from registry.models import ReservedInstance


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
        ahead=_ahead(row, at=at),
    )


def _ahead(row: ReservedInstance, *, at: datetime) -> Ahead | None:
    if row.is_gone:
        return Ahead(Decimal(0), Decimal(0))
    if row.idle_units is None or row.usage_price is None or row.recurring_hourly is None:
        return None
    charged = row.usage_price + row.recurring_hourly
    return ahead(row.idle_hourly_cost, charged, row.idle_units, at=at, end=row.end_at)
