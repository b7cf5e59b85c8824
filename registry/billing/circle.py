"""A circle: purchases and instances that can meet, and the order in which AWS lets them.

What one circle holds says nothing about another, so that each is settled by itself.
"""

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import NamedTuple

from registry.billing.normalization import weight
from registry.billing.pool import Pool
from registry.billing.sharing import Sharing, Users


class CircleKey(NamedTuple):
    """What purchases and instances must have in common, whatever their accounts and zones."""

    payer: str
    region: str
    platform: str
    tenancy: str
    kind: str  # a family where size is flexible, else a type


class Place(NamedTuple):
    """What zonal purchases pay for, and where. The zone is an id, or an account and a name."""

    instance_type: str
    zone: str  # "": not known

    def compares(self, other: "Place") -> bool:
        """Say whether it is known that the zones are one, or two: names compare in an account."""
        if not self.zone or not other.zone:
            return False
        return self.zone.rpartition(" ")[0] == other.zone.rpartition(" ")[0]


class Lot(NamedTuple):
    """Instances of one circle that only their ids tell apart."""

    account: str
    place: Place


@dataclass(slots=True, eq=False)
class Stock:
    """The purchases of an account that pay for the same, in the order in which they do."""

    pools: list[Pool] = field(default_factory=list)
    units: int = 0

    def add(self, pool: Pool) -> None:
        self.pools.append(pool)
        self.units += pool.units

    def between(self, before: int, after: int) -> Iterator[tuple[Pool, int]]:
        """Say whose units they are that lie between two amounts of use; fewer are below 0."""
        low, high = sorted((before, after))
        sign, begin = (1 if before < after else -1), 0
        for pool in self.pools:
            end = begin + pool.units
            if (units := min(high, end) - max(low, begin)) > 0:
                yield pool, sign * units
            begin = end


class Take(NamedTuple):
    """Units that a stock pays for."""

    stock: Stock
    units: int
    users: Users  # whose instances
    place: Place | None = None  # None: anywhere in the region


