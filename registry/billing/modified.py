"""What was paid for a purchase that came of a modification.

AWS retires what is modified: it ends then. The new purchase has another id, its own start, the same
end and a fixed price of 0. The price was paid once, for the time from the start of the origin to
that end. Neither the term of the new purchase alone nor that of the retired one alone is this time.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from decimal import Decimal
from typing import NamedTuple

from registry.billing.fleet import Purchase
from registry.billing.normalization import factor, family
from registry.billing.price import NO_UPFRONT, term


@dataclass(frozen=True, slots=True)
class Bought:
    """A purchase and the ids of those that were modified into it; empty where none are known."""

    purchase: Purchase
    modified_from: tuple[str, ...] = ()


class _Paid(NamedTuple):
    """What was paid upfront for one Reserved Instance, and the seconds it was paid for."""

    price: Decimal
    seconds: int | None  # None: nothing was


def traced(bought: Iterable[Bought], earlier: Iterable[Bought] = ()) -> list[Purchase]:
    """Return the purchases with what was paid for them, those that were modified included.

    Where that leads to no origin, to several, or to one whose price is not known, the fixed price
    is not known. `earlier` are purchases that may be origins and are not returned.
    """
    every = list(bought)
    by_id = {_key(each.purchase): each for each in (*earlier, *every)}
    return [_traced(each, by_id) for each in every]


_Id = tuple[str, str, str]  # account, region, id


def _key(purchase: Purchase, aws_id: str = "") -> _Id:
    return purchase.account, purchase.region, aws_id or purchase.aws_id


def _traced(one: Bought, by_id: Mapping[_Id, Bought]) -> Purchase:
    purchase = one.purchase
    if not one.modified_from or purchase.fixed_price or purchase.offering_type == NO_UPFRONT:
        return purchase
    paid = _paid(purchase, _origin(one, by_id))
    if paid is None:
        return replace(purchase, fixed_price=None)
    return replace(purchase, fixed_price=paid.price, paid_seconds=paid.seconds)


def _origin(one: Bought, by_id: Mapping[_Id, Bought]) -> Purchase | None:
    """Follow modifications back to the one purchase that they began with."""
    origins: dict[str, Purchase] = {}
    seen, ways = {one.purchase.aws_id}, list(one.modified_from)
    while ways:
        aws_id = ways.pop()
        if aws_id in seen:
            continue
        seen.add(aws_id)
        found = by_id.get(_key(one.purchase, aws_id))
        if found is None:
            return None
        ways += found.modified_from
        if not found.modified_from:
            origins[aws_id] = found.purchase
    return next(iter(origins.values())) if len(origins) == 1 else None


def _paid(purchase: Purchase, origin: Purchase | None) -> _Paid | None:
    if origin is None or origin.fixed_price is None:
        return None
    if not origin.fixed_price:
        # Else it was modified itself, and nothing tells of what.
        return _Paid(origin.fixed_price, None) if origin.offering_type == NO_UPFRONT else None
    scale = _scale(purchase.instance_type, origin.instance_type)
    lasts = None
    if origin.start is not None and purchase.end is not None:
        lasts = (purchase.end - origin.start) // timedelta(seconds=1)
    seconds = term(origin.duration_seconds, lasts)
    if scale is None or seconds is None:
        return None
    return _Paid(origin.fixed_price * scale[0] / scale[1], seconds)


def _scale(kind: str, origin: str) -> tuple[int, int] | None:
    """Return by what a price is multiplied and divided, so that the footprint costs the same."""
    if kind == origin:
        return 1, 1
    size, was = factor(kind), factor(origin)
    if family(kind) != family(origin) or size is None or was is None:
        return None
    scale = size / was
    return scale.numerator, scale.denominator
