"""What would apply if something were otherwise: recomputed, not guessed.

A correction names instances and the code that each would carry. It takes an instance away from
the purchases for its present platform, which may become idle by that, and gives it to those for
the other. A change may move purchases and turn sharing on as well. Only the circles that it
concerns are settled again.
"""

from collections import Counter, defaultdict
from collections.abc import Hashable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from fractions import Fraction
from typing import NamedTuple, TypeVar

from registry.billing.change import (
    Change,
    Correction,
    apart,
    merged,
    rearranged,
    used_by_pool,
)
from registry.billing.circle import Circle, CircleKey, Lot, Stock
from registry.billing.coverage import price
from registry.billing.fleet import Machine
from registry.billing.pool import Pool
from registry.billing.price import hourly
from registry.billing.situation import Situation

_K = TypeVar("_K", bound=Hashable)
_Settled = tuple[Circle, Mapping[Stock, int]]


@dataclass(frozen=True, slots=True)
class Effect:
    """How many Reserved Instances, by purchase and in its own type, would be used or be idle.

    `hourly` is what those cost idle that would be used, less what those cost that would be idle.
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
class _State:
    """What changes have left behind: the circles that they concern, and who shares since."""

    circles: dict[CircleKey, _Settled] = field(default_factory=dict)
    sharing: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class _Outcome:
    """The state that a change leaves behind, and the units that it moves."""

    state: _State
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
    """Answers what corrections and other changes would change in a situation."""

    def __init__(self, situation: Situation) -> None:
        self._situation = situation
        self._now: dict[CircleKey, _Settled] = {}
        self._costs: dict[str, Fraction | None] = {}
        self._moves: dict[tuple[str, str | None], _Move] = {}
        self._unsure: dict[str, bool] = {}
        self._doubtful: dict[CircleKey, bool] = {}
        self._places: dict[str, list[CircleKey]] | None = None

    def effects(self, changes: Mapping[_K, Change | Correction]) -> dict[_K, Effect]:
        """Return the effect of each change alone: by money, then by units, the best first.

        What has no known cost stands with 0; of equals the one that was given first comes first.
        """
        found = {key: self._alone(change) for key, change in _changes(changes).items()}
        return dict(sorted(found.items(), key=lambda each: _rank(each[1])))

    def together(self, changes: Mapping[_K, Change | Correction]) -> Effect:
        """Return the effect of all changes at once, so that nothing counts twice.

        Of several codes or zones for one thing the one that was given first is taken.
        """
        return self._alone(merged(_changes(changes)))

    def shares(self, changes: Mapping[_K, Change | Correction]) -> dict[_K, Effect]:
        """Return what each change adds to those before it, in the order that is given.

        So two that compete for one purchase share it, and the shares sum up to what all do
        together: units always, and hourly costs, to the last digit, where all are known.
        """
        state = _State()
        found, total = {}, Fraction(0)
        for key, change in apart(_changes(changes)).items():
            outcome = self._change(change, state)
            state = outcome.state
            found[key] = outcome.effect(_added(total, outcome.cost))
            total += outcome.cost or 0
        return found

    def has_unpaid(self, key: CircleKey) -> bool:
        """Say whether something runs in a circle that no purchase pays for."""
        circle, used = self._settled(key)
        return sum(circle.units.values()) > sum(used.values())

    def _alone(self, change: Change) -> Effect:
        outcome = self._change(change, _State())
        return outcome.effect(hourly(outcome.cost))

    def _change(self, change: Change, state: _State) -> _Outcome:
        """Change what was left behind; circles not named there are as they are in the situation."""
        moves = [self._move(*item) for item in change.codes.items()]
        is_certain = not any(move.is_doubtful for move in moves)
        lots, zones = _by_circle(moves), self._zones(change.zones)
        keys = dict.fromkeys([*lots, *zones, *self._circles_of(change.sharing, state)])
        after = _State(dict(state.circles), state.sharing | change.sharing)
        moved: dict[str, Fraction] = {}
        cost: Fraction | None = Fraction(0)
        for key in keys:
            before, used = self._before(key, state)
            circle = before.with_changes(lots[key]) if key in lots else before
            is_rearranged = key in zones or bool(change.sharing)
            if is_rearranged:
                sharing = self._situation.sharing(key.payer, turned_on=after.sharing)
                circle = rearranged(circle, zones.get(key, {}), sharing)
                is_certain = is_certain and not self._is_doubtful(key)
            uses = circle.used()
            after.circles[key] = circle, uses
            for pool, units in _differences(circle, used, uses, is_rearranged=is_rearranged):
                number, one = Fraction(units, pool.unit), self._cost(pool)
                moved[pool.purchase.aws_id] = number
                is_certain = is_certain and not (
                    self._is_unsure(pool)
                    or (is_rearranged and self._is_unsure_by_then(pool, after.sharing))
                )
                cost = None if cost is None or one is None else cost + one * number
        return _Outcome(after, moved, cost if is_certain else None, is_certain)

    def _before(self, key: CircleKey, state: _State) -> _Settled:
        circle, used = state.circles.get(key) or self._settled(key)
        # Who shares since has nothing here yet.
        if state.sharing:
            sharing = self._situation.sharing(key.payer, turned_on=state.sharing)
            if circle.sharing is not sharing:
                circle = rearranged(circle, {}, sharing)
                used = circle.used()
        return circle, used

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

    def _zones(self, zones: Mapping[str, str]) -> dict[CircleKey, dict[str, str]]:
        found: dict[CircleKey, dict[str, str]] = defaultdict(dict)
        for aws_id, zone in zones.items():
            if pool := self._situation.pools.get(aws_id):
                found[self._situation.key_of(pool)][aws_id] = zone
        return found

    def _circles_of(self, accounts: frozenset[str], state: _State) -> Iterator[CircleKey]:
        """Name the circles in which one of the accounts buys or runs something, now or by then."""
        if accounts and self._places is None:
            self._places = defaultdict(list)
            for key, circle in self._situation.circles.items():
                for account in circle.accounts():
                    self._places[account].append(key)
        for account in sorted(accounts):
            yield from (self._places or {}).get(account, ())
        for key, (circle, _) in state.circles.items() if accounts else ():
            if not accounts.isdisjoint(circle.accounts()):
                yield key

    def _is_doubtful(self, key: CircleKey) -> bool:
        """Say whether something was never recorded that decides who pays for whom in a circle."""
        if key not in self._doubtful:
            circle = self._situation.circle(key)
            is_doubtful = any(map(circle.is_doubtful, circle.lots))
            self._doubtful[key] = circle.is_unclear or is_doubtful
        return self._doubtful[key]

    def _is_unsure(self, pool: Pool) -> bool:
        name = pool.purchase.aws_id
        if name not in self._unsure:
            self._unsure[name] = self._situation.is_unsure(self._situation.pools[name])
        return self._unsure[name]

    def _is_unsure_by_then(self, pool: Pool, sharing: frozenset[str]) -> bool:
        """Say whether elsewhere, or with others, an instance may use it, were all recorded."""
        return self._situation.is_unsure(pool, is_all_shared=bool(sharing))

    def _cost(self, pool: Pool) -> Fraction | None:
        name = pool.purchase.aws_id
        if name not in self._costs:
            cost = price(pool.purchase, is_used=False)
            self._costs[name] = None if cost is None else Fraction(cost)
        return self._costs[name]


def _by_circle(moves: Iterable[_Move]) -> dict[CircleKey, Counter[Lot]]:
    """Return by how many instances each lot of each circle grows, or shrinks."""
    changes: dict[CircleKey, Counter[Lot]] = defaultdict(Counter)
    for move in moves:
        for key, number in ((move.before, -1), (move.after, 1)):
            if key and move.lot and move.before != move.after:
                changes[key][move.lot] += number
    return changes


def _differences(
    circle: Circle, used: Mapping[Stock, int], uses: Mapping[Stock, int], *, is_rearranged: bool
) -> Iterator[tuple[Pool, int]]:
    """Say of which purchases how many units more are used, or fewer: below 0."""
    if not is_rearranged:
        for stock in circle.stocks():
            before, after = used.get(stock, 0), uses.get(stock, 0)
            if before != after:
                yield from stock.between(before, after)
        return
    old, new = used_by_pool(used), used_by_pool(uses)
    for name in sorted(old.keys() | new.keys()):
        pool = (new.get(name) or old[name])[0]
        units = new.get(name, (pool, 0))[1] - old.get(name, (pool, 0))[1]
        if units:
            yield pool, units


def _rank(effect: Effect) -> tuple[Decimal, Fraction]:
    return -(effect.hourly or Decimal(0)), -effect.units


def _changes(changes: Mapping[_K, Change | Correction]) -> dict[_K, Change]:
    return {
        key: change if isinstance(change, Change) else Change(codes=change)
        for key, change in changes.items()
    }


def _added(total: Fraction, cost: Fraction | None) -> Decimal | None:
    """Return how much the rounded total grows, so that what is rounded sums up as well."""
    before, after = hourly(total), hourly(None if cost is None else total + cost)
    return None if before is None or after is None else after - before
