"""What EC2 does to billing codes: passed on, lost, copied.

A snapshot's billing metadata is hidden: no API shows it. RegisterImage takes the code from there.
"""

from typing import Any

from sandbox.aws.state import Thing

PLAIN = "RunInstances"
PLATFORM_DETAILS = {
    PLAIN: "Linux/UNIX",
    "RunInstances:00g0": "Red Hat BYOL Linux",
    "RunInstances:0010": "Red Hat Enterprise Linux",
    "RunInstances:1010": "Red Hat Enterprise Linux with HA",
    "RunInstances:1014": "Red Hat Enterprise Linux with SQL Server Standard and HA",
    "RunInstances:1110": "Red Hat Enterprise Linux with SQL Server Enterprise and HA",
    "RunInstances:0014": "Red Hat Enterprise Linux with SQL Server Standard",
    "RunInstances:0210": "Red Hat Enterprise Linux with SQL Server Web",
    "RunInstances:0110": "Red Hat Enterprise Linux with SQL Server Enterprise",
    "RunInstances:0100": "SQL Server Enterprise",
    "RunInstances:0004": "SQL Server Standard",
    "RunInstances:0200": "SQL Server Web",
    "RunInstances:000g": "SUSE Linux",
    "RunInstances:0g00": "Ubuntu Pro",
    "RunInstances:0002": "Windows",
    "RunInstances:0800": "Windows BYOL",
    "RunInstances:0102": "Windows with SQL Server Enterprise",
    "RunInstances:0006": "Windows with SQL Server Standard",
    "RunInstances:0202": "Windows with SQL Server Web",
}
_CODE = ("UsageOperation", "PlatformDetails", "Platform")
_WINDOWS = frozenset({"0002", "0800", "0102", "0006", "0202"})


def code(usage_operation: str) -> dict[str, Any]:
    """Return the members of an image or instance that carry a code."""
    members = {
        "UsageOperation": usage_operation,
        "PlatformDetails": PLATFORM_DETAILS.get(usage_operation, ""),
    }
    if usage_operation.partition(":")[2] in _WINDOWS:
        members["Platform"] = "windows"
    return members


def code_of_snapshot(snapshot: Thing) -> dict[str, Any]:
    """Return the code that an image registered from the snapshot gets: plain where it is lost.

    Metadata that are the empty text stand for the images that AWS leaves without any code.
    """
    kept = snapshot.get("_billing")
    members = code(PLAIN if kept is None else kept)
    if snapshot.get("_product_codes"):
        members["ProductCodes"] = snapshot["_product_codes"]
    return members


def without_code(thing: Thing) -> Thing:
    """Return a thing as AWS shows one that has no code at all: its members are empty."""
    return {name: value for name, value in thing.items() if name not in _CODE} | code("")


def code_of(thing: Thing) -> dict[str, Any]:
    """Return the code of an image or instance, to be passed on."""
    return {name: thing[name] for name in (*_CODE, "ProductCodes") if name in thing}
