"""A purchase while it is applied: what it can still pay for, and what it pays for already."""

from dataclasses import dataclass, field
from fractions import Fraction

from registry.billing.codes import normalize_reserved_platform
from registry.billing.fleet import Purchase
from registry.billing.normalization import factor, is_flexible


@dataclass(frozen=True, slots=True)
class Cover:
    """The share of an instance that a purchase pays for."""

    instance_id: str
    fraction: Fraction


@dataclass(slots=True)
class Pool:
    """What is left of a purchase: normalized units where size is flexible, else instances."""

    purchase: Purchase
    platform: str = ""
    is_regional: bool = False
    is_flexible: bool = False
    unit: Fraction = Fraction(1)
    left: Fraction = Fraction(0)
    covers: list[Cover] = field(default_factory=list)

    def __post_init__(self) -> None:
        bought = self.purchase
        self.platform = normalize_reserved_platform(bought.platform)
        self.is_regional = bought.scope == "Region"
        self.is_flexible = is_flexible(
            bought.instance_type,
            platform=self.platform,
            tenancy=bought.tenancy,
            scope=bought.scope,
        )
        if self.is_flexible:
            self.unit = factor(bought.instance_type) or Fraction(1)
        self.left = self.unit * bought.count

    @property
    def used(self) -> Fraction:
        return self.purchase.count - self.left / self.unit
