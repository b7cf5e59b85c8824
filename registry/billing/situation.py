"""Purchases and instances as they stand at one moment, sorted into circles."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime
from functools import cached_property

from registry.billing.circle import Circle, CircleKey, Lot, Place
from registry.billing.codes import parts, reserved_platform
from registry.billing.collector import no_collector
from registry.billing.fleet import Machine, Owner, Purchase
from registry.billing.idle import Causes
from registry.billing.likeness import Kind, Profile, Ties, Wanted
from registry.billing.near import Surroundings
from registry.billing.normalization import kind
from registry.billing.payment import Payment
from registry.billing.pool import Pool
from registry.billing.sharing import NOBODY_SAID, Sharing, by_payer

_Zone = tuple[str, str, str]  # account, region, name
_Signs = tuple[str | None, ...]
_GONE = frozenset({"terminated", "shutting-down"})


class Situation:
    """The circles of a fleet; an id counts once."""

    @no_collector()
    def __init__(
        self,
        purchases: Iterable[Purchase],
        machines: Iterable[Machine],
        owners: Iterable[Owner],
        *,
        at: datetime,
    ) -> None:
        once = {purchase.aws_id: purchase for purchase in purchases}
        self.at = at
        self.purchases = sorted(once.values(), key=lambda each: (each.account, each.aws_id))
        self.machines = {machine.aws_id: machine for machine in machines}
        self.pools: dict[str, Pool] = {}
        self.circles: dict[CircleKey, Circle] = {}
        self._owners = {owner.account: owner for owner in owners}
        self._sharing = by_payer(self._owners.values())
        self._turned_on: dict[tuple[str, frozenset[str]], Sharing] = {}
        self._known_ties: dict[str, Ties] = {}
        # Of names, each of the few is made once.
        self._places: dict[tuple[str, str], Place] = {}
        self._keys: dict[tuple[str, ...], CircleKey] = {}
        self._platforms: dict[str | None, str | None] = {}
        self._zones = _zones_of(self.purchases) | _zones_of(self.machines.values())
        self._alike = _alike(self.machines.values())
        self._buy()
        self._run()

    def owner(self, account: str) -> Owner:
        return self._owners.get(account) or Owner(account, account)

    def sharing(self, payer: str, turned_on: frozenset[str] = frozenset()) -> Sharing:
        """Return how the accounts of a payer share; as if some had turned it on."""
        if not turned_on:
            return self._sharing.get(payer, NOBODY_SAID)
        if (payer, turned_on) not in self._turned_on:
            family = (owner for owner in self._owners.values() if owner.payer == payer)
            self._turned_on[payer, turned_on] = Sharing.of(
                replace(owner, sharing=True) if owner.account in turned_on else owner
                for owner in family
            )
        return self._turned_on[payer, turned_on]

    @property
    def owners(self) -> Iterable[Owner]:
        return self._owners.values()

    def zone(self, thing: Machine | Purchase) -> str:
        """Name a zone so that it compares across accounts, where that can be known."""
        if thing.zone_id or not thing.zone:
            return thing.zone_id
        known = self._zones.get((thing.account, thing.region, thing.zone))
        return known or f"{thing.account} {thing.zone}"

    def circle(self, key: CircleKey) -> Circle:
        if key not in self.circles:
            self.circles[key] = Circle(key, self.sharing(key.payer))
        return self.circles[key]

    def key(self, machine: Machine, usage_operation: str | None) -> CircleKey | None:
        """Name the circle of an instance, did it carry this code; None: no purchase pays."""
        platform = self.platform(usage_operation)
        return self._key(machine, platform) if platform and machine.can_be_paid else None

    def lot(self, machine: Machine) -> Lot:
        where = machine.instance_type, self.zone(machine)
        if where not in self._places:
            self._places[where] = Place(*where)
        return Lot(machine.account, self._places[where])

    def platform(self, usage_operation: str | None) -> str | None:
        """Return the platform of the purchases for a code, "" if none are; None: not known."""
        if usage_operation not in self._platforms:
            self._platforms[usage_operation] = _platform(usage_operation)
        return self._platforms[usage_operation]

    @cached_property
    def payment(self) -> Payment:
        return Payment(self.circles.values())

    @cached_property
    def causes(self) -> Causes:
        """Why purchases are idle, told from all instances that are On-Demand."""
        accounts = {machine.account for machine in self.machines.values()}
        ties = {account: self._ties(account) for account in accounts}
        found = Surroundings(ties, self.payment.left)
        for ids in self._alike.values():
            machine = self.machines[ids[0]]
            if machine.is_on_demand and machine.state not in _GONE:
                found.add(self._profile(machine), machine.account, ids)
        return Causes(found)

    def is_unsure(self, pool: Pool, *, is_all_shared: bool = False) -> bool:
        """Say whether an instance may use what is idle of a purchase, were all recorded.

        As things are, or as if every account shared with every other of its payer.
        """
        return self.causes.may_use(self.wanted(pool), is_all_shared=is_all_shared)

    def key_of(self, pool: Pool) -> CircleKey:
        """Name the circle of a purchase."""
        return self._key(pool.purchase, pool.platform)

    def wanted(self, pool: Pool) -> Wanted:
        """Return what a purchase wants, as instances have it."""
        bought = pool.purchase
        like = Profile(
            payer=self.owner(bought.account).payer,
            region=bought.region,
            instance_type=bought.instance_type,
            platform=pool.platform,
            tenancy=bought.tenancy,
            zone=None if pool.is_regional else self.zone(bought),
            has_zone_name=not pool.is_regional and bool(bought.zone),
        )
        kind = Kind(like, pool.is_flexible)
        return Wanted(kind, bought.account, self._ties(bought.account))

    def _buy(self) -> None:
        for purchase in self.purchases:
            is_active = purchase.is_active(self.at)
            if not is_active and not purchase.is_unclear(self.at):
                continue
            pool = Pool(purchase)
            circle = self.circle(self.key_of(pool))
            if is_active:
                self.pools[purchase.aws_id] = pool
                circle.buy(pool, self.zone(purchase))
            else:
                circle.is_unclear = True

    def _run(self) -> None:
        for ids in self._alike.values():
            machine = self.machines[ids[0]]
            if key := self.key(machine, machine.usage_operation):
                self.circle(key).run(self.lot(machine), ids)

    def _ties(self, account: str) -> Ties:
        if account not in self._known_ties:
            sharing = self.sharing(self.owner(account).payer)
            self._known_ties[account] = Ties(account not in sharing.alone, sharing.wall(account))
        return self._known_ties[account]

    def _key(self, thing: Machine | Purchase, platform: str) -> CircleKey:
        payer, instance_type = self.owner(thing.account).payer, thing.instance_type
        told = payer, thing.region, platform, thing.tenancy, instance_type
        if told not in self._keys:
            what = kind(instance_type, platform, thing.tenancy)
            self._keys[told] = CircleKey(payer, thing.region, platform, thing.tenancy, what)
        return self._keys[told]

    def _profile(self, machine: Machine) -> Profile:
        return Profile(
            payer=self.owner(machine.account).payer,
            region=machine.region,
            instance_type=machine.instance_type,
            platform=self.platform(machine.usage_operation),
            tenancy=machine.tenancy,
            zone=self.zone(machine),
            is_running=machine.is_running,
            has_zone_name=bool(machine.zone),
        )


def _alike(machines: Iterable[Machine]) -> dict[_Signs, tuple[str, ...]]:
    """Sort the ids of instances by all that decides on purchases."""
    found: dict[_Signs, list[str]] = defaultdict(list)
    for each in machines:
        signs = (
            *(each.account, each.region, each.instance_type, each.usage_operation, each.zone),
            *(each.zone_id, each.tenancy, each.state, each.lifecycle),
        )
        found[signs].append(each.aws_id)
    # Of tuples of words, unlike lists, the garbage collector keeps no track.
    return {signs: tuple(ids) for signs, ids in found.items()}


def _zones_of(things: Iterable[Machine | Purchase]) -> dict[_Zone, str]:
    """Index the ids of zones by their names, which mean something in their account alone."""
    return {
        (thing.account, thing.region, thing.zone): thing.zone_id
        for thing in things
        if thing.zone and thing.zone_id
    }


def _platform(usage_operation: str | None) -> str | None:
    if usage_operation and parts(usage_operation) is None:
        return None
    return None if usage_operation is None else reserved_platform(usage_operation) or ""
