"""Which Reserved Instances pay for which instances, at one moment, the way the bill does.

The order is AWS's: see Circle.settle. Where size is flexible, from the smallest size of the
family to the largest. Units are exact fractions.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from fractions import Fraction

from registry.billing.collector import no_collector
from registry.billing.fleet import Machine, Owner, Purchase
from registry.billing.idle import Reason
from registry.billing.pool import Cover, Pool
from registry.billing.price import hourly_cost, term
from registry.billing.situation import Situation


@dataclass(frozen=True, slots=True)
class PurchaseUse:
    """How far a purchase is used, in Reserved Instances of its own type; costs for all of it.

    `hourly_cost` is that of an hour in which all of it is used. What is idle has no known cost
    where an instance may use it, were all of it recorded.
    """

    used: Fraction
    idle: Fraction
    applies: bool
    reasons: tuple[Reason, ...]
    covers: tuple[Cover, ...]
    hourly_cost: Decimal | None
    idle_hourly_cost: Decimal | None


@dataclass(frozen=True, slots=True)
class Coverage:
    """The use of every purchase, and the covered share of every running instance."""

    purchases: Mapping[str, PurchaseUse]
    machines: Mapping[str, Fraction]


def apply(
    purchases: Iterable[Purchase],
    machines: Iterable[Machine],
    owners: Iterable[Owner],
    *,
    at: datetime,
) -> Coverage:
    """Apply the purchases to the instances as they stand at `at`; an id counts once."""
    return cover(Situation(purchases, machines, owners, at=at))


@no_collector()
def cover(situation: Situation) -> Coverage:
    """Apply the purchases of a situation to its instances."""
    uses = {}
    for purchase in situation.purchases:
        pool = situation.pools.get(purchase.aws_id)
        uses[purchase.aws_id] = (
            _use(pool, situation)
            if pool
            else _unused(purchase, is_known=not purchase.is_unclear(situation.at))
        )
    running = (machine.aws_id for machine in situation.machines.values() if machine.is_running)
    return Coverage(uses, {aws_id: situation.payment.covered(aws_id) for aws_id in running})


def price(purchase: Purchase, *, is_used: bool = True) -> Decimal | None:
    """Return what one Reserved Instance of a purchase costs in an hour; None: not known.

    See hourly_cost: one in which it is used, or one in which it is idle.
    """
    return hourly_cost(
        fixed_price=purchase.fixed_price,
        usage_price=purchase.usage_price,
        recurring_hourly=purchase.recurring_hourly,
        seconds=_paid_seconds(purchase),
        offering_type=purchase.offering_type,
        is_used=is_used,
    )


def _use(pool: Pool, situation: Situation) -> PurchaseUse:
    purchase = pool.purchase
    used = situation.payment.used(pool)
    idle = purchase.count - used
    cost, cost_of_idle = price(purchase), price(purchase, is_used=False)
    reasons: tuple[Reason, ...] = ()
    if idle:
        reasons = situation.causes.explain(situation.wanted(pool), idle)
    return PurchaseUse(
        used=used,
        idle=idle,
        applies=bool(used),
        reasons=reasons,
        covers=tuple(situation.payment.covers.get(purchase.aws_id, ())),
        hourly_cost=None if cost is None else cost * purchase.count,
        idle_hourly_cost=None if idle and situation.is_unsure(pool) else _share(cost_of_idle, idle),
    )


def _unused(purchase: Purchase, *, is_known: bool) -> PurchaseUse:
    """A purchase that is not active is neither used nor paid: idle, and free of cost.

    Where that is not known, neither a cause nor a cost is.
    """
    cost = price(purchase)
    return PurchaseUse(
        used=Fraction(0),
        idle=Fraction(purchase.count),
        applies=False,
        reasons=(Reason("not_active", ()),) if is_known else (),
        covers=(),
        hourly_cost=None if cost is None else cost * purchase.count,
        idle_hourly_cost=Decimal(0) if is_known else None,
    )


def _paid_seconds(purchase: Purchase) -> int | None:
    """Return the time for which a fixed price was paid; None where it is not known.

    What was retired ended then, not when its term does: where it was cut short, that is lost.
    """
    if purchase.paid_seconds is not None:
        return purchase.paid_seconds
    lasts = None
    if purchase.start is not None and purchase.end is not None:
        lasts = int((purchase.end - purchase.start).total_seconds())
    seconds = term(purchase.duration_seconds, lasts)
    is_cut = purchase.state == "retired" and seconds != purchase.duration_seconds
    return None if is_cut else seconds


def _share(cost: Decimal | None, units: Fraction) -> Decimal | None:
    return None if cost is None else cost * units.numerator / units.denominator
