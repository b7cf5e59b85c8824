"""Why a part of a purchase stays idle: the nearest instances, and what keeps them apart."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from fractions import Fraction
from heapq import nsmallest
from itertools import combinations

from registry.billing.likeness import (
    ACCOUNT,
    PLATFORM,
    RUNNING,
    SIZE,
    TENANCY,
    ZONE,
    Kind,
    Profile,
    Wanted,
)
from registry.billing.near import NAMED, Part, Surroundings
from registry.billing.normalization import factor


@dataclass(frozen=True, slots=True)
class Reason:
    """A cause with a stable code, and the nearest instances that it keeps away."""

    code: str
    instance_ids: tuple[str, ...]


# Each difference and its code, the most telling first.
_CODES = {
    PLATFORM: "wrong_platform",
    SIZE: "wrong_size_not_flexible",
    TENANCY: "wrong_tenancy",
    ZONE: "wrong_az",
    ACCOUNT: "other_account_sharing_off",
    RUNNING: "not_running",
}
# Whatever may differ at once: one thing, then two, and so on.
_BY_NUMBER = [
    [sum(some) for some in combinations(_CODES, number)] for number in range(1, len(_CODES) + 1)
]
# Differences that leave an instance near, whatever else was never recorded.
_DOUBTFUL = PLATFORM | ZONE


@dataclass(frozen=True, slots=True)
class _Found:
    """What is near a purchase; None: no instance near enough to tell of."""

    has_match: bool
    has_doubt: bool
    reasons: tuple[Reason, ...] | None
    explained: Fraction | int = 0


class Causes:
    """Why purchases are idle among some instances; those that are bought alike are told once."""

    def __init__(self, surroundings: Surroundings) -> None:
        self._around = surroundings
        self._found: dict[Wanted, _Found] = {}

    def explain(self, wanted: Wanted, idle: Fraction) -> tuple[Reason, ...]:
        """Return the causes of `idle` unused Reserved Instances of the purchase `wanted`.

        The instances that the fewest differences keep away are the nearest. Instances that another
        purchase pays for already are not named. Of what these leave unexplained too much was
        bought. No cause is given of that, nor where nothing is near, while there are instances that
        cannot be compared, for their code, zone or state was never recorded, and none that match.
        """
        if wanted not in self._found:
            self._found[wanted] = _look(wanted, self._around)
        found = self._found[wanted]
        is_clear = found.has_match or not found.has_doubt
        if found.reasons is None:
            code = "over_bought" if found.has_match else "no_instance_of_type"
            return (Reason(code, ()),) if is_clear else ()
        if is_clear and found.explained < idle:
            return (*found.reasons, Reason("over_bought", ()))
        return found.reasons

    def may_use(self, wanted: Wanted, *, is_all_shared: bool = False) -> bool:
        """Say whether an instance may use the purchase, were all of it recorded.

        As things are, or as if every account shared with every other of its payer.
        """
        passed = ACCOUNT if is_all_shared else 0
        return any(not sure & ~passed for sure in self._around.doubts(wanted))


def _look(wanted: Wanted, around: Surroundings) -> _Found:
    has_doubt = any(not sure & ~_DOUBTFUL for sure in around.doubts(wanted))
    has_match = around.has_match(wanted)
    nearest = _nearest(wanted, around)
    fewest = min(map(int.bit_count, nearest), default=0)
    # What two differences keep away does not explain a surplus, nor another type a lack.
    is_far = fewest > 1 and (has_match or not around.near(wanted.kind).has_type)
    if not nearest or is_far:
        return _Found(has_match, has_doubt, None)
    parts = [part for some in nearest.values() for part in some]
    explained = _explained(wanted.kind, parts)
    return _Found(has_match, has_doubt, tuple(_reasons(nearest, around)), explained)


def _nearest(wanted: Wanted, around: Surroundings) -> dict[int, list[Part]]:
    """Return what the fewest differences keep away, of what is still to pay."""
    for some in _BY_NUMBER:
        found = {
            differences: unpaid
            for differences in some
            if (unpaid := around.parts(wanted, differences))
        }
        if found:
            return found
    return {}


def _reasons(nearest: Mapping[int, list[Part]], around: Surroundings) -> Iterable[Reason]:
    named: dict[int, list[str]] = defaultdict(list)
    for differences, parts in nearest.items():
        first = [aws_id for part in parts for aws_id in part.group.first_ids(part, around)]
        for difference in _CODES:
            if differences & difference:
                named[difference] += first
    for difference, code in _CODES.items():
        if difference in named:
            yield Reason(code, tuple(nsmallest(NAMED, named[difference])))


def _explained(kind: Kind, parts: Iterable[Part]) -> Fraction | int:
    """Return how many Reserved Instances would be used by what is left of some parts."""
    if not kind.is_flexible:
        return sum(part.left for part in parts)
    own = factor(kind.like.instance_type) or 1
    units = sum(part.left * (_quarters(part.group.like) or 4 * own) for part in parts)
    return Fraction(units) / (4 * own)


def _quarters(like: Profile) -> int:
    """Return the units of a type where size is flexible: see `weight`; 0: it has none."""
    return int(4 * (factor(like.instance_type) or 0))
