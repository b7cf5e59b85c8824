"""Sentences that rules share: what differs, from what to create again, what AWS converts."""

from collections.abc import Iterable

from registry.billing.codes import (
    RHEL,
    RHEL_BYOL,
    SQL_EDITIONS,
    UBUNTU_PRO,
    WINDOWS_BYOL,
    label,
)
from registry.billing.conversion import is_convertible
from registry.billing.rules.facts import Comparison, ImageFacts

DISCARD = "Discard this AMI. The billing code of an AMI can't be edited."
DECIDE = (
    "Find out which of the two is right: the code, or what the AMI is expected to be.",
    "Create the AMI again from an instance with the right code, then discard this one.",
)
_EMPTY = "empty platform details"
_CONVERT = "Convert the license of its instances with License Manager. They must be stopped for it."
_CAVEATS = {
    WINDOWS_BYOL: (
        "Only instances launched from your own media can change to a license of your own."
    ),
    RHEL_BYOL: "For a license of your own, the Red Hat subscription must be there first.",
    RHEL: "AWS converts it only from a Red Hat subscription that it knows of.",
    UBUNTU_PRO: "That is for Ubuntu LTS, and the way back leads through AWS Support.",
    **dict.fromkeys(
        SQL_EDITIONS, "SQL Server of AWS needs at least 4 vCPUs, and no Dedicated Host."
    ),
}


def difference(facts: ImageFacts) -> str:
    return f"Billed {how_billed(facts)}, expected {facts.expectation.platform}."


def how_billed(facts: ImageFacts) -> str:
    """Say what an image is billed as; where AWS left that empty, that nobody knows."""
    if facts.usage_operation == "":
        return f"with {_EMPTY}"
    return f"as {label(facts.usage_operation)}"


def create_again(facts: ImageFacts) -> tuple[str, ...]:
    where = facts.source_instance_id or (
        f"an instance that is billed as {facts.expectation.platform}"
    )
    return (
        f"Create the AMI again with CreateImage from {where}: an instance passes its code on.",
        "Replace the instances that were launched from this AMI. An instance keeps its code.",
        DISCARD,
    )


def convert_or_decide(facts: ImageFacts, found: Comparison) -> tuple[str, ...]:
    """Say how the licence of instances is converted; where AWS lists no way, what to find out."""
    if not can_convert(facts):
        return (no_conversion(facts), *DECIDE)
    return (
        conversion(found),
        "Create the AMI again from a converted instance, then discard this one.",
    )


def can_convert(facts: ImageFacts) -> bool:
    """Say whether AWS converts an instance from what the image carries to what is expected."""
    return is_convertible(facts.usage_operation, facts.expectation.usage_operation)


def conversion(found: Comparison) -> str:
    """Say how AWS converts an instance to what is expected, and under which conditions."""
    caveats = [text for licence, text in _CAVEATS.items() if licence in found.missing]
    return " ".join((_CONVERT, *caveats))


def no_conversion(facts: ImageFacts) -> str:
    billed = _EMPTY if facts.usage_operation == "" else label(facts.usage_operation)
    return f"AWS lists no license conversion from {billed} to {facts.expectation.platform}."


def conjoined(names: Iterable[str]) -> str:
    *others, last = names
    return f"{', '.join(others)} and {last}" if others else last
