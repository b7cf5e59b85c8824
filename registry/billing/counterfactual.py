"""What would apply if instances carried the right code: recomputed, not guessed.

A correction names instances and the code that each would carry. It takes an instance away from
the purchases for its present platform, which may become idle by that, and gives it to those for
the other. Only the circles that a correction concerns are settled again.
"""

from collections import Counter, defaultdict
from collections.abc import Hashable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from typing import NamedTuple, TypeVar

from registry.billing.circle import Circle, CircleKey, Lot, Stock
from registry.billing.coverage import price
from registry.billing.fleet import Machine
from registry.billing.pool import Pool
from registry.billing.price import hourly
from registry.billing.situation import Situation

Correction = Mapping[str, str | None]  # id of an instance → the code that it would carry
_K = TypeVar("_K", bound=Hashable)
_Settled = tuple[Circle, Mapping[Stock, int]]


@dataclass(frozen=True, slots=True)
class Effect:
    """How many Reserved Instances, by purchase and in its own type, would be used or be idle.

    `hourly` is the cost of those that would be used, less the cost of those that would be idle.
    None: a price is not known; or, not `is_certain`, what matters was never recorded.
    """

    gained: Mapping[str, Fraction]
    lost: Mapping[str, Fraction]
    hourly: Decimal | None
    is_certain: bool = True

    @property
    def purchases(self) -> tuple[str, ...]:
        """The purchases that are idle now, in part at least, and would be used: ids, in order."""
        return tuple(sorted(self.gained))

    @property
    def units(self) -> Fraction:
        lost = sum(self.lost.values(), Fraction(0))
        return sum(self.gained.values(), Fraction(0)) - lost


@dataclass(frozen=True, slots=True)
class _Outcome:
    """The circles that a correction leaves behind, and the units that it moves."""

    circles: Mapping[CircleKey, _Settled]
    moved: Mapping[str, Fraction]
    cost: Fraction | None
    is_certain: bool

    def effect(self, cost: Decimal | None) -> Effect:
        gained = {aws_id: units for aws_id, units in self.moved.items() if units > 0}
        lost = {aws_id: -units for aws_id, units in self.moved.items() if units < 0}
        return Effect(gained, lost, cost, self.is_certain)


class _Move(NamedTuple):
    """The circles between which an instance moves; None: no purchase pays for its code."""

    lot: Lot | None = None
    before: CircleKey | None = None
    after: CircleKey | None = None
    is_doubtful: bool = False  # for what was never recorded


