"""What circles settle, handed on to single purchases and instances."""

from collections import defaultdict
from collections.abc import Iterable
from fractions import Fraction

from registry.billing.circle import Circle, Lot, Place, Stock
from registry.billing.pool import Cover, Pool

_NOTHING, _WHOLE = Fraction(0), Fraction(1)
_Queue = list[tuple[int, str, str]]  # units, account and id of instances, the next one last


class Payment:
    """Who pays for whom: what purchases cover, and the shares of instances that are left."""

    def __init__(self, circles: Iterable[Circle]) -> None:
        self.left: dict[str, Fraction] = {}  # of instances that are paid for, in part or whole
        self.covers: dict[str, list[Cover]] = defaultdict(list)
        self._unused: dict[str, int] = {}
        self._unpaid: dict[str, int] = {}
        for circle in circles:
            self._settle(circle)

    def used(self, pool: Pool) -> Fraction:
        used = pool.units - self._unused.get(pool.purchase.aws_id, pool.units)
        return Fraction(used, pool.unit) if used else _NOTHING

    def _settle(self, circle: Circle) -> None:
        pools: dict[Stock, list[Pool]] = {}
        queues: dict[tuple[str, Place | None], _Queue] = {}
        for take in circle.settle():
            if take.stock not in pools:
                pools[take.stock] = take.stock.pools[::-1]
            of = take.account, take.place
            if of not in queues:  # all that comes before it is handed on by now
                queues[of] = self._queue(circle, *of)
            self._hand_on(take.units, pools[take.stock], queues[of])

    def _queue(self, circle: Circle, account: str, place: Place | None) -> _Queue:
        """Return the instances that are still to pay, from the smallest to the largest."""
        found = [
            (circle.weight(lot.place.instance_type), lot.account, aws_id)
            for lot in _lots(circle, account, place)
            for aws_id in circle.lots[lot]
            if self._unpaid.get(aws_id) != 0
        ]
        return sorted(found, reverse=True)

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
        self.left[aws_id] = _NOTHING if share == 1 else self.left.get(aws_id, _WHOLE) - share


def _lots(circle: Circle, account: str, place: Place | None) -> Iterable[Lot]:
    if place:
        return (Lot(account, place),)
    if account:
        return (lot for lot in circle.lots if lot.account == account)
    return (lot for lot in circle.lots if lot.account not in circle.alone)
