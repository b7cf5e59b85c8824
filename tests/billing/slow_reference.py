"""The order of AWS, purchase by purchase and instance by instance, in exact fractions.

It is slow and says nothing of causes. The engine must agree with it in every cover.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from fractions import Fraction

from registry.billing.codes import normalize_reserved_platform, reserved_platform
from registry.billing.fleet import Machine, Owner, Purchase
from registry.billing.normalization import factor, family, is_flexible
from registry.billing.pool import Cover

Key = tuple[str, ...]


def covers(
    purchases: Sequence[Purchase],
    machines: Sequence[Machine],
    owners: Iterable[Owner],
    *,
    at: datetime,
) -> dict[str, tuple[Cover, ...]]:
    """Return what each active purchase pays for, in the order in which it does."""
    every = sorted(purchases, key=lambda each: (each.account, each.aws_id))
    pools = [Pool(purchase) for purchase in every if purchase.is_active(at)]
    fleet = Fleet(machines, {owner.account: owner for owner in owners}, zones_of(purchases))
    for is_regional in (False, True):
        alike = [pool for pool in pools if (pool.bought.scope == "Region") is is_regional]
        for kind in ("own", "group", "shared"):
            for pool in alike:
                for whose in fleet.reached(pool.bought.account):
                    if whose[0] == kind:
                        fleet.serve(pool, whose)
    return {pool.bought.aws_id: tuple(pool.covers) for pool in pools}


class Pool:
    """What is left of a purchase: normalized units where size is flexible, else instances."""

    def __init__(self, bought: Purchase) -> None:
        self.bought = bought
        self.platform = normalize_reserved_platform(bought.platform)
        self.is_flexible = is_flexible(
            bought.instance_type,
            platform=self.platform,
            tenancy=bought.tenancy,
            scope=bought.scope,
        )
        unit = factor(bought.instance_type) if self.is_flexible else None
        self.left = (unit or Fraction(1)) * bought.count
        self.covers: list[Cover] = []


class Fleet:
    """The instances, and how much of each is still paid On-Demand."""

    def __init__(
        self, machines: Sequence[Machine], owners: Mapping[str, Owner], zones: Mapping[Key, str]
    ) -> None:
        self.left = {machine.aws_id: Fraction(1) for machine in machines}
        self._owners = owners
        self._zones = {**zones, **zones_of(machines)}
        self._buckets: dict[Key, list[Machine]] = defaultdict(list)
        for machine in sorted(machines, key=smallest_first):
            if machine.can_be_paid:
                self._sort_in(machine)

    def owner(self, account: str) -> Owner:
        return self._owners.get(account) or Owner(account, account)

    def reached(self, account: str) -> list[Key]:
        """Name those with whom an account shares, itself first, as other accounts name them."""
        owner = self.owner(account)
        found: list[Key] = [("own", account)]
        if owner.sharing and owner.group:
            found.append(("group", owner.payer, owner.group))
        is_restricted = owner.is_restricted or any(
            other.is_restricted
            for other in self._owners.values()
            if owner.group and (other.payer, other.group) == (owner.payer, owner.group)
        )
        if owner.sharing and not is_restricted:
            found.append(("shared", owner.payer))
        return found

    def serve(self, pool: Pool, whose: Key) -> None:
        """Let the purchase pay for the instances of `whose`, in order, as far as it goes."""
        for machine in self._buckets[(*whose, *self._wanted(pool))]:
            weight = factor(machine.instance_type) if pool.is_flexible else None
            units = min(pool.left, self.left[machine.aws_id] * (weight or 1))
            if units:
                share = units / (weight or 1)
                pool.left -= units
                self.left[machine.aws_id] -= share
                pool.covers.append(Cover(machine.aws_id, share))

    def _wanted(self, pool: Pool) -> Key:
        bought = pool.bought
        same = (bought.region, pool.platform, bought.tenancy)
        if pool.is_flexible:
            return (*same, "family", family(bought.instance_type))
        if bought.scope == "Region":
            return (*same, "type", bought.instance_type)
        return (*same, "zone", bought.instance_type, self._zone(bought))

    def _sort_in(self, machine: Machine) -> None:
        platform = reserved_platform(machine.usage_operation)
        if platform is None:
            return
        same = (machine.region, platform, machine.tenancy)
        kinds: list[Key] = [("type", machine.instance_type)]
        if factor(machine.instance_type) is not None:
            kinds.append(("family", family(machine.instance_type)))
        if zone := self._zone(machine):
            kinds.append(("zone", machine.instance_type, zone))
        for kind in kinds:
            for whose in self.reached(machine.account):
                self._buckets[(*whose, *same, *kind)].append(machine)

    def _zone(self, thing: Machine | Purchase) -> str:
        if thing.zone_id or not thing.zone:
            return thing.zone_id
        known = self._zones.get((thing.account, thing.region, thing.zone))
        return known or f"{thing.account} {thing.zone}"


def zones_of(things: Iterable[Machine | Purchase]) -> dict[Key, str]:
    return {
        (thing.account, thing.region, thing.zone): thing.zone_id
        for thing in things
        if thing.zone and thing.zone_id
    }


def smallest_first(machine: Machine) -> tuple[Fraction, str, str]:
    return factor(machine.instance_type) or Fraction(0), machine.account, machine.aws_id