class Counterfactual:
    """Answers what corrections would change in a situation."""

    def __init__(self, situation: Situation) -> None:
        self._situation = situation
        self._now: dict[CircleKey, _Settled] = {}
        self._costs: dict[str, Fraction | None] = {}
        self._moves: dict[tuple[str, str | None], _Move] = {}
        self._unsure: dict[str, bool] = {}

    def effects(self, corrections: Mapping[_K, Correction]) -> dict[_K, Effect]:
        """Return the effect of each correction alone: by money, then by units, the best first.

        What has no known cost stands with 0; of equals the one that was given first comes first.
        """
        found = {key: self._alone(correction) for key, correction in corrections.items()}
        return dict(sorted(found.items(), key=lambda each: _rank(each[1])))

    def together(self, corrections: Mapping[_K, Correction]) -> Effect:
        """Return the effect of all corrections at once, so that nothing counts twice.

        Of several codes for one instance the one that was given first is taken.
        """
        every: dict[str, str | None] = {}
        for correction in corrections.values():
            every = {**correction, **every}
        return self._alone(every)

    def shares(self, corrections: Mapping[_K, Correction]) -> dict[_K, Effect]:
        """Return what each correction adds to those before it, in the order that is given.

        So two that compete for one purchase share it, and the shares sum up to what all do
        together: units always, and hourly costs, to the last digit, where all are known.
        """
        circles: dict[CircleKey, _Settled] = {}
        found, total = {}, Fraction(0)
        for key, correction in _apart(corrections).items():
            outcome = self._correct(correction, circles)
            circles |= outcome.circles
            found[key] = outcome.effect(_added(total, outcome.cost))
            total += outcome.cost or 0
        return found

    def _alone(self, correction: Correction) -> Effect:
        outcome = self._correct(correction, {})
        return outcome.effect(hourly(outcome.cost))

    def _correct(self, correction: Correction, circles: Mapping[CircleKey, _Settled]) -> _Outcome:
        """Correct what `circles` are by now; those not named are as they are in the situation."""
        moves = [self._move(*item) for item in correction.items()]
        is_certain = not any(move.is_doubtful for move in moves)
        after: dict[CircleKey, _Settled] = {}
        moved: dict[str, Fraction] = {}
        cost: Fraction | None = Fraction(0)
        for key, lots in _changes(moves).items():
            before, used = circles.get(key) or self._settled(key)
            circle = before.with_changes(lots)
            after[key] = circle, (uses := circle.used())
            for pool, units in _differences(circle, used, uses):
                number, one = Fraction(units, pool.unit), self._cost(pool)
                moved[pool.purchase.aws_id] = number
                is_certain = is_certain and not self._is_unsure(pool)
                cost = None if cost is None or one is None else cost + one * number
        return _Outcome(after, moved, cost if is_certain else None, is_certain)

    def _settled(self, key: CircleKey) -> _Settled:
        if key not in self._now:
            circle = self._situation.circle(key)
            self._now[key] = circle, circle.used()
        return self._now[key]

    def _move(self, aws_id: str, code: str | None) -> _Move:
        if (aws_id, code) not in self._moves:
            machine = self._situation.machines.get(aws_id)
            if machine is None or not machine.may_be_paid:
                return _Move()
            self._moves[aws_id, code] = self._moved(machine, code)
        return self._moves[aws_id, code]

    def _moved(self, machine: Machine, code: str | None) -> _Move:
        situation = self._situation
        before, after = map(situation.platform, (machine.usage_operation, code))
        if before == after:
            return _Move(is_doubtful=before is None)
        keys = situation.key(machine, machine.usage_operation), situation.key(machine, code)
        lot = situation.lot(machine)
        is_doubtful = (
            None in (before, after)
            or machine.is_running is None
            or any(situation.circle(key).is_doubtful(lot.place) for key in keys if key)
        )
        return _Move(lot, *keys, is_doubtful)

    def _is_unsure(self, pool: Pool) -> bool:
        name = pool.purchase.aws_id
        if name not in self._unsure:
            self._unsure[name] = self._situation.is_unsure(pool)
        return self._unsure[name]

    def _cost(self, pool: Pool) -> Fraction | None:
        name = pool.purchase.aws_id
        if name not in self._costs:
            cost = price(pool.purchase)
            self._costs[name] = None if cost is None else Fraction(cost)
        return self._costs[name]


def _changes(moves: Iterable[_Move]) -> dict[CircleKey, Counter[Lot]]:
    """Return by how many instances each lot of each circle grows, or shrinks."""
    changes: dict[CircleKey, Counter[Lot]] = defaultdict(Counter)
    for move in moves:
        for key, number in ((move.before, -1), (move.after, 1)):
            if key and move.lot and move.before != move.after:
                changes[key][move.lot] += number
    return changes


def _differences(
    circle: Circle, used: Mapping[Stock, int], uses: Mapping[Stock, int]
) -> Iterator[tuple[Pool, int]]:
    for stock in circle.stocks():
        before, after = used.get(stock, 0), uses.get(stock, 0)
        if before != after:
            yield from stock.between(before, after)


def _rank(effect: Effect) -> tuple[Decimal, Fraction]:
    return -(effect.hourly or Decimal(0)), -effect.units


def _apart(corrections: Mapping[_K, Correction]) -> dict[_K, Correction]:
    """Leave every instance to the correction that was given first."""
    seen: set[str] = set()
    found: dict[_K, Correction] = {}
    for key, correction in corrections.items():
        found[key] = {aws_id: code for aws_id, code in correction.items() if aws_id not in seen}
        seen |= correction.keys()
    return found


def _added(total: Fraction, cost: Fraction | None) -> Decimal | None:
    """Return how much the rounded total grows, so that what is rounded sums up as well."""
    before, after = hourly(total), hourly(None if cost is None else total + cost)
    return None if before is None or after is None else after - before
