"""What keeps an instance from a purchase, and what of that was never recorded.

Both are sets of a few known things, and a large fleet asks for millions of them: they are bits.
"""

from typing import NamedTuple

from registry.billing.fleet import HOST
from registry.billing.normalization import factor

PLATFORM, SIZE, TENANCY, ZONE, ACCOUNT, RUNNING = (1 << bit for bit in range(6))


class Profile(NamedTuple):
    """What decides whether a purchase pays for an instance, whatever their accounts are."""

    payer: str
    region: str
    instance_type: str
    platform: str | None  # "": no purchase pays for its code; None: its code is not known
    tenancy: str
    zone: str | None  # an id, or account and name; "": not known; None: any of the region
    has_zone_name: bool = False  # besides the id; a name that has none is the zone itself
    is_running: bool | None = True  # None: not known


class Ties(NamedTuple):
    """With whom of its payer an account shares."""

    is_sharing: bool
    wall: str  # the group beyond which it shares nothing

    def share(self, other: "Ties") -> bool:
        return self.is_sharing and other.is_sharing and self.wall == other.wall


class Kind(NamedTuple):
    """What a purchase pays for."""

    like: Profile
    is_flexible: bool


class Wanted(NamedTuple):
    """What a purchase pays for, and for whom."""

    kind: Kind
    account: str
    ties: Ties


def differences(kind: Kind, other: Profile) -> int:
    """Return what keeps instances away, whatever their accounts are."""
    wanted, is_flexible = kind
    found = 0
    if wanted.platform != other.platform:
        found = PLATFORM
    if wanted.instance_type != other.instance_type and not (
        is_flexible and factor(other.instance_type) is not None
    ):
        found |= SIZE
    if wanted.tenancy != other.tenancy or other.tenancy == HOST:
        found |= TENANCY
    if wanted.zone is not None and wanted.zone != other.zone:
        found |= ZONE
    if other.is_running is False:
        found |= RUNNING
    return found


def unknown_of(kind: Kind, other: Profile, *, is_own: bool = False) -> int:
    """Return what may keep instances away or not, for it was never recorded."""
    wanted = kind.like
    found = 0
    if other.platform is None:
        found = PLATFORM
    if wanted.zone is not None and not _has_zones(wanted, other, is_own=is_own):
        found |= ZONE
    if other.is_running is None:
        found |= RUNNING
    return found


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
