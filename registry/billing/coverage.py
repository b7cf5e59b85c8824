"""Which Reserved Instances pay for which instances, at one moment, the way the bill does.

The order is AWS's: zonal purchases in their own account, then what they leave in accounts that
share; regional purchases in their own account, then what they leave in accounts that share. Where
size is flexible, from the smallest size of the family to the largest. Units are exact fractions.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from fractions import Fraction

from registry.billing.codes import parts, reserved_platform
from registry.billing.fleet import Machine, Owner, Purchase
from registry.billing.idle import Profile, Reason, Surroundings, explain
from registry.billing.normalization import factor, family
from registry.billing.pool import Cover, Pool
from registry.billing.price import hourly_cost, term


@dataclass(frozen=True, slots=True)
class PurchaseUse:
    """How far a purchase is used, in Reserved Instances of its own type; costs for all of it.

    What is idle has no known cost where an instance may use it, were all of it recorded.
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
    once = {purchase.aws_id: purchase for purchase in purchases}
    every = sorted(once.values(), key=lambda purchase: (purchase.account, purchase.aws_id))
    fleet = _Fleet(
        list({machine.aws_id: machine for machine in machines}.values()),
        {owner.account: owner for owner in owners},
        _zones_of(every),
    )
    pools = [Pool(purchase) for purchase in every if purchase.is_active(at)]
    zonal = [pool for pool in pools if not pool.is_regional]
    regional = [pool for pool in pools if pool.is_regional]
    for group in (zonal, regional):
        for pool in group:
            fleet.serve(pool, fleet.own(pool))
        for pool in group:
            if pool.left and fleet.shares(pool.purchase.account):
                fleet.serve(pool, fleet.shared(pool))
    return _result(every, pools, fleet, at=at)


_Key = tuple[str, ...]


class _Fleet:
    """The instances, and how much of each is still paid On-Demand."""

    def __init__(
        self,
        machines: Sequence[Machine],
        owners: Mapping[str, Owner],
        zones: Mapping[_Key, str],
    ) -> None:
        self.machines = machines
        self._owners = owners
        self._zones = {**zones, **_zones_of(machines)}
        running = [machine for machine in machines if machine.is_running]
        self.left = {machine.aws_id: Fraction(1) for machine in running}
        self._buckets: dict[_Key, list[Machine]] = defaultdict(list)
        self._begin: dict[_Key, int] = defaultdict(int)
        for machine in sorted(running, key=_smallest_first):
            if machine.can_be_paid:
                self._sort_in(machine)

    def owner(self, account: str) -> Owner:
        return self._owners.get(account) or Owner(account, account)

    def shares(self, account: str) -> bool:
        return self.owner(account).sharing

    def zone(self, thing: Machine | Purchase) -> str:
        """Name a zone so that it compares across accounts, where that can be known."""
        if thing.zone_id or not thing.zone:
            return thing.zone_id
        known = self._zones.get((thing.account, thing.region, thing.zone))
        return known or f"{thing.account} {thing.zone}"

    def own(self, pool: Pool) -> _Key:
        return ("own", pool.purchase.account, *self._wanted(pool))

    def shared(self, pool: Pool) -> _Key:
        return ("shared", self.owner(pool.purchase.account).payer, *self._wanted(pool))

    def serve(self, pool: Pool, key: _Key) -> None:
        """Let the purchase pay for the instances under `key`, in order, as far as it goes."""
        bucket = self._buckets.get(key, [])
        position = self._begin[key]
        while pool.left and position < len(bucket):
            machine = bucket[position]
            self._pay(pool, machine)
            if self.left[machine.aws_id]:
                break
            position += 1
        self._begin[key] = position

    def _pay(self, pool: Pool, machine: Machine) -> None:
        weight = factor(machine.instance_type) if pool.is_flexible else None
        weight = weight or Fraction(1)
        units = min(pool.left, self.left[machine.aws_id] * weight)
        if not units:
            return
        pool.left -= units
        self.left[machine.aws_id] -= units / weight
        pool.covers.append(Cover(machine.aws_id, units / weight))

    def _wanted(self, pool: Pool) -> _Key:
        bought = pool.purchase
        same = (bought.region, pool.platform, bought.tenancy)
        if pool.is_flexible:
            return (*same, "family", family(bought.instance_type))
        if pool.is_regional:
            return (*same, "type", bought.instance_type)
        return (*same, "zone", bought.instance_type, self.zone(bought))

    def _sort_in(self, machine: Machine) -> None:
        platform = reserved_platform(machine.usage_operation)
        if platform is None:
            return
        owner = self.owner(machine.account)
        same = (machine.region, platform, machine.tenancy)
        kinds: list[_Key] = [("type", machine.instance_type)]
        if factor(machine.instance_type) is not None:
            kinds.append(("family", family(machine.instance_type)))
        if zone := self.zone(machine):
            kinds.append(("zone", machine.instance_type, zone))
        for kind in kinds:
            self._buckets["own", machine.account, *same, *kind].append(machine)
            if owner.sharing:
                self._buckets["shared", owner.payer, *same, *kind].append(machine)


