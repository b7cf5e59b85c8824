"""Normalization factors, and where the size of a Reserved Instance is flexible.

Source: EC2 User Guide, "how Reserved Instances are applied". The list of excluded families grows;
families newer than it are taken as flexible, which is not confirmed.
"""

import re
from fractions import Fraction
from functools import lru_cache

_NAMED = {
    "nano": Fraction(1, 4),
    "micro": Fraction(1, 2),
    "small": Fraction(1),
    "medium": Fraction(2),
    "large": Fraction(4),
    "xlarge": Fraction(8),
}
_XLARGE = re.compile(r"([1-9]\d*)xlarge|metal-([1-9]\d*)xl", re.ASCII)
_METAL = {
    32: ("a1",),
    96: ("m5zn", "x2iezn", "z1d"),
    128: (
        *("c6g", "c6gd", "i3", "m6g", "m6gd", "r6g", "r6gd", "x2gd"),
        # By the rule, not in AWS's list: the factor of the size with as many vCPUs.
        *("c7g", "c7gd", "c7gn", "m7g", "m7gd", "r7g", "r7gd"),
    ),
    144: ("c5n",),
    192: ("c5", "c5d", "i3en", "m5", "m5d", "m5dn", "m5n", "r5", "r5b", "r5d", "r5dn", "r5n"),
    256: (
        *("c6i", "c6id", "m6i", "m6id", "r6i", "r6id"),
        *("c6in", "m6in", "m6idn", "r6in", "r6idn", "i4i", "x2idn", "x2iedn"),
    ),
    384: ("c6a", "m6a", "r6a"),
    448: ("u-18tb1", "u-24tb1"),
    896: ("u-6tb1", "u-9tb1", "u-12tb1"),
}
_METAL_FACTORS = {family: Fraction(number) for number, row in _METAL.items() for family in row}
NOT_FLEXIBLE = frozenset(
    {"g4ad", "g4dn", "g5", "g5g", "g6", "g6e", "g6f", "gr6", "gr6f", "hpc7a", "p5"}
    | {"inf1", "inf2", "u7i-6tb", "u7i-8tb"}
)


@lru_cache(maxsize=4096)
def family(instance_type: str) -> str:
    return instance_type.partition(".")[0]


@lru_cache(maxsize=4096)
def factor(instance_type: str) -> Fraction | None:
    """Return the normalization factor of a type; None where it has none or none is known."""
    series, _, size = instance_type.partition(".")
    if size == "metal":
        return _METAL_FACTORS.get(series)
    if size in _NAMED:
        return _NAMED[size]
    match = _XLARGE.fullmatch(size)
    return Fraction(8 * int(match[1] or match[2])) if match else None


def is_flexible(instance_type: str, *, platform: str, tenancy: str, scope: str) -> bool:
    """Say whether a purchase pays for other sizes of its family as well."""
    return (
        scope == "Region"
        and tenancy == "default"
        and platform == "Linux/UNIX"
        and family(instance_type) not in NOT_FLEXIBLE
        and factor(instance_type) is not None
    )


@lru_cache(maxsize=4096)
def weight(instance_type: str, platform: str, tenancy: str) -> int:
    """Return how many units an instance is, to the purchases that may pay for it.

    Where size is flexible a unit is a quarter of the normalization factor, so that every size is
    a whole number of them; else an instance is one.
    """
    if not is_flexible(instance_type, platform=platform, tenancy=tenancy, scope="Region"):
        return 1
    return int((factor(instance_type) or 1) * 4)


@lru_cache(maxsize=4096)
def kind(instance_type: str, platform: str, tenancy: str) -> str:
    """Name what the purchases for a type may pay for: its family where size is flexible."""
    if is_flexible(instance_type, platform=platform, tenancy=tenancy, scope="Region"):
        return family(instance_type)
    return instance_type
