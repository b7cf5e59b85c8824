"""What may be put otherwise: codes of instances, zones of purchases, accounts that share."""

from collections.abc import Hashable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import TypeVar

from registry.billing.circle import Circle, Stock
from registry.billing.pool import Pool
from registry.billing.sharing import Sharing

Correction = Mapping[str, str | None]  # id of an instance → the code that it would carry
REGION = ""  # instead of a zone
_K = TypeVar("_K", bound=Hashable)


@dataclass(frozen=True, slots=True)
class Change:
    """All that is put otherwise at once.

    `zones` says for the id of a purchase where it is moved to: a zone as circles name it, or the
    whole REGION. `sharing` names the accounts for which it is turned on.
    """

    codes: Correction = field(default_factory=dict)
    zones: Mapping[str, str] = field(default_factory=dict)
    sharing: frozenset[str] = frozenset()


def merged(changes: Mapping[_K, Change]) -> Change:
    """Return all at once; of several codes or zones for one thing the first counts."""
    codes: dict[str, str | None] = {}
    zones: dict[str, str] = {}
    sharing: set[str] = set()
    for change in apart(changes).values():
        codes |= change.codes
        zones |= change.zones
        sharing |= change.sharing
    return Change(codes, zones, frozenset(sharing))


def apart(changes: Mapping[_K, Change]) -> dict[_K, Change]:
    """Leave every thing to the change that was given first."""
    codes: set[str] = set()
    zones: set[str] = set()
    sharing: set[str] = set()
    found: dict[_K, Change] = {}
    for key, change in changes.items():
        found[key] = Change(
            {aws_id: code for aws_id, code in change.codes.items() if aws_id not in codes},
            {aws_id: zone for aws_id, zone in change.zones.items() if aws_id not in zones},
            change.sharing - sharing,
        )
        codes |= change.codes.keys()
        zones |= change.zones.keys()
        sharing |= change.sharing
    return found


def rearranged(circle: Circle, zones: Mapping[str, str], sharing: Sharing) -> Circle:
    """Return what a circle were with purchases in other zones, and accounts that share otherwise.

    What runs in it stays.
    """
    changed = replace(circle, sharing=sharing, zonal={}, regional={}, _zonal_takes={})
    for pool, zone in sorted(_placed(circle), key=lambda each: _order(each[0])):
        wanted = zones.get(pool.purchase.aws_id)
        if wanted is None:
            changed.buy(pool, zone)
        else:
            changed.buy(_moved(pool, wanted), wanted)
    return changed


def used_by_pool(used: Mapping[Stock, int]) -> dict[str, tuple[Pool, int]]:
    """Return for the id of each purchase that is used in how many units."""
    return {
        pool.purchase.aws_id: (pool, units)
        for stock, number in used.items()
        for pool, units in stock.between(0, number)
    }


def _placed(circle: Circle) -> Iterator[tuple[Pool, str]]:
    for place, stocks in circle.zonal.items():
        for stock in stocks.values():
            yield from ((pool, place.zone) for pool in stock.pools)
    for stock in circle.regional.values():
        yield from ((pool, REGION) for pool in stock.pools)


def _order(pool: Pool) -> tuple[str, str]:
    return pool.purchase.account, pool.purchase.aws_id


def _moved(pool: Pool, zone: str) -> Pool:
    scope = pool.purchase.scope if zone else "Region"
    return Pool(replace(pool.purchase, scope=scope, zone="", zone_id=zone))
