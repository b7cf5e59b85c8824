"""Why a part of a purchase stays idle: the nearest instances, and what keeps them apart."""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction

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
    is_running: bool = True


# (payer, region, family) to profiles to instances with the share still paid On-Demand.
Surroundings = defaultdict[tuple[str, str, str], defaultdict[Profile, list[tuple[str, Fraction]]]]
# Each difference and its code, the most telling first.
_CODES = {
    "platform": "wrong_platform",
    "size": "wrong_size_not_flexible",
    "tenancy": "wrong_tenancy",
    "zone": "wrong_az",
    "account": "other_account_sharing_off",
    "running": "not_running",
}
# Differences that may be none, were all recorded.
_DOUBTFUL = frozenset({"platform", "zone"})


def explain(
    wanted: Profile,
    idle: Fraction,
    is_flexible: bool,
    surroundings: Mapping[tuple[str, str, str], Mapping[Profile, list[tuple[str, Fraction]]]],
) -> tuple[Reason, ...]:
    """Return the causes of `idle` unused Reserved Instances of the purchase `wanted`.

    The instances that the fewest differences keep away are the nearest. Instances that another
    purchase pays for already are not named. No cause is given where instances that cannot be
    compared, for their code or zone was never recorded, are all there is.
    """
    near = surroundings.get((wanted.payer, wanted.region, family(wanted.instance_type)), {})
    found: dict[frozenset[str], list[tuple[str, Fraction]]] = defaultdict(list)
    has_match = has_doubt = False
    for profile, machines in near.items():
        differences = _differences(wanted, profile, is_flexible=is_flexible)
        if not _compares(wanted, profile):
            has_doubt = has_doubt or differences <= _DOUBTFUL
            continue
        has_match = has_match or not differences
        for aws_id, left in machines:
            if differences and left:
                found[differences].append((aws_id, left * _weight(wanted, profile, is_flexible)))
    fewest = min(map(len, found), default=0)
    # What two differences keep away does not explain a surplus, nor another type a lack.
    is_far = fewest > 1 and (has_match or not _has_type(near, wanted, is_flexible=is_flexible))
    if not found or is_far:
        if has_doubt and not has_match:
            return ()
        return (Reason("over_bought" if has_match else "no_instance_of_type", ()),)
    nearest = {key: machines for key, machines in found.items() if len(key) == fewest}
    reasons = tuple(_reasons(nearest))
    explained = sum(units for machines in nearest.values() for _, units in machines)
    if has_match and explained < idle:
        reasons += (Reason("over_bought", ()),)
    return reasons


def _compares(wanted: Profile, other: Profile) -> bool:
    """Say whether all is known that tells the two apart.

    The name of a zone means something in its account alone.
    """
    if other.platform is None:
        return False
    if wanted.zone is None:
        return True
    if not wanted.zone or not other.zone:
        return False
    return wanted.account == other.account or not (" " in wanted.zone or " " in other.zone)


def _reasons(nearest: Mapping[frozenset[str], list[tuple[str, Fraction]]]) -> list[Reason]:
    named: dict[str, list[str]] = defaultdict(list)
    for differences, machines in nearest.items():
        for difference in differences:
            named[difference] += [aws_id for aws_id, _ in machines]
    return [
        Reason(code, tuple(sorted(named[difference])[:NAMED]))
        for difference, code in _CODES.items()
        if difference in named
    ]


def _differences(wanted: Profile, other: Profile, *, is_flexible: bool) -> frozenset[str]:
    reaches = wanted.account == other.account or (wanted.is_sharing and other.is_sharing)
    apart = {
        "platform": wanted.platform != other.platform,
        "size": _differs_in_size(wanted, other, is_flexible=is_flexible),
        "tenancy": wanted.tenancy != other.tenancy or other.tenancy == HOST,
        "zone": wanted.zone is not None and wanted.zone != other.zone,
        "account": not reaches,
        "running": not other.is_running,
    }
    return frozenset(name for name, differs in apart.items() if differs)


def _differs_in_size(wanted: Profile, other: Profile, *, is_flexible: bool) -> bool:
    can_flex = is_flexible and factor(other.instance_type) is not None
    return not can_flex and wanted.instance_type != other.instance_type


def _has_type(near: Mapping[Profile, object], wanted: Profile, *, is_flexible: bool) -> bool:
    return is_flexible or any(profile.instance_type == wanted.instance_type for profile in near)


def _weight(wanted: Profile, other: Profile, is_flexible: bool) -> Fraction:
    if not is_flexible:
        return Fraction(1)
    own = factor(wanted.instance_type) or Fraction(1)
    return (factor(other.instance_type) or Fraction(1)) / own
