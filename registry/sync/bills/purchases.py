"""What the lines of a report say of each purchase, in hours of its own type."""

import re
from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from decimal import Decimal
from fractions import Fraction
from typing import Any

from registry.billing import normalization
from registry.sync.bills.place import BillProblem

_ARN = re.compile(
    r"arn:[a-z0-9-]+:ec2:([a-z0-9-]{0,32}):(\d{12}):reserved-instances/([0-9A-Za-z-]{1,64})",
    re.ASCII,
)


@dataclass(frozen=True, slots=True)
class Name:
    """The parts of an ARN of a purchase."""

    region: str
    account: str
    aws_id: str


@dataclass(slots=True)
class Sums:
    """What was billed of a purchase. `normalized` is None where a line says nothing of it.

    What was not used is a list of the amounts of its fees; None: a fee does not say.
    """

    types: set[str] = field(default_factory=set)
    factors: set[Decimal] = field(default_factory=set)
    currencies: set[str] = field(default_factory=set)
    unused: list[Decimal | None] = field(default_factory=list)
    unused_normalized: list[Decimal | None] = field(default_factory=list)
    unused_costs: list[Decimal | None] = field(default_factory=list)
    hours: dict[str, Decimal] = field(default_factory=lambda: defaultdict(Decimal))
    normalized: Fraction | None = Fraction(0)

    @property
    def own_type(self) -> str:
        return next(iter(self.types)) if len(self.types) == 1 else ""

    @property
    def own_factor(self) -> Fraction | None:
        """How much an instance of the purchase's own type is: by its fee, else by its size."""
        told = {factor for factor in self.factors if factor > 0}
        if len(told) == 1:
            return Fraction(told.pop())
        return normalization.factor(self.own_type) if not told else None

    @property
    def used_hours(self) -> Fraction | None:
        """Hours of the own type. Without a fee it isn't known which type that is."""
        if not self.hours:
            return Fraction(0)
        if self.own_type and self.hours.keys() == {self.own_type}:
            return Fraction(self.hours[self.own_type])
        if self.normalized is None or self.own_factor is None:
            return None
        return self.normalized / self.own_factor

    @property
    def unused_hours(self) -> Fraction | None:
        if (hours := _whole(self.unused)) is not None:
            return Fraction(hours)
        units = _whole(self.unused_normalized)
        if units is None or self.own_factor is None:
            return None
        return Fraction(units) / self.own_factor

    @property
    def unused_cost(self) -> Decimal | None:
        return _whole(self.unused_costs) if len(self.currencies) <= 1 else None


def name_of(arn: str) -> Name | None:
    """Return the parts of an ARN; None where it is no purchase of EC2."""
    match = _ARN.fullmatch(arn)
    return Name(match[1], match[2], match[3]) if match else None


def summed(rows: Iterable[tuple[Any, ...]]) -> dict[Name, Sums]:
    """Gather the rows of `Lines.purchases` by purchase; BillProblem where one has two owners."""
    found: dict[Name, Sums] = defaultdict(Sums)
    for kind, arn, *told in rows:
        name = name_of(arn)
        if name is not None:
            (_add_fee if kind == "fee" else _add_usage)(found[name], *told)
    often = Counter(name.aws_id for name in found)
    if twice := [aws_id for aws_id, times in often.items() if times > 1]:
        raise BillProblem(f"The lines name several owners of purchase {twice[0]}.")
    return found


def _add_fee(sums: Sums, kind: str, factor: Decimal | None, currency: str, *amounts: Any) -> None:
    _, _, _, unused, unused_normalized, unused_cost = amounts
    sums.types |= {kind} - {""}
    sums.factors |= set() if factor is None else {factor}
    sums.currencies |= {currency} - {""}
    sums.unused.append(unused)
    sums.unused_normalized.append(unused_normalized)
    sums.unused_costs.append(unused_cost)


def _add_usage(sums: Sums, kind: str, factor: Decimal | None, currency: str, *amounts: Any) -> None:
    amount, normalized, bare, *_ = amounts
    sums.hours[kind] += amount or 0
    if bare is not None:  # lines that do not say how much they are
        known = Fraction(factor) if factor else normalization.factor(kind)
        if known is None or sums.normalized is None:
            sums.normalized = None
            return
        sums.normalized += Fraction(bare) * known
    if sums.normalized is not None:
        sums.normalized += Fraction(normalized or 0)


def _whole(amounts: list[Decimal | None]) -> Decimal | None:
    """Return a sum; None where there is nothing, or where a part of it is not known."""
    known = [amount for amount in amounts if amount is not None]
    return sum(known, Decimal()) if known and len(known) == len(amounts) else None
