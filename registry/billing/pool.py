"""A purchase as it is applied: what it can pay for, and in which units."""

from dataclasses import dataclass
from fractions import Fraction
from typing import NamedTuple

from registry.billing.codes import normalize_reserved_platform
from registry.billing.fleet import Purchase
from registry.billing.normalization import is_flexible, weight


class Cover(NamedTuple):
    """The share of an instance that a purchase pays for."""

    instance_id: str
    fraction: Fraction


@dataclass(slots=True)
class Pool:
    """A purchase in the units of the instances that it may pay for.

    Where size is flexible these are quarters of the normalization factor, so that every size is
    a whole number of them; else a Reserved Instance and an instance are one unit each.
    """

    purchase: Purchase
    platform: str = ""
    is_regional: bool = False
    is_flexible: bool = False
    unit: int = 1
    units: int = 0

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
        self.unit = weight(bought.instance_type, self.platform, bought.tenancy)
        self.units = self.unit * bought.count
