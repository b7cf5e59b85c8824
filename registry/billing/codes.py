"""The billing codes: usage operations, their texts, and the licences in them.

Source: AWS, "billing information fields". The table calls itself sample data: a code that is not
in it is shown, never refused. The four characters after the colon are a bit mask in base 32; each
published code is the OR of the bits below.
"""

import re
from dataclasses import dataclass
from functools import lru_cache

WINDOWS = "Windows"
WINDOWS_BYOL = "Windows BYOL"
RHEL = "RHEL"
RHEL_BYOL = "RHEL BYOL"
RHEL_HA = "RHEL HA"
SUSE = "SUSE"
UBUNTU_PRO = "Ubuntu Pro"
SQL_STANDARD = "SQL Server Standard"
SQL_ENTERPRISE = "SQL Server Enterprise"
SQL_WEB = "SQL Server Web"
SQL_EDITIONS = frozenset({SQL_STANDARD, SQL_ENTERPRISE, SQL_WEB})
BROUGHT = frozenset({WINDOWS_BYOL, RHEL_BYOL})  # licences of one's own

PLAIN = "RunInstances"

# In the order in which a label names them.
_BITS = {
    WINDOWS: "0002",
    WINDOWS_BYOL: "0800",
    RHEL: "0010",
    RHEL_BYOL: "00g0",
    RHEL_HA: "1000",
    SUSE: "000g",
    UBUNTU_PRO: "0g00",
    SQL_STANDARD: "0004",
    SQL_ENTERPRISE: "0100",
    SQL_WEB: "0200",
}
_CODE = re.compile(r"RunInstances(?::([0-9a-v]{4}))?(?::SV\d+)?")
_DIGITS = "0123456789abcdefghijklmnopqrstuv"


@dataclass(frozen=True, slots=True)
class BillingCode:
    """A published code: who sells the licence, and which purchases pay for it."""

    usage_operation: str
    platform_details: str
    licence: str  # "none", "AWS" or "yours"
    reserved_platform: str | None  # None: no Reserved Instance pays for it, or it is not known


TABLE = (
    BillingCode(PLAIN, "Linux/UNIX", "none", "Linux/UNIX"),
    BillingCode("RunInstances:00g0", "Red Hat BYOL Linux", "yours", "Linux/UNIX"),
    BillingCode("RunInstances:0010", "Red Hat Enterprise Linux", "AWS", "Red Hat Enterprise Linux"),
    BillingCode(
        "RunInstances:1010",
        "Red Hat Enterprise Linux with HA",
        "AWS",
        "Red Hat Enterprise Linux with HA",
    ),
    BillingCode(
        "RunInstances:1014",
        "Red Hat Enterprise Linux with SQL Server Standard and HA",
        "AWS",
        None,
    ),
    BillingCode(
        "RunInstances:1110",
        "Red Hat Enterprise Linux with SQL Server Enterprise and HA",
        "AWS",
        None,
    ),
    BillingCode(
        "RunInstances:0014", "Red Hat Enterprise Linux with SQL Server Standard", "AWS", None
    ),
    BillingCode("RunInstances:0210", "Red Hat Enterprise Linux with SQL Server Web", "AWS", None),
    BillingCode(
        "RunInstances:0110", "Red Hat Enterprise Linux with SQL Server Enterprise", "AWS", None
    ),
    BillingCode(
        "RunInstances:0100", "SQL Server Enterprise", "AWS", "Linux with SQL Server Enterprise"
    ),
    BillingCode(
        "RunInstances:0004", "SQL Server Standard", "AWS", "Linux with SQL Server Standard"
    ),
    BillingCode("RunInstances:0200", "SQL Server Web", "AWS", "Linux with SQL Server Web"),
    BillingCode("RunInstances:000g", "SUSE Linux", "AWS", "SUSE Linux"),
    BillingCode("RunInstances:0g00", "Ubuntu Pro", "AWS", None),
    BillingCode("RunInstances:0002", "Windows", "AWS", "Windows"),
    BillingCode("RunInstances:0800", "Windows BYOL", "yours", None),
    BillingCode(
        "RunInstances:0102",
        "Windows with SQL Server Enterprise",
        "AWS",
        "Windows with SQL Server Enterprise",
    ),
    BillingCode(
        "RunInstances:0006",
        "Windows with SQL Server Standard",
        "AWS",
        "Windows with SQL Server Standard",
    ),
    BillingCode(
        "RunInstances:0202", "Windows with SQL Server Web", "AWS", "Windows with SQL Server Web"
    ),
)
_BY_CODE = {code.usage_operation: code for code in TABLE}
# The second text of one code, and the spellings of purchases and capacity reservations.
_TEXTS = {
    "red hat enterprise linux with high availability": "RunInstances:1010",
    "rhel with ha": "RunInstances:1010",
    "rhel with sql server standard": "RunInstances:0014",
    "rhel with sql server web": "RunInstances:0210",
    "rhel with sql server enterprise": "RunInstances:0110",
    "rhel with ha and sql server standard": "RunInstances:1014",
    "rhel with ha and sql server enterprise": "RunInstances:1110",
    "linux with sql server standard": "RunInstances:0004",
    "linux with sql server web": "RunInstances:0200",
    "linux with sql server enterprise": "RunInstances:0100",
} | {code.platform_details.lower(): code.usage_operation for code in TABLE}
_VPC = re.compile(r"\s*\(Amazon VPC\)\s*$")
# Conversions of licences that License Manager makes; those of Windows follow a rule.
_WINDOWS_EITHER = frozenset({WINDOWS, WINDOWS_BYOL})
_WINDOWS_FAMILY = _WINDOWS_EITHER | SQL_EDITIONS
_CONVERSIONS = frozenset(
    {
        (frozenset({RHEL}), frozenset({RHEL_BYOL})),
        (frozenset({RHEL_BYOL}), frozenset({RHEL})),
        (frozenset(), frozenset({RHEL})),  # of Red Hat's own sale, with its product code
        (frozenset(), frozenset({UBUNTU_PRO})),
    }
)