def _zones_of(things: Iterable[Machine | Purchase]) -> dict[_Key, str]:
    """Index the ids of zones by their names, which mean something in their account alone."""
    return {
        (thing.account, thing.region, thing.zone): thing.zone_id
        for thing in things
        if thing.zone and thing.zone_id
    }


def _smallest_first(machine: Machine) -> tuple[Fraction, str, str]:
    return factor(machine.instance_type) or Fraction(0), machine.account, machine.aws_id


def _result(
    every: Sequence[Purchase], pools: Sequence[Pool], fleet: _Fleet, *, at: datetime
) -> Coverage:
    by_id = {pool.purchase.aws_id: pool for pool in pools}
    surroundings = _surroundings(fleet)
    uses = {}
    for purchase in every:
        pool = by_id.get(purchase.aws_id)
        uses[purchase.aws_id] = (
            _use(pool, fleet, surroundings)
            if pool
            else _unused(purchase, is_known=not purchase.is_unclear(at))
        )
    covered = {aws_id: 1 - left for aws_id, left in fleet.left.items()}
    return Coverage(uses, covered)


def _use(pool: Pool, fleet: _Fleet, surroundings: Surroundings) -> PurchaseUse:
    purchase = pool.purchase
    idle = purchase.count - pool.used
    cost = _cost(purchase)
    reasons: tuple[Reason, ...] = ()
    is_unsure = False
    if idle:
        owner = fleet.owner(purchase.account)
        wanted = Profile(
            payer=owner.payer,
            account=purchase.account,
            is_sharing=owner.sharing,
            region=purchase.region,
            instance_type=purchase.instance_type,
            platform=pool.platform,
            tenancy=purchase.tenancy,
            zone=None if pool.is_regional else fleet.zone(purchase),
            has_zone_name=not pool.is_regional and bool(purchase.zone),
        )
        reasons = explain(wanted, idle, pool.is_flexible, surroundings)
        is_unsure = surroundings.may_use(wanted, is_flexible=pool.is_flexible)
    return PurchaseUse(
        used=pool.used,
        idle=idle,
        applies=bool(pool.used),
        reasons=reasons,
        covers=tuple(pool.covers),
        hourly_cost=None if cost is None else cost * purchase.count,
        idle_hourly_cost=None if is_unsure else _share(cost, idle),
    )


def _unused(purchase: Purchase, *, is_known: bool) -> PurchaseUse:
    """A purchase that is not active is neither used nor paid: idle, and free of cost.

    Where that is not known, neither a cause nor a cost is.
    """
    cost = _cost(purchase)
    return PurchaseUse(
        used=Fraction(0),
        idle=Fraction(purchase.count),
        applies=False,
        reasons=(Reason("not_active", ()),) if is_known else (),
        covers=(),
        hourly_cost=None if cost is None else cost * purchase.count,
        idle_hourly_cost=Decimal(0) if is_known else None,
    )


def _cost(purchase: Purchase) -> Decimal | None:
    return hourly_cost(
        fixed_price=purchase.fixed_price,
        usage_price=purchase.usage_price,
        recurring_hourly=purchase.recurring_hourly,
        seconds=term(purchase.duration_seconds, _lasts(purchase)),
        offering_type=purchase.offering_type,
    )


def _lasts(purchase: Purchase) -> int | None:
    if purchase.start is None or purchase.end is None:
        return None
    return int((purchase.end - purchase.start).total_seconds())


def _share(cost: Decimal | None, units: Fraction) -> Decimal | None:
    return None if cost is None else cost * units.numerator / units.denominator


def _platform(usage_operation: str | None) -> str | None:
    """Return the platform of the purchases for a code, "" if there are none; None: not known."""
    if usage_operation and parts(usage_operation) is None:
        return None
    return None if usage_operation is None else reserved_platform(usage_operation) or ""


def _surroundings(fleet: _Fleet) -> Surroundings:
    found = Surroundings()
    for machine in fleet.machines:
        if not machine.is_on_demand or machine.state in {"terminated", "shutting-down"}:
            continue
        owner = fleet.owner(machine.account)
        profile = Profile(
            payer=owner.payer,
            account=machine.account,
            is_sharing=owner.sharing,
            region=machine.region,
            instance_type=machine.instance_type,
            platform=_platform(machine.usage_operation),
            tenancy=machine.tenancy,
            zone=fleet.zone(machine),
            is_running=machine.is_running,
            has_zone_name=bool(machine.zone),
        )
        found.add(profile, machine.aws_id, fleet.left.get(machine.aws_id, Fraction(1)))
    return found
