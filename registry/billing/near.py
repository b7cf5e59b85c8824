"""The instances near a purchase, by what keeps them from it, and what is left of them to pay.

Instances that only their account tells apart are a group, which is compared once with all purchases
for the same. Of an account it matters whether it is the buyer's, and whether it shares with it.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from enum import Enum
from fractions import Fraction
from itertools import islice
from typing import NamedTuple

from registry.billing.likeness import ACCOUNT, Kind, Profile, Ties, Wanted, differences, unknown_of
from registry.billing.normalization import family

NAMED = 20  # instances that are named at most
_Place = tuple[str, str, str]  # payer, region, family
_Left = Mapping[str, Fraction | int]  # what is left of instances to pay; all where nothing is said


class Whose(Enum):
    """Whose instances they are to a buyer."""

    OWN = "its own"
    SHARED = "of others that share with it"
    APART = "of others that do not"


class _Open(NamedTuple):
    """What is left to pay of the instances of a group: by account, by ties, and of all."""

    by_account: Mapping[str, Fraction | int]
    by_ties: Mapping[Ties, Fraction | int]
    total: Fraction | int


@dataclass(slots=True)
class Group:
    """Instances that nothing but their account tells apart."""

    like: Profile
    ids: dict[str, tuple[str, ...]] = field(default_factory=dict)  # by account
    is_unclear: bool = False  # its platform or state was never recorded
    _open: _Open | None = None
    _numbers: Counter[Ties] | None = None  # of accounts
    _named: dict[str, tuple[str, ...]] | None = None
    _first: list[tuple[str, str]] | None = None

    def add(self, account: str, ids: tuple[str, ...]) -> None:
        self.ids[account] = self.ids.get(account, ()) + ids

    def is_there(self, wanted: Wanted, whose: Whose, around: "Surroundings") -> bool:
        """Say whether a buyer has such instances, or some of the others do."""
        own = wanted.account in self.ids
        if whose is Whose.OWN:
            return own
        if self._numbers is None:
            self._numbers = Counter(around.ties[account] for account in self.ids)
        shared = self._numbers[wanted.ties] if wanted.ties.is_sharing else own  # own among them
        return (shared > own) if whose is Whose.SHARED else (len(self.ids) > shared)

    def left(self, wanted: Wanted, whose: Whose, around: "Surroundings") -> Fraction | int:
        """Return what is left to pay of those of a buyer, or of those of some of the others."""
        if self._open is None:
            self._open = self._to_pay(around)
        by_account, by_ties, total = self._open
        own = by_account.get(wanted.account, 0)
        if whose is Whose.OWN:
            return own
        shared = by_ties.get(wanted.ties, 0) if wanted.ties.is_sharing else own  # own among them
        return shared - own if whose is Whose.SHARED else total - shared

    def first_ids(self, part: "Part", around: "Surroundings") -> Iterable[str]:
        """Name the first of a part that are not paid for as a whole."""
        own = part.wanted.account
        if self._named is None:
            left = around.left
            self._named = {
                account: tuple(sorted([one for one in ids if left.get(one, 1)])[:NAMED])
                for account, ids in self.ids.items()
            }
        if part.whose is Whose.OWN:
            return self._named[own]
        if self._first is None:
            self._first = sorted(
                (aws_id, account) for account, ids in self._named.items() for aws_id in ids
            )
        wanted, is_shared = part.wanted.ties, part.whose is Whose.SHARED
        found = (
            aws_id
            for aws_id, account in self._first
            if account != own and wanted.share(around.ties[account]) == is_shared
        )
        return islice(found, NAMED)

    def _to_pay(self, around: "Surroundings") -> _Open:
        by_account: dict[str, Fraction | int] = {}
        by_ties: dict[Ties, Fraction | int] = {}
        left = around.left
        for account, ids in self.ids.items():
            amount = sum([left.get(aws_id, 1) for aws_id in ids])
            by_account[account] = amount
            ties = around.ties[account]
            by_ties[ties] = by_ties.get(ties, 0) + amount
        return _Open(by_account, by_ties, sum(by_ties.values()))


class Part(NamedTuple):
    """The instances of a group in the account of a buyer, or those in some of the others."""

    group: Group
    wanted: Wanted
    whose: Whose
    left: Fraction | int


class Likeness(NamedTuple):
    """How instances differ from what a purchase wants, and what of them is not known.

    Names of zones compare in one account: of the buyer's own instances more may be known.
    """

    differences: int
    unknown: int
    unknown_of_own: int


class _Near(NamedTuple):
    """The groups near a kind of purchase, by what keeps them from it whatever their accounts."""

    has_type: bool
    clear: Mapping[int, list[Group]]
    unclear: Mapping[Likeness, list[Group]]


class Surroundings:
    """The instances by what decides on purchases; each kind of purchase looks around once."""

    def __init__(self, ties: Mapping[str, Ties], left: _Left) -> None:
        self.ties = ties  # of every account
        self.left = left
        self._groups: dict[Profile, Group] = {}
        self._places: dict[_Place, list[Group]] = defaultdict(list)
        self._anywhere: dict[_Place, list[Group]] = {}  # in the region, whatever the zone
        self._near: dict[Kind, _Near] = {}

    def add(self, like: Profile, account: str, ids: tuple[str, ...]) -> None:
        """Take in alike instances."""
        group = self._groups.get(like)
        if group is None:
            group = self._groups[like] = _group(like)
            self._places[_place(like)].append(group)
        group.add(account, ids)

    def near(self, kind: Kind) -> _Near:
        """Compare what is near with a kind of purchase, once for all that buy it."""
        if kind not in self._near:
            self._near[kind] = _compared(kind, self._groups_near(kind.like))
        return self._near[kind]

    def groups(self, wanted: Wanted, apart: int) -> Iterator[tuple[Whose, list[Group]]]:
        """Return what just these differences keep from a purchase; nothing more is to be known.

        Of each group only those instances count that are whose it is said.
        """
        near, rest = self.near(wanted.kind), apart & ~ACCOUNT
        groups = near.clear.get(rest, [])
        if apart & ACCOUNT:
            yield Whose.APART, groups
            return
        yield Whose.SHARED, groups
        yield Whose.OWN, groups
        for likeness, some in near.unclear.items():
            if likeness.differences == rest and not likeness.unknown_of_own:
                yield Whose.OWN, some

    def parts(self, wanted: Wanted, apart: int) -> list[Part]:
        """Return what of that is left to pay."""
        return [
            Part(group, wanted, whose, left)
            for whose, groups in self.groups(wanted, apart)
            for group in groups
            if (left := group.left(wanted, whose, self))
        ]

    def has_match(self, wanted: Wanted) -> bool:
        """Say whether something is there that nothing keeps from a purchase."""
        return any(self._are_there(wanted, *some) for some in self.groups(wanted, 0))

    def doubts(self, wanted: Wanted) -> Iterator[int]:
        """Return what is known to keep those away of which something was never recorded."""
        for (apart, unknown, of_own), groups in self.near(wanted.kind).unclear.items():
            for whose in Whose:
                not_known = of_own if whose is Whose.OWN else unknown
                if not_known and self._are_there(wanted, whose, groups):
                    yield apart & ~not_known | (ACCOUNT if whose is Whose.APART else 0)

    def _are_there(self, wanted: Wanted, whose: Whose, groups: Iterable[Group]) -> bool:
        return any(group.is_there(wanted, whose, self) for group in groups)

    def _groups_near(self, like: Profile) -> list[Group]:
        place = _place(like)
        here = self._places.get(place, [])
        if like.zone is not None:
            return here
        if place not in self._anywhere:
            self._anywhere[place] = _of_any_zone(here)
        return self._anywhere[place]


def _place(profile: Profile) -> _Place:
    return profile.payer, profile.region, family(profile.instance_type)


def _group(like: Profile) -> Group:
    return Group(like, is_unclear=like.platform is None or like.is_running is None)


def _of_any_zone(groups: Iterable[Group]) -> list[Group]:
    """Put together what only zones tell apart."""
    found: dict[Profile, Group] = {}
    for group in groups:
        like = group.like._replace(zone=None, has_zone_name=False)
        if like not in found:
            found[like] = _group(like)
        for account, ids in group.ids.items():
            found[like].add(account, ids)
    return list(found.values())


def _compared(kind: Kind, groups: Iterable[Group]) -> _Near:
    clear: dict[int, list[Group]] = defaultdict(list)
    unclear: dict[Likeness, list[Group]] = defaultdict(list)
    has_type = kind.is_flexible
    is_zonal = kind.like.zone is not None
    for group in groups:
        has_type = has_type or group.like.instance_type == kind.like.instance_type
        apart = differences(kind, group.like)
        unknown = unknown_of(kind, group.like) if is_zonal or group.is_unclear else 0
        if not unknown:
            clear[apart].append(group)
            continue
        of_own = unknown_of(kind, group.like, is_own=True)
        unclear[Likeness(apart, unknown, of_own)].append(group)
    return _Near(has_type, clear, unclear)