@dataclass(slots=True)
class Circle:
    """The stocks and instances of a circle, and the units that run, by account and by place.

    `lots` are the ids of its instances by place and account.
    """

    key: CircleKey
    sharing: Sharing
    zonal: dict[Place, dict[str, Stock]] = field(default_factory=dict)
    regional: dict[str, Stock] = field(default_factory=dict)
    lots: dict[Place, dict[str, tuple[str, ...]]] = field(default_factory=dict)
    units: dict[str, int] = field(default_factory=dict)
    places: dict[Place, dict[str, int]] = field(default_factory=dict)
    _zonal_takes: dict[Place, list[Take]] = field(default_factory=dict)
    is_unclear: bool = False  # whether a purchase is active here was never recorded

    def buy(self, pool: Pool, zone: str) -> None:
        """Take in a purchase; accounts, and the purchases of each, in the order they pay in."""
        bought = pool.purchase
        stocks = self.regional
        if not pool.is_regional:
            stocks = self.zonal.setdefault(Place(bought.instance_type, zone), {})
        stocks.setdefault(bought.account, Stock()).add(pool)

    def run(self, lot: Lot, ids: tuple[str, ...]) -> None:
        """Take in running instances."""
        here = self.lots.setdefault(lot.place, {})
        here[lot.account] = here.get(lot.account, ()) + ids
        self._change(lot, len(ids))

    def _change(self, lot: Lot, number: int) -> None:
        account, place = lot
        units = number * self.weight(place.instance_type)
        self.units[account] = self.units.get(account, 0) + units
        self._zonal_takes.pop(place, None)
        if place.zone:
            here = self.places.setdefault(place, {})
            here[account] = here.get(account, 0) + units

    def with_changes(self, changes: Mapping[Lot, int]) -> "Circle":
        """Return what the circle were if so many more instances of each lot ran, or fewer."""
        places = self.places | {
            lot.place: dict(self.places[lot.place]) for lot in changes if lot.place in self.places
        }
        changed = replace(
            self, units=dict(self.units), places=places, _zonal_takes=dict(self._zonal_takes)
        )
        for lot, number in changes.items():
            changed._change(lot, number)
        return changed

    def stocks(self) -> Iterator[Stock]:
        for stocks in (*self.zonal.values(), self.regional):
            yield from stocks.values()

    def accounts(self) -> set[str]:
        """Return the accounts that buy or run something here."""
        found = {*self.units, *self.regional}
        return found.union(*self.zonal.values())

    def weight(self, instance_type: str) -> int:
        return weight(instance_type, self.key.platform, self.key.tenancy)

    def is_doubtful(self, place: Place) -> bool:
        """Say whether a purchase may pay for what runs in a place or not, for lack of a record."""
        return self.is_unclear or any(
            wanted.instance_type == place.instance_type and not wanted.compares(place)
            for wanted in self.zonal
        )

    def used(self) -> dict[Stock, int]:
        """Return the units that each stock pays for."""
        units: dict[Stock, int] = {}
        for take in self.settle():
            units[take.stock] = units.get(take.stock, 0) + take.units
        return units

    def settle(self) -> list[Take]:
        """Say who pays for how much, in the order of AWS.

        Zonal purchases in their own account, then what they leave in the group of the account,
        then in the others that share; regional ones likewise. That zonal ones of others come
        before one's own regional ones is documented without groups, and assumed with them.
        """
        unpaid = dict(self.units)
        takes: list[Take] = []
        for place, stocks in self.zonal.items():
            if place not in self.places:
                continue
            if place not in self._zonal_takes:
                self._zonal_takes[place] = self._settle_place(place, stocks)
            for take in self._zonal_takes[place]:
                unpaid[take.users.account] -= take.units
                takes.append(take)
        left = _pay_own(self.regional, unpaid, takes)
        self._pay_shared(left, unpaid, takes)
        return takes

    def _pay_shared(
        self, left: dict[str, int], unpaid: Mapping[str, int], takes: list[Take]
    ) -> None:
        """Let what is left of the regional stocks pay, in all groups and then in all others."""
        if not any(left.values()):
            return
        steps = self.sharing.steps
        wanted: list[Counter[Users | None]] = [Counter() for _ in steps]
        for account, units in unpaid.items():
            for number, find in enumerate(steps if units else ()):
                wanted[number][find(account)] += units
        for number, find in enumerate(steps):
            for account, stock in self.regional.items():
                users = find(account)
                if users and (paid := min(left[account], wanted[number][users])):
                    takes.append(Take(stock, paid, users))
                    left[account] -= paid
                    # All of a group share with the others, or none.
                    for later in range(number, len(steps)):
                        wanted[later][steps[later](account)] -= paid

    def _settle_place(self, place: Place, stocks: Mapping[str, Stock]) -> list[Take]:
        """Let the zonal stocks of a place pay."""
        takes: list[Take] = []
        here = dict(self.places[place])
        left = _pay_own(stocks, here, takes, place)
        for find in self.sharing.steps if any(left.values()) and any(here.values()) else ():
            queues: dict[Users | None, list[str]] = defaultdict(list)
            for account in sorted(here, reverse=True):
                queues[find(account)].append(account)
            for account, stock in stocks.items():
                users = find(account)
                queue = queues[users] if users and left[account] else []
                while queue and left[account]:
                    user = queue[-1]
                    if paid := min(left[account], here[user]):
                        takes.append(Take(stock, paid, Users(user), place))
                        left[account] -= paid
                        here[user] -= paid
                    if not here[user]:
                        queue.pop()
        return takes


def _pay_own(
    stocks: Mapping[str, Stock],
    unpaid: dict[str, int],
    takes: list[Take],
    place: Place | None = None,
) -> dict[str, int]:
    """Let stocks pay in their own accounts, and return what is left of them."""
    left = {}
    for account, stock in stocks.items():
        paid = min(stock.units, unpaid.get(account, 0))
        left[account] = stock.units - paid
        if paid:
            takes.append(Take(stock, paid, Users(account), place))
            unpaid[account] -= paid
    return left
