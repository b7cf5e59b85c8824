"""What circles settle, handed on to single purchases and instances."""

from collections import defaultdict
from collections.abc import Iterable
from fractions import Fraction

from registry.billing.circle import Circle, Lot, Place, Stock
from registry.billing.pool import Cover, Pool
from registry.billing.sharing import Users

_NOTHING, _WHOLE = Fraction(0), Fraction(1)
_Queue = list[tuple[int, str, str]]  # units, account and id of instances, the next one last


class Payment:
    """Who pays for whom: what purchases cover, and the shares of instances that are left."""

    def __init__(self, circles: Iterable[Circle]) -> None:
        self.left: dict[str, Fraction | int] = {}  # of instances that are paid for, in part or 0
        self.covers: dict[str, list[Cover]] = defaultdict(list)
        self._unused: dict[str, int] = {}
        self._unpaid: dict[str, int] = {}
        for circle in circles:
            self._settle(circle)

    def used(self, pool: Pool) -> Fraction:
        used = pool.units - self._unused.get(pool.purchase.aws_id, pool.units)
        return Fraction(used, pool.unit) if used else _NOTHING

    def covered(self, aws_id: str) -> Fraction:
        """Return the share of an instance that is paid for."""
        left = self.left.get(aws_id)
        if left is None:
            return _NOTHING
        return _WHOLE - left if left else _WHOLE

    def _settle(self, circle: Circle) -> None:
        takes = circle.settle()
        if not takes:
            return
        pools: dict[Stock, list[Pool]] = {}
        queues: dict[tuple[Users, Place | None], _Queue] = {}
        lots = _by_users(circle)
        for take in takes:
            of = take.users, take.place
            if of not in queues:
                lot = take.place and Lot(take.users.account, take.place)
                queues[of] = self._queue(circle, [lot] if lot else lots[take.users])
            if take.stock not in pools:
                pools[take.stock] = take.stock.pools[::-1]
            self._hand_on(take.units, pools[take.stock], queues[of])

    def _queue(self, circle: Circle, lots: Iterable[Lot]) -> _Queue:
        """Return the instances of some lots, the smallest last."""
        found: _Queue = []
        for account, place in lots:
            weight = circle.weight(place.instance_type)
            found += [(weight, account, aws_id) for aws_id in circle.lots[place][account]]
        found.sort(reverse=True)
        return found

    def _hand_on(self, units: int, pools: list[Pool], queue: _Queue) -> None:
        while units:
            (whole, _, aws_id), pool = queue[-1], pools[-1]
            unused = self._unused.get(pool.purchase.aws_id, pool.units)
            unpaid = self._unpaid.get(aws_id, whole)
            if paid := min(units, unused, unpaid):
                self._pay(pool, aws_id, Fraction(paid, whole) if paid < whole else _WHOLE)
                self._unused[pool.purchase.aws_id] = unused - paid
                self._unpaid[aws_id] = unpaid - paid
                units -= paid
            if paid == unpaid:
                queue.pop()
            if paid == unused:
                pools.pop()

    def _pay(self, pool: Pool, aws_id: str, share: Fraction) -> None:
        self.covers[pool.purchase.aws_id].append(Cover(aws_id, share))
        left = 0 if share is _WHOLE else self.left.get(aws_id, 1) - share
        self.left[aws_id] = left or 0


def _by_users(circle: Circle) -> dict[Users, list[Lot]]:
    """Sort the lots by account, by group and for all that share with all."""
    found: dict[Users, list[Lot]] = defaultdict(list)
    steps = circle.sharing.steps
    for lot in (Lot(account, place) for place, ids in circle.lots.items() for account in ids):
        found[Users(lot.account)].append(lot)
        for find in steps:
            if users := find(lot.account):
                found[users].append(lot)
    return found
