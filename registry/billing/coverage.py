"""Which Reserved Instances pay for which instances, at one moment, the way the bill does.

The order is AWS's: zonal purchases in their own account, then what they leave in accounts that
share; regional purchases in their own account, then what they leave in accounts that share. Where
size is flexible, from the smallest size of the family to the largest. Units are exact fractions.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from fractions import Fraction

from registry.billing.codes import normalize_reserved_platform, reserved_platform
from registry.billing.fleet import Machine, Owner, Purchase
from registry.billing.idle import Profile, Reason, Surroundings, explain
from registry.billing.normalization import factor, family, is_flexible
from registry.billing.price import hourly_cost


@dataclass(frozen=True, slots=True)
class Cover:
    """The share of an instance that a purchase pays for."""

    instance_id: str
    fraction: Fraction


@dataclass(frozen=True, slots=True)
class PurchaseUse:
    """How far a purchase is used, in Reserved Instances of its own type; costs for all of it."""

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
    """Apply the purchases to the instances as they stand at `at`."""
    fleet = _Fleet(list(machines), {owner.account: owner for owner in owners})
    every = sorted(purchases, key=lambda purchase: (purchase.account, purchase.aws_id))
    pools = [_Pool(purchase) for purchase in every if purchase.is_active(at)]
    zonal = [pool for pool in pools if not pool.is_regional]
    regional = [pool for pool in pools if pool.is_regional]
    for group in (zonal, regional):
        for pool in group:
            fleet.serve(pool, fleet.own(pool))
        for pool in group:
            if pool.left and fleet.shares(pool.purchase.account):
                fleet.serve(pool, fleet.shared(pool))
    return _result(every, pools, fleet)


@dataclass(slots=True)
class _Pool:
    """What is left of a purchase: normalized units where size is flexible, else instances."""

    purchase: Purchase
    platform: str = ""
    is_regional: bool = False
    is_flexible: bool = False
    unit: Fraction = Fraction(1)
    left: Fraction = Fraction(0)
    covers: list[Cover] = field(default_factory=list)

    def __post_init__(self) -> None:
        bought = self.purchase
        self.platform = normalize_reserved_platform(bought.platform)
        self.is_regional = bought.scope == "Region"
        self.is_flexible = is_flexible(
            bought.instance_type,
            platform=self.platform,
            tenancy=bought.tenancy,
            scope=bought.scope,
        )
        if self.is_flexible:
            self.unit = factor(bought.instance_type) or Fraction(1)
        self.left = self.unit * bought.count

    @property
    def used(self) -> Fraction:
        return self.purchase.count - self.left / self.unit


_Key = tuple[str, ...]


class _Fleet:
    """The instances, and how much of each is still paid On-Demand."""

    def __init__(self, machines: Sequence[Machine], owners: Mapping[str, Owner]) -> None:
        self.machines = machines
        self._owners = owners
        self._zones = {
            (machine.account, machine.region, machine.zone): machine.zone_id
            for machine in machines
            if machine.zone and machine.zone_id
        }
        self.running = [machine for machine in machines if machine.state == "running"]
        self.left = {machine.aws_id: Fraction(1) for machine in self.running}
        self._buckets: dict[_Key, list[Machine]] = defaultdict(list)
        self._begin: dict[_Key, int] = defaultdict(int)
        for machine in sorted(self.running, key=_smallest_first):
            if machine.is_on_demand:
                self._sort_in(machine)

    def owner(self, account: str) -> Owner:
        return self._owners.get(account) or Owner(account, account)

    def shares(self, account: str) -> bool:
        return self.owner(account).sharing

    def zone(self, thing: Machine | Purchase) -> str:
        """Name a zone so that it compares across accounts, where that can be known."""
        known = self._zones.get((thing.account, thing.region, thing.zone))
        return thing.zone_id or known or f"{thing.account} {thing.zone}"

    def own(self, pool: _Pool) -> _Key:
        return ("own", pool.purchase.account, *self._wanted(pool))

    def shared(self, pool: _Pool) -> _Key:
        return ("shared", self.owner(pool.purchase.account).payer, *self._wanted(pool))

    def serve(self, pool: _Pool, key: _Key) -> None:
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

    def _pay(self, pool: _Pool, machine: Machine) -> None:
        weight = (factor(machine.instance_type) or Fraction(1)) if pool.is_flexible else Fraction(1)
        units = min(pool.left, self.left[machine.aws_id] * weight)
        if not units:
            return
        pool.left -= units
        self.left[machine.aws_id] -= units / weight
        pool.covers.append(Cover(machine.aws_id, units / weight))

    def _wanted(self, pool: _Pool) -> _Key:
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
        for kind in (
            ("family", family(machine.instance_type)),
            ("type", machine.instance_type),
            ("zone", machine.instance_type, self.zone(machine)),
        ):
            self._buckets["own", machine.account, *same, *kind].append(machine)
            if owner.sharing:
                self._buckets["shared", owner.payer, *same, *kind].append(machine)


def _smallest_first(machine: Machine) -> tuple[Fraction, str, str]:
    return factor(machine.instance_type) or Fraction(0), machine.account, machine.aws_id


def _result(every: Sequence[Purchase], pools: Sequence[_Pool], fleet: _Fleet) -> Coverage:
    by_id = {pool.purchase.aws_id: pool for pool in pools}
    surroundings = _surroundings(fleet)
    uses = {}
    for purchase in every:
        pool = by_id.get(purchase.aws_id)
        uses[purchase.aws_id] = _use(pool, fleet, surroundings) if pool else _not_active(purchase)
    covered = {aws_id: 1 - left for aws_id, left in fleet.left.items()}
    return Coverage(uses, covered)


def _use(pool: _Pool, fleet: _Fleet, surroundings: Surroundings) -> PurchaseUse:
    purchase = pool.purchase
    idle = purchase.count - pool.used
    cost = _cost(purchase)
    reasons: tuple[Reason, ...] = ()
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
            zone="" if pool.is_regional else fleet.zone(purchase),
        )
        reasons = explain(wanted, idle, pool.is_flexible, surroundings)
    return PurchaseUse(
        used=pool.used,
        idle=idle,
        applies=bool(pool.used),
        reasons=reasons,
        covers=tuple(pool.covers),
        hourly_cost=None if cost is None else cost * purchase.count,
        idle_hourly_cost=_share(cost, idle),
    )


def _not_active(purchase: Purchase) -> PurchaseUse:
    """A purchase that is not active is neither used nor paid: idle, and free of cost."""
    cost = _cost(purchase)
    return PurchaseUse(
        used=Fraction(0),
        idle=Fraction(purchase.count),
        applies=False,
        reasons=(Reason("not_active", ()),),
        covers=(),
        hourly_cost=None if cost is None else cost * purchase.count,
        idle_hourly_cost=Decimal(0),
    )


def _cost(purchase: Purchase) -> Decimal | None:
    return hourly_cost(
        fixed_price=purchase.fixed_price,
        usage_price=purchase.usage_price,
        recurring_hourly=purchase.recurring_hourly,
        seconds=purchase.duration_seconds or _term(purchase),
        offering_type=purchase.offering_type,
    )


def _term(purchase: Purchase) -> int | None:
    if purchase.start is None or purchase.end is None:
        return None
    return int((purchase.end - purchase.start).total_seconds())


def _share(cost: Decimal | None, units: Fraction) -> Decimal | None:
    return None if cost is None else cost * units.numerator / units.denominator


def _surroundings(fleet: _Fleet) -> Surroundings:
    found: Surroundings = defaultdict(lambda: defaultdict(list))
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
            platform=reserved_platform(machine.usage_operation) or "",
            tenancy=machine.tenancy,
            zone=fleet.zone(machine),
            is_running=machine.state == "running",
        )
        place = (owner.payer, machine.region, family(machine.instance_type))
        left = fleet.left.get(machine.aws_id, Fraction(1))
        found[place][profile].append((machine.aws_id, left))
    return found
