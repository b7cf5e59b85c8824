"""Why a part of a purchase stays idle: the nearest instances, and what keeps them apart."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from fractions import Fraction
from heapq import nsmallest
from itertools import islice

from registry.billing.fleet import HOST
from registry.billing.normalization import factor, family

NAMED = 20  # instances that a reason names at most


@dataclass(frozen=True, slots=True)
class Reason:
    """A cause with a stable code, and the nearest instances that it keeps away."""

    code: str
    instance_ids: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Profile:
    """All that decides whether a purchase pays for an instance; alike for many instances."""

    payer: str
    account: str
    is_sharing: bool
    region: str
    instance_type: str
    platform: str | None  # "": no purchase pays for its code; None: its code is not known
    tenancy: str
    zone: str | None  # an id, or account and name; "": not known; None: any of the region
    is_running: bool | None = True  # None: not known
    has_zone_name: bool = False  # besides the id; a name that has none is the zone itself


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


@dataclass(slots=True)
class _Group:
    """Instances that nothing but their account tells apart, and what is left of them to pay."""

    like: Profile
    left: dict[str, Fraction] = field(default_factory=dict)
    ids: list[tuple[str, str]] = field(default_factory=list)
    total: Fraction = Fraction(0)
    first: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))

    def add(self, account: str, machines: Iterable[tuple[str, Fraction]]) -> None:
        unpaid = [(aws_id, left) for aws_id, left in machines if left]
        left = sum((left for _, left in unpaid), Fraction(0))
        self.left[account] = self.left.get(account, Fraction(0)) + left
        self.total += left
        self.ids += [(aws_id, account) for aws_id, _ in unpaid]

    def settle(self) -> None:
        self.ids.sort()
        for aws_id, account in self.ids:
            if len(self.first[account]) < NAMED:
                self.first[account].append(aws_id)


@dataclass(frozen=True, slots=True)
class _Part:
    """The instances of a group in the account of the buyer, or those in all the others."""

    group: _Group
    account: str
    is_own: bool

    @property
    def left(self) -> Fraction:
        own = self.group.left.get(self.account, Fraction(0))
        return own if self.is_own else self.group.total - own

    def first_ids(self) -> Iterable[str]:
        if self.is_own:
            return self.group.first.get(self.account, [])
        others = (aws_id for aws_id, account in self.group.ids if account != self.account)
        return islice(others, NAMED)


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
        self._places: dict[_Place, dict[Profile, list[tuple[str, Fraction]]]] = defaultdict(
            lambda: defaultdict(list)
        )
        self._groups: dict[tuple[_Place, bool], list[_Group]] = {}
        self._found: dict[tuple[Profile, bool], _Found] = {}

    def add(self, profile: Profile, aws_id: str, left: Fraction) -> None:
        """Take in an instance, and the share of it that is still paid On-Demand."""
        self._places[_place(profile)][profile].append((aws_id, left))

    def may_use(self, wanted: Profile, *, is_flexible: bool) -> bool:
        """Say whether an instance may use the purchase, were all of it recorded."""
        return self.around(wanted, is_flexible=is_flexible).may_match

    def around(self, wanted: Profile, *, is_flexible: bool) -> _Found:
        key = (wanted, is_flexible)
        if key not in self._found:
            self._found[key] = _look(wanted, self._parts(wanted), is_flexible=is_flexible)
        return self._found[key]

    def _parts(self, wanted: Profile) -> list[_Part]:
        return list(_split(self._near(wanted), wanted.account))

    def _near(self, wanted: Profile) -> list[_Group]:
        is_zonal = wanted.zone is not None
        key = (_place(wanted), is_zonal)
        if key not in self._groups:
            self._groups[key] = _grouped(self._places.get(key[0], {}), is_zonal=is_zonal)
        return self._groups[key]


def explain(
    wanted: Profile, idle: Fraction, is_flexible: bool, surroundings: Surroundings
) -> tuple[Reason, ...]:
    """Return the causes of `idle` unused Reserved Instances of the purchase `wanted`.

    The instances that the fewest differences keep away are the nearest. Instances that another
    purchase pays for already are not named. No cause is given where instances that cannot be
    compared, for their code, zone or state was never recorded, are all there is.
    """
    found = surroundings.around(wanted, is_flexible=is_flexible)
    if found.reasons is None:
        if found.has_doubt and not found.has_match:
            return ()
        return (Reason("over_bought" if found.has_match else "no_instance_of_type", ()),)
    if found.has_match and found.explained < idle:
        return (*found.reasons, Reason("over_bought", ()))
    return found.reasons


def _place(profile: Profile) -> _Place:
    return profile.payer, profile.region, family(profile.instance_type)


def _grouped(
    machines: Mapping[Profile, list[tuple[str, Fraction]]], *, is_zonal: bool
) -> list[_Group]:
    groups: dict[Profile, _Group] = {}
    for profile, some in machines.items():
        like = replace(profile, account="")
        if not is_zonal:
            like = replace(like, zone=None, has_zone_name=False)
        groups.setdefault(like, _Group(like)).add(profile.account, some)
    for group in groups.values():
        group.settle()
    return list(groups.values())


def _split(groups: Iterable[_Group], account: str) -> Iterator[_Part]:
    for group in groups:
        has_own = account in group.left
        if has_own:
            yield _Part(group, account, is_own=True)
        if len(group.left) > has_own:
            yield _Part(group, account, is_own=False)


def _look(wanted: Profile, parts: list[_Part], *, is_flexible: bool) -> _Found:
    kept: dict[frozenset[str], list[_Part]] = defaultdict(list)
    has_match = has_doubt = may_match = False
    for part in parts:
        differences = _differences(wanted, part, is_flexible=is_flexible)
        if unknown := _unknown(wanted, part):
            has_doubt = has_doubt or differences - unknown <= _DOUBTFUL
            may_match = may_match or differences <= unknown
            continue
        has_match = has_match or not differences
        if differences and part.left:
            kept[differences].append(part)
    fewest = min(map(len, kept), default=0)
    # What two differences keep away does not explain a surplus, nor another type a lack.
    is_far = fewest > 1 and (has_match or not _has_type(parts, wanted, is_flexible=is_flexible))
    if not kept or is_far:
        return _Found(has_match, has_doubt, may_match, None)
    nearest = {key: some for key, some in kept.items() if len(key) == fewest}
    explained = sum(
        (
            part.left * _weight(wanted, part.group.like, is_flexible)
            for some in nearest.values()
            for part in some
        ),
        Fraction(0),
    )
    return _Found(has_match, has_doubt, may_match, tuple(_reasons(nearest)), explained)


def _unknown(wanted: Profile, part: _Part) -> frozenset[str]:
    """Name what may differ or not, for it was never recorded."""
    other = part.group.like
    unclear = {
        "platform": other.platform is None,
        "zone": wanted.zone is not None and not _has_zones(wanted, part),
        "running": other.is_running is None,
    }
    return frozenset(name for name, is_unclear in unclear.items() if is_unclear)


def _has_zones(wanted: Profile, part: _Part) -> bool:
    """Say whether the zones can be compared: ids anywhere, names in their account alone.

    A name without an id differs from the name of every known id, or the id would be its own.
    """
    other = part.group.like
    if not wanted.zone or not other.zone:
        return False
    is_name, is_other_name = " " in wanted.zone, " " in other.zone
    if not is_name and not is_other_name:
        return True
    return (
        part.is_own and (is_name or wanted.has_zone_name) and (is_other_name or other.has_zone_name)
    )


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


def _differences(wanted: Profile, part: _Part, *, is_flexible: bool) -> frozenset[str]:
    other = part.group.like
    apart = {
        "platform": wanted.platform != other.platform,
        "size": _differs_in_size(wanted, other, is_flexible=is_flexible),
        "tenancy": wanted.tenancy != other.tenancy or other.tenancy == HOST,
        "zone": wanted.zone is not None and wanted.zone != other.zone,
        "account": not (part.is_own or (wanted.is_sharing and other.is_sharing)),
        "running": other.is_running is False,
    }
    return frozenset(name for name, differs in apart.items() if differs)


def _differs_in_size(wanted: Profile, other: Profile, *, is_flexible: bool) -> bool:
    can_flex = is_flexible and factor(other.instance_type) is not None
    return not can_flex and wanted.instance_type != other.instance_type


def _has_type(parts: Iterable[_Part], wanted: Profile, *, is_flexible: bool) -> bool:
    return is_flexible or any(
        part.group.like.instance_type == wanted.instance_type for part in parts
    )


def _weight(wanted: Profile, other: Profile, is_flexible: bool) -> Fraction:
    if not is_flexible:
        return Fraction(1)
    own = factor(wanted.instance_type) or Fraction(1)
    return (factor(other.instance_type) or Fraction(1)) / own
