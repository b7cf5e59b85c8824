"""Why a part of a purchase stays idle: the nearest instances, and what keeps them apart."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from heapq import nsmallest
from itertools import islice
from typing import NamedTuple

from registry.billing.likeness import Likeness, Profile, compare
from registry.billing.normalization import factor, family

NAMED = 20  # instances that a reason names at most


@dataclass(frozen=True, slots=True)
class Reason:
    """A cause with a stable code, and the nearest instances that it keeps away."""

    code: str
    instance_ids: tuple[str, ...]


_Place = tuple[str, str, str]  # payer, region, family
# Each difference and its code, the most telling first.
_CODES = {
    "platform": "wrong_platform",
    "size": "wrong_size_not_flexible",
    "tenancy": "wrong_tenancy",
    "zone": "wrong_az",
    "account": "other_account_sharing_off",
    "running": "not_running",
}
# Differences that leave an instance near, whatever else was never recorded.
_DOUBTFUL = frozenset({"platform", "zone"})


class _Some(NamedTuple):
    """Alike instances: those that are not paid for as a whole, and how many are left to pay."""

    like: Profile
    unpaid: Sequence[str]
    left: Fraction | int


@dataclass(slots=True)
class _Group:
    """Instances that nothing but their account tells apart, and what is left of them to pay."""

    like: Profile
    left: dict[str, Fraction | int] = field(default_factory=dict)
    total: Fraction | int = 0
    some: list[_Some] = field(default_factory=list)
    _first: list[tuple[str, str]] | None = None

    def add(self, some: _Some) -> None:
        account = some.like.account
        self.left[account] = self.left.get(account, 0) + some.left
        self.total += some.left
        self.some.append(some)

    def first_ids(self, account: str, *, is_own: bool) -> Iterable[str]:
        """Name the first that are not paid for: of the account, or of all the others."""
        if self._first is None:
            ids: dict[str, list[str]] = defaultdict(list)
            for some in self.some:
                ids[some.like.account] += some.unpaid
            self._first = sorted(
                (aws_id, name) for name, each in ids.items() for aws_id in nsmallest(NAMED, each)
            )
        found = (aws_id for aws_id, name in self._first if (name == account) == is_own)
        return islice(found, NAMED)


class _Part(NamedTuple):
    """The instances of a group in the account of the buyer, or those in all the others."""

    group: _Group
    account: str
    is_own: bool

    @property
    def is_there(self) -> bool:
        has_own = self.account in self.group.left
        return has_own if self.is_own else len(self.group.left) > has_own

    @property
    def left(self) -> Fraction | int:
        own = self.group.left.get(self.account, 0)
        return own if self.is_own else self.group.total - own

    def first_ids(self) -> Iterable[str]:
        return self.group.first_ids(self.account, is_own=self.is_own)


@dataclass(frozen=True, slots=True)
class _Near:
    """The groups that are near a kind of purchase, by what keeps them from it.

    True: that of the instances in the account of the buyer; False: that of those in the others.
    """

    has_type: bool
    unclear: Mapping[tuple[Likeness, bool], list[_Group]]
    clear: Mapping[tuple[frozenset[str], bool], list[_Group]]  # the fewest differences first


@dataclass(frozen=True, slots=True)
class _Found:
    """What is near a kind of purchase; None: no instance near enough to tell of."""

    has_match: bool
    has_doubt: bool
    may_match: bool
    reasons: tuple[Reason, ...] | None
    explained: Fraction = Fraction(0)


class Surroundings:
    """The instances by what decides on purchases; each kind of purchase looks around once."""

    def __init__(self) -> None:
        self._places: dict[_Place, list[_Some]] = defaultdict(list)
        self._groups: dict[tuple[_Place, bool], list[_Group]] = {}
        self._compared: dict[tuple[Profile, bool], _Near] = {}
        self._found: dict[tuple[Profile, bool], _Found] = {}

    def add(self, like: Profile, ids: Sequence[str], left: Mapping[str, Fraction]) -> None:
        """Take in instances; what is `left` to pay of each, or all where nothing is said."""
        unpaid: Sequence[str] = ids
        amount: Fraction | int = len(ids)
        if not left.keys().isdisjoint(ids):
            unpaid = [aws_id for aws_id in ids if left.get(aws_id, 1)] or ()
            amount = sum(left.get(aws_id, 1) for aws_id in unpaid)
        self._places[_place(like)].append(_Some(like, unpaid, amount))

    def may_use(self, wanted: Profile, *, is_flexible: bool) -> bool:
        """Say whether an instance may use the purchase, were all of it recorded."""
        return self.around(wanted, is_flexible=is_flexible).may_match

    def around(self, wanted: Profile, *, is_flexible: bool) -> _Found:
        key = (wanted, is_flexible)
        if key not in self._found:
            near = self._near(wanted, is_flexible=is_flexible)
            self._found[key] = _look(wanted, near, is_flexible=is_flexible)
        return self._found[key]

    def _near(self, wanted: Profile, *, is_flexible: bool) -> _Near:
        """Compare what is near with a purchase, once for all accounts that buy alike."""
        key = (wanted._replace(account=""), is_flexible)
        if key not in self._compared:
            groups = self._groups_near(wanted)
            self._compared[key] = _compared(wanted, groups, is_flexible=is_flexible)
        return self._compared[key]

    def _groups_near(self, wanted: Profile) -> list[_Group]:
        is_zonal = wanted.zone is not None
        key = (_place(wanted), is_zonal)
        if key not in self._groups:
            self._groups[key] = _grouped(self._places.get(key[0], ()), is_zonal=is_zonal)
        return self._groups[key]


def explain(
    wanted: Profile, idle: Fraction, is_flexible: bool, surroundings: Surroundings
) -> tuple[Reason, ...]:
    """Return the causes of `idle` unused Reserved Instances of the purchase `wanted`.

    The instances that the fewest differences keep away are the nearest. Instances that another
    purchase pays for already are not named. Of what these leave unexplained too much was bought.
    No cause is given of that, nor where nothing is near, while there are instances that cannot be
    compared, for their code, zone or state was never recorded, and none that match.
    """
    found = surroundings.around(wanted, is_flexible=is_flexible)
    is_clear = found.has_match or not found.has_doubt
    if found.reasons is None:
        code = "over_bought" if found.has_match else "no_instance_of_type"
        return (Reason(code, ()),) if is_clear else ()
    if is_clear and found.explained < idle:
        return (*found.reasons, Reason("over_bought", ()))
    return found.reasons


def _place(profile: Profile) -> _Place:
    return profile.payer, profile.region, family(profile.instance_type)


def _grouped(machines: Iterable[_Some], *, is_zonal: bool) -> list[_Group]:
    groups: dict[tuple[object, ...], _Group] = {}
    for some in machines:
        like = some.like
        key: tuple[object, ...] = (
            *(like.is_sharing, like.wall, like.instance_type, like.platform, like.tenancy),
            like.is_running,
            *((like.zone, like.has_zone_name) if is_zonal else ()),
        )
        if key not in groups:
            groups[key] = _Group(like)
        groups[key].add(some)
    return list(groups.values())


def _compared(wanted: Profile, groups: Iterable[_Group], *, is_flexible: bool) -> _Near:
    unclear: dict[tuple[Likeness, bool], list[_Group]] = defaultdict(list)
    clear: dict[tuple[frozenset[str], bool], list[_Group]] = defaultdict(list)
    has_type = is_flexible
    for group in groups:
        has_type = has_type or group.like.instance_type == wanted.instance_type
        own, others = compare(wanted, group.like, is_flexible=is_flexible)
        for likeness, is_own in ((own, True), (others, False)):
            if likeness.unknown:
                unclear[likeness, is_own].append(group)
            else:
                clear[likeness.differences, is_own].append(group)
    in_order = dict(sorted(clear.items(), key=lambda item: len(item[0][0])))
    return _Near(has_type, unclear, in_order)


def _look(wanted: Profile, near: _Near, *, is_flexible: bool) -> _Found:
    has_doubt = may_match = False
    for ((differences, unknown), is_own), groups in near.unclear.items():
        if _parts(groups, wanted.account, is_own=is_own):
            has_doubt = has_doubt or differences - unknown <= _DOUBTFUL
            may_match = may_match or differences <= unknown
    has_match = any(
        _parts(near.clear.get((frozenset(), is_own), ()), wanted.account, is_own=is_own)
        for is_own in (True, False)
    )
    nearest = _nearest(near, wanted.account)
    fewest = min(map(len, nearest), default=0)
    # What two differences keep away does not explain a surplus, nor another type a lack.
    is_far = fewest > 1 and (has_match or not near.has_type)
    if not nearest or is_far:
        return _Found(has_match, has_doubt, may_match, None)
    explained = sum(
        (
            part.left * _weight(wanted, part.group.like, is_flexible)
            for some in nearest.values()
            for part in some
        ),
        Fraction(0),
    )
    return _Found(has_match, has_doubt, may_match, tuple(_reasons(nearest)), explained)


def _nearest(near: _Near, account: str) -> dict[frozenset[str], list[_Part]]:
    """Return what the fewest differences keep away, of what is still to pay."""
    found: dict[frozenset[str], list[_Part]] = defaultdict(list)
    for (differences, is_own), groups in near.clear.items():
        if found and len(differences) > min(map(len, found)):
            break
        parts = _parts(groups, account, is_own=is_own) if differences else ()
        if unpaid := [part for part in parts if part.left]:
            found[differences] += unpaid
    return found


def _parts(groups: Iterable[_Group], account: str, *, is_own: bool) -> list[_Part]:
    parts = (_Part(group, account, is_own) for group in groups)
    return [part for part in parts if part.is_there]


def _reasons(nearest: Mapping[frozenset[str], list[_Part]]) -> list[Reason]:
    named: dict[str, list[str]] = defaultdict(list)
    for differences, parts in nearest.items():
        first = [aws_id for part in parts for aws_id in part.first_ids()]
        for difference in differences:
            named[difference] += first
    return [
        Reason(code, tuple(nsmallest(NAMED, named[difference])))
        for difference, code in _CODES.items()
        if difference in named
    ]


def _weight(wanted: Profile, other: Profile, is_flexible: bool) -> Fraction:
    own, its = factor(wanted.instance_type), factor(other.instance_type)
    return its / own if is_flexible and own and its else Fraction(1)
