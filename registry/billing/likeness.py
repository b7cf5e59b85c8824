"""What keeps an instance from a purchase, and what of that was never recorded."""

from functools import lru_cache
from typing import NamedTuple

from registry.billing.fleet import HOST
from registry.billing.normalization import factor


class Profile(NamedTuple):
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
    wall: str = ""  # the group beyond which its account shares nothing


class Likeness(NamedTuple):
    """How instances differ from what a purchase wants, and what of them is not known."""

    differences: frozenset[str]
    unknown: frozenset[str]


def compare(wanted: Profile, other: Profile, *, is_flexible: bool) -> tuple[Likeness, Likeness]:
    """Compare instances with a purchase, were they the buyer's own and were they another's."""
    apart = _differences(wanted, other, is_flexible=is_flexible)
    theirs = _unknown(wanted, other, is_own=False)
    # Names of zones compare in one account: nothing else is better known there.
    own = _unknown(wanted, other, is_own=True) if "zone" in theirs else theirs
    shared = wanted.is_sharing and other.is_sharing and wanted.wall == other.wall
    return _likeness(apart, own), _likeness(apart if shared else (*apart, "account"), theirs)


@lru_cache(maxsize=1024)
def _likeness(differences: tuple[str, ...], unknown: tuple[str, ...]) -> Likeness:
    """Make each of the few that there are once: of a large fleet many are kept."""
    return Likeness(frozenset(differences), frozenset(unknown))


def _differences(wanted: Profile, other: Profile, *, is_flexible: bool) -> tuple[str, ...]:
    names = []
    if wanted.platform != other.platform:
        names.append("platform")
    if wanted.instance_type != other.instance_type and not (
        is_flexible and factor(other.instance_type) is not None
    ):
        names.append("size")
    if wanted.tenancy != other.tenancy or other.tenancy == HOST:
        names.append("tenancy")
    if wanted.zone is not None and wanted.zone != other.zone:
        names.append("zone")
    if other.is_running is False:
        names.append("running")
    return tuple(names)


def _unknown(wanted: Profile, other: Profile, *, is_own: bool) -> tuple[str, ...]:
    """Name what may differ or not, for it was never recorded."""
    names = []
    if other.platform is None:
        names.append("platform")
    if wanted.zone is not None and not _has_zones(wanted, other, is_own=is_own):
        names.append("zone")
    if other.is_running is None:
        names.append("running")
    return tuple(names)


def _has_zones(wanted: Profile, other: Profile, *, is_own: bool) -> bool:
    """Say whether the zones can be compared: ids anywhere, names in their account alone.

    A name without an id differs from the name of every known id, or the id would be its own.
    """
    if not wanted.zone or not other.zone:
        return False
    is_name, is_other_name = " " in wanted.zone, " " in other.zone
    if not is_name and not is_other_name:
        return True
    return is_own and (is_name or wanted.has_zone_name) and (is_other_name or other.has_zone_name)
