"""Purchases applied by hand: the order of AWS step by step, each with each, nothing sorted in.

It is as slow as it is plain. The engine must agree with it in every cover; and both must use as
much as can be used in any order, which `most` finds without an order.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from fractions import Fraction
from itertools import combinations

from registry.billing.codes import normalize_reserved_platform, reserved_platform
from registry.billing.fleet import Machine, Owner, Purchase
from registry.billing.normalization import NOT_FLEXIBLE, factor, family
from registry.billing.pool import Cover

LINUX = "Linux/UNIX"
STEPS = [
    (scope, whose)
    for scope in ("Availability Zone", "Region")
    for whose in ("own", "group", "others")
]


@dataclass(frozen=True)
class Books:
    """All that is known of purchases, instances and accounts at a moment."""

    purchases: Sequence[Purchase]
    machines: Sequence[Machine]
    owners: Mapping[str, Owner]
    at: datetime

    @classmethod
    def of(
        cls,
        purchases: Sequence[Purchase],
        machines: Sequence[Machine],
        owners: Iterable[Owner],
        at: datetime,
    ) -> "Books":
        return cls(purchases, machines, {owner.account: owner for owner in owners}, at)

    def covers(self) -> dict[str, list[Cover]]:
        """Return what each purchase pays for, in the order in which it does."""
        left = {bought.aws_id: Fraction(bought.count) for bought in self.purchases}
        unpaid = {machine.aws_id: Fraction(1) for machine in self.machines}
        found: dict[str, list[Cover]] = {bought.aws_id: [] for bought in self.purchases}
        in_turn = sorted(self.purchases, key=lambda each: (each.account, each.aws_id))
        smallest_first = sorted(self.machines, key=_size_then_name)
        for scope, whose in STEPS:
            for bought in in_turn:
                for machine in smallest_first if bought.scope == scope else ():
                    if not left[bought.aws_id]:
                        break
                    if self.fits(bought, machine) and self.whose(bought, machine) == whose:
                        need = unpaid[machine.aws_id] * units(bought, machine)
                        paid = min(left[bought.aws_id], need)
                        share = paid / units(bought, machine)
                        left[bought.aws_id] -= paid
                        unpaid[machine.aws_id] -= share
                        found[bought.aws_id] += [Cover(machine.aws_id, share)] if share else []
        return found

    def most(self) -> Fraction:
        """Return how many units could be used at most, whoever pays first.

        The largest flow is the smallest cut: some purchases are cut off, and of the others all
        instances that they reach. Every choice is tried.
        """
        bought = [each for each in self.purchases if each.is_active(self.at)]
        cuts = (
            sum((weight(each) * each.count for each in bought if each not in some), Fraction(0))
            + sum(weight(each) for each in self.machines if self._is_reached(some, each))
            for number in range(len(bought) + 1)
            for some in combinations(bought, number)
        )
        return min(cuts)

    def _is_reached(self, purchases: Iterable[Purchase], machine: Machine) -> bool:
        return any(self.may_pay(each, machine) for each in purchases)

    def may_pay(self, bought: Purchase, machine: Machine) -> bool:
        return self.fits(bought, machine) and bool(self.whose(bought, machine))

    def fits(self, bought: Purchase, machine: Machine) -> bool:
        """Say whether a purchase is for such an instance, whoever owns either."""
        return (
            bought.is_active(self.at)
            and machine.state == "running"
            and not machine.lifecycle
            and not machine.instance_type.startswith("mac")
            and machine.tenancy == bought.tenancy != "host"
            and machine.region == bought.region
            and platform(machine) == platform(bought)
            and (
                machine.instance_type == bought.instance_type
                or (
                    flexes(bought)
                    and family(machine.instance_type) == family(bought.instance_type)
                    and factor(machine.instance_type) is not None
                )
            )
            and (bought.scope == "Region" or self.zone(machine) == self.zone(bought) != "")
        )

    def whose(self, bought: Purchase, machine: Machine) -> str:
        """Say whose an instance is to the buyer; "": of somebody with whom it does not share."""
        buyer, user = self._owner(bought.account), self._owner(machine.account)
        if buyer.account == user.account:
            return "own"
        if buyer.payer != user.payer or not (buyer.sharing and user.sharing):
            return ""
        if buyer.group and buyer.group == user.group:
            return "group"
        return "" if self._is_restricted(buyer) or self._is_restricted(user) else "others"

    def _is_restricted(self, owner: Owner) -> bool:
        return owner.is_restricted or any(
            other.is_restricted
            for other in self.owners.values()
            if owner.group and (other.payer, other.group) == (owner.payer, owner.group)
        )

    def _owner(self, account: str) -> Owner:
        return self.owners.get(account) or Owner(account, account)

    def zone(self, thing: Machine | Purchase) -> str:
        """Return the id of a zone; else its name, which means something in its account alone."""
        if thing.zone_id or not thing.zone:
            return thing.zone_id
        here = (thing.account, thing.region, thing.zone)
        every: list[Machine | Purchase] = [*self.machines, *self.purchases]
        for other in every:
            if other.zone_id and (other.account, other.region, other.zone) == here:
                return other.zone_id
        return f"{thing.account} {thing.zone}"


def platform(thing: Machine | Purchase) -> str | None:
    if isinstance(thing, Purchase):
        return normalize_reserved_platform(thing.platform)
    return reserved_platform(thing.usage_operation)


def is_flexible(thing: Machine | Purchase) -> bool:
    """Say whether purchases for other sizes may pay for such a thing."""
    return (
        platform(thing) == LINUX
        and thing.tenancy == "default"
        and family(thing.instance_type) not in NOT_FLEXIBLE
        and factor(thing.instance_type) is not None
    )


def flexes(bought: Purchase) -> bool:
    return bought.scope == "Region" and is_flexible(bought)


def weight(thing: Machine | Purchase) -> Fraction:
    """Return how many units one is."""
    return (factor(thing.instance_type) if is_flexible(thing) else None) or Fraction(1)


def units(bought: Purchase, machine: Machine) -> Fraction:
    """Return how many Reserved Instances of a purchase a whole instance takes."""
    return weight(machine) / weight(bought)


def _size_then_name(machine: Machine) -> tuple[Fraction, str, str]:
    return factor(machine.instance_type) or Fraction(0), machine.account, machine.aws_id