def canonical(usage_operation: str) -> str | None:
    """Return the code without the Spot suffix; None if it is no platform's code."""
    match = _CODE.fullmatch(usage_operation.strip())
    if match is None:
        return None
    return f"{PLAIN}:{match[1]}" if match[1] and match[1] != "0000" else PLAIN


@lru_cache(maxsize=1_000)  # an audit asks a hundred times for each image; there are few codes
def parts(usage_operation: str | None) -> frozenset[str] | None:
    """Return the licences in a code; None if it cannot be decoded (or was never recorded).

    A bit that no published code has keeps its own name ("bit 3"), so that two codes never look
    equal when they are not.
    """
    code = canonical(usage_operation) if usage_operation is not None else None
    if code is None:
        return None
    value = _value(code)
    known = {name for name, digits in _BITS.items() if value & int(digits, 32)}
    rest = value & ~sum(int(digits, 32) for digits in _BITS.values())
    return frozenset(known | {f"bit {n}" for n in range(20) if rest >> n & 1})


def compose(licences: frozenset[str]) -> str:
    """Return the code that carries exactly these licences, as `parts` names them."""
    value = sum(map(_bit, licences))
    if not value:
        return PLAIN
    digits = "".join(_DIGITS[value >> shift & 31] for shift in (15, 10, 5, 0))
    return f"{PLAIN}:{digits}"


def label(usage_operation: str | None) -> str:
    """Return the platform in words, also for a code never seen before."""
    if usage_operation is None:
        return "Not recorded"
    if not usage_operation:
        return "No platform details"
    code = canonical(usage_operation)
    if code in _BY_CODE:
        return _BY_CODE[code].platform_details
    licences = parts(usage_operation)
    if licences is None:
        return usage_operation
    return " + ".join(in_order(licences))


def in_order(licences: frozenset[str]) -> list[str]:
    """Return the licences in the order in which people name them, unknown bits last."""
    order = list(_BITS)
    return sorted(
        licences, key=lambda name: (order.index(name) if name in _BITS else 99, _bit(name))
    )


def is_known(licences: frozenset[str]) -> bool:
    """Say whether each of the licences, as `parts` names them, has a meaning."""
    return licences <= _BITS.keys()


def could_become(before: frozenset[str], after: frozenset[str]) -> bool:
    """Say whether AWS converts the licences of an instance this way.

    A conversion is no loss. A loss of one licence of two is no conversion: it counts as lost.
    """
    if before == after:
        return True
    if before <= _WINDOWS_FAMILY and after <= _WINDOWS_FAMILY:
        has_system = bool(before & _WINDOWS_EITHER) and bool(after & _WINDOWS_EITHER)
        return has_system and (WINDOWS_BYOL in before ^ after or before < after)
    return (before, after) in _CONVERSIONS


def from_platform_details(text: str) -> str | None:
    """Return the code of a text of an image, instance or purchase; None if it is not known."""
    return _TEXTS.get(_without_vpc(text).lower())


def recorded_code(usage_operation: str | None, platform_details: str | None) -> str | None:
    """Return the code of a thing; from its text where an old recording has only that."""
    if usage_operation is None and platform_details:
        return from_platform_details(platform_details)
    return usage_operation


def is_published(usage_operation: str) -> bool:
    return canonical(usage_operation) in _BY_CODE


def reserved_platform(usage_operation: str | None) -> str | None:
    """Return the platform of the purchases that pay for a code; None where none does.

    Red Hat BYOL is paid by Linux/UNIX purchases. For Windows BYOL no platform is documented.
    """
    code = canonical(usage_operation) if usage_operation else None
    return _BY_CODE[code].reserved_platform if code in _BY_CODE else None


@lru_cache(maxsize=1_000)  # of each purchase, and there are few
def normalize_reserved_platform(product_description: str) -> str:
    """Return the platform of a purchase in the one spelling that `reserved_platform` has.

    " (Amazon VPC)" is dropped: it told purchases for EC2-Classic apart, which is gone.
    """
    return reserved_platform(from_platform_details(product_description)) or _without_vpc(
        product_description
    )


def _without_vpc(text: str) -> str:
    return _VPC.sub("", text.strip())


def _bit(name: str) -> int:
    return int(_BITS[name], 32) if name in _BITS else 1 << int(name.removeprefix("bit "))


def _value(code: str) -> int:
    return int(code.partition(":")[2] or "0", 32)
