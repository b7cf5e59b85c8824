"""What many purchases have cost in vain and will, together: rows → waste."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from fractions import Fraction
from typing import NamedTuple

from django.db.models import DecimalField, F, Func, Min, Q, Sum
from django.db.models.functions import Greatest, Least

from registry.audit.utilization import ended
from registry.audit.waste import Priced, ahead_of
from registry.billing.waste import cents
from registry.models import Utilization
from registry.models.reserved_instance import ReservedInstanceQuerySet


@dataclass(slots=True)
class WasteInAll:
    """What is idle of some purchases, and what that costs; of how many it is not known, beside."""

    purchases: int = 0
    hourly: Decimal = Decimal(0)
    unpriced: int = 0
    since: datetime | None = None
    so_far: Decimal = Decimal(0)
    so_far_unknown: int = 0
    sunk: Decimal = Decimal(0)
    avoidable: Decimal = Decimal(0)
    ahead_unknown: int = 0

    @property
    def ahead(self) -> Decimal:
        return self.sunk + self.avoidable

    def add(self, row: Priced, so_far: Decimal | None, *, at: datetime) -> None:
        self.purchases += 1
        if row.idle_hourly_cost is not None:
            self.hourly += row.idle_hourly_cost
        elif row.idle != "0":  # nothing idle costs nothing, whatever the price is
            self.unpriced += 1
        if so_far is None:
            self.so_far_unknown += 1
        else:
            self.so_far += so_far
        coming = ahead_of(row, at=at)
        if coming is None:
            self.ahead_unknown += 1
        else:
            self.sunk += coming.sunk
            self.avoidable += coming.avoidable


class _Past(NamedTuple):
    """What is kept of a purchase: the cost of what was idle, times the seconds that it lasted."""

    until: datetime
    cost: Decimal | None
    unknown: Decimal | None  # seconds without a known cost
    since: datetime

    @property
    def so_far(self) -> Decimal | None:
        if self.unknown or self.since > self.until:
            return None
        return cents(Fraction(self.cost or 0) / 3600)


class _Seconds(Func):
    """How long something lasted: exact, to the microsecond."""

    template = "EXTRACT(EPOCH FROM %(expressions)s)"
    output_field = DecimalField()


def waste_in_all(rows: ReservedInstanceQuerySet, *, at: datetime) -> WasteInAll:
    """Return the waste of all these present purchases together, of each as its own page tells it.

    It takes two queries.
    """
    plain = rows.order_by()
    past = _so_far(plain)
    found = WasteInAll(since=min((each.since for each in past.values()), default=None))
    for row in map(Priced._make, plain.values_list(*Priced._fields)):
        found.add(row, past[row.pk].so_far if row.pk in past else None, at=at)
    return found


def _so_far(rows: ReservedInstanceQuerySet) -> dict[int, _Past]:
    """Return what is kept of each up to its last audit or its end; see waste_of."""
    row = "reserved_instance"
    until = Least(F(f"{row}__judged_at"), F(f"{row}__end_at"))
    kept = Utilization.objects.filter(
        reserved_instance__in=rows.values("pk"), reserved_instance__judged_at__isnull=False
    )
    lasted = _Seconds(Greatest(Least(ended(), until), F("at")) - F("at"))
    sums = (
        kept.annotate(until=until)
        .order_by()
        .values_list(row, "until")
        .annotate(
            cost=Sum(F("idle_hourly_cost") * lasted, output_field=DecimalField()),
            unknown=Sum(lasted, filter=Q(idle_hourly_cost=None)),
            since=Min("at"),
        )
    )
    return {pk: _Past(*values) for pk, *values in sums.iterator(chunk_size=5_000)}
