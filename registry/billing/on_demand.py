"""What hours cost at list price: of instances as they are billed, as they should be, and unpaid.

A list price is what AWS asks for an hour On-Demand. What is really paid may be less: Reserved
Instances and Savings Plans, and prices agreed on, are not in it.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from fractions import Fraction
from typing import NamedTuple

from registry.billing.codes import (
    PLAIN,
    RHEL_BYOL,
    TABLE,
    canonical,
    normalize_reserved_platform,
    parts,
)
from registry.billing.price import hourly

# The tenancies of an instance that has a price of its own: of a Dedicated Host, the host is billed.
PRICED_TENANCIES = ("default", "dedicated")


class Kind(NamedTuple):
    """What AWS lists one price for; `usage_operation` is the code that is charged."""

    region: str
    instance_type: str
    usage_operation: str
    tenancy: str


@dataclass(frozen=True, slots=True)
class Price:
    """What an hour costs at list price. None: not known, and `problem` says why."""

    hourly: Decimal | None
    currency: str = ""
    read_at: datetime | None = None
    problem: str = ""


NOT_READ = Price(None, problem="It was not read yet.")
NO_PRICE = Price(None, problem="What it is charged as is not known.")


def charged_code(usage_operation: str | None) -> str | None:
    """Return the code by which the price list names what is charged; None where nobody knows.

    Red Hat BYOL is charged as plain Linux: so AWS's usage reports show it.
    """
    code = canonical(usage_operation) if usage_operation else None
    return PLAIN if code and parts(code) == frozenset({RHEL_BYOL}) else code


def kind_of(
    region: str, instance_type: str, usage_operation: str | None, tenancy: str
) -> Kind | None:
    """Return what an instance is listed as; None where it has no list price or is not known."""
    code = charged_code(usage_operation)
    if code is None or not instance_type or tenancy not in PRICED_TENANCIES:
        return None
    return Kind(region, instance_type, code, tenancy)


def codes_paid_by(product_description: str) -> frozenset[str]:
    """Return the codes that purchases of a platform pay for; none where it is not known."""
    platform = normalize_reserved_platform(product_description)
    return frozenset(code.usage_operation for code in TABLE if code.reserved_platform == platform)


def kind_of_purchase(
    region: str, instance_type: str, product_description: str, tenancy: str
) -> Kind | None:
    """Return what a purchase pays for, as it is listed; None where that is not known."""
    charged = {charged_code(code) for code in codes_paid_by(product_description)}
    if len(charged) != 1:
        return None
    return kind_of(region, instance_type, charged.pop(), tenancy)


@dataclass(frozen=True, slots=True)
class Line:
    """Instances that are alike: how many, and an hour of one as billed now and as it should be."""

    instance_type: str
    usage_operation: str | None
    tenancy: str
    count: int
    now: Price
    due: Price

    @property
    def difference(self) -> Decimal | None:
        """Return by how much one should cost more in an hour; less than 0: it costs too much."""
        return _difference(self.due, self.now)


@dataclass(frozen=True, slots=True)
class Comparison:
    """An hour of all instances together; None where one of the prices is not known.

    `others` run too, but not at a list price: Spot, and what a Dedicated Host is billed for.
    """

    lines: Sequence[Line]
    others: int = 0

    @property
    def count(self) -> int:
        return sum(line.count for line in self.lines)

    @property
    def unknown(self) -> int:
        """Return of how many instances one of the two prices is not known."""
        return sum(line.count for line in self.lines if line.difference is None)

    @property
    def currency(self) -> str:
        """Return the one currency of all; "" where there is none, or more than one."""
        found = {price.currency for price in self._prices() if price.hourly is not None}
        return found.pop() if len(found) == 1 else ""

    @property
    def now(self) -> Decimal | None:
        return self._together(line.now for line in self.lines)

    @property
    def due(self) -> Decimal | None:
        return self._together(line.due for line in self.lines)

    @property
    def difference(self) -> Decimal | None:
        """Return by how much all should cost more in an hour; less than 0: they cost too much."""
        if self.now is None or self.due is None:
            return None
        return self.due - self.now

    @property
    def excess(self) -> Decimal | None:
        return None if self.difference is None else -self.difference

    @property
    def total(self) -> int:
        return self.count + self.others

    @property
    def read_at(self) -> datetime | None:
        """Return when the oldest of the prices was read."""
        return min((price.read_at for price in self._prices() if price.read_at), default=None)

    def _prices(self) -> Iterable[Price]:
        return (price for line in self.lines for price in (line.now, line.due))

    def _together(self, prices: Iterable[Price]) -> Decimal | None:
        if not self.currency:
            return None
        total = Decimal(0)
        for line, price in zip(self.lines, prices, strict=True):
            if price.hourly is None:
                return None
            total += line.count * price.hourly
        return total


@dataclass(frozen=True, slots=True)
class Worth:
    """What a Reserved Instance of a purchase costs in an hour, used or not, and what it replaces.

    `rest` is how many instances of its kind no Reserved Instance pays for, as far as one may see.
    """

    kind: Kind | None
    price: Price
    paid: Decimal | None
    currency: str  # of what is paid
    rest: Fraction | None

    @property
    def gain(self) -> Decimal | None:
        """Return by how much an hour of use at list price is dearer than what is paid for it."""
        if self.price.hourly is None or self.paid is None or self.price.currency != self.currency:
            return None
        return self.price.hourly - self.paid

    @property
    def rest_hourly(self) -> Decimal | None:
        if self.price.hourly is None or self.rest is None:
            return None
        return hourly(self.rest * Fraction(self.price.hourly))


def price_of(kind: Kind | None, prices: Mapping[Kind, Price]) -> Price:
    return NO_PRICE if kind is None else prices.get(kind, NOT_READ)


def _difference(due: Price, now: Price) -> Decimal | None:
    if due.hourly is None or now.hourly is None or due.currency != now.currency:
        return None
    return due.hourly - now.hourly
