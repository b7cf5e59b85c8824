"""Rules about the code of an image, beside what is expected; one cause breaks one of them.

Those of a special case come instead of the general rule of the same verdict.
"""

from registry.billing.codes import (
    BROUGHT,
    RHEL,
    RHEL_BYOL,
    RHEL_HA,
    SQL_EDITIONS,
    SUSE,
    WINDOWS,
    WINDOWS_BYOL,
    is_published,
    reserved_platform,
)
from registry.billing.rules.advice import (
    DECIDE,
    DISCARD,
    conjoined,
    convert_or_decide,
    create_again,
    difference,
    no_conversion,
)
from registry.billing.rules.facts import Comparison, ImageFacts, Violation
from registry.billing.rules.rulebook import RULEBOOK
from registry.billing.rules.severity import level_of

# Their updates come from repositories that look for the code.
_UPDATED = frozenset({RHEL, SUSE})
# A licence of one's own, the paid one, and all that may differ beside the two.
_FAMILIES = (
    (WINDOWS_BYOL, WINDOWS, SQL_EDITIONS | {WINDOWS_BYOL, WINDOWS}),
    (RHEL_BYOL, RHEL, SQL_EDITIONS | {RHEL_BYOL, RHEL, RHEL_HA}),
)


def keeps_its_code(facts: ImageFacts, found: Comparison) -> Violation | None:
    if found.verdict != "lost":
        return None
    is_brought = BROUGHT.issuperset(found.missing)
    return Violation(
        "AMI001",
        level_of("AMI001", facts, is_milder=is_brought),
        "Billing code lost" if facts.usage_operation else "Platform details empty",
        f"{difference(facts)}{'' if is_brought else _effects(facts, found)}",
        create_again(facts),
    )


def carries_every_licence(facts: ImageFacts, found: Comparison) -> Violation | None:
    if found.verdict != "partial":
        return None
    return Violation(
        "AMI002",
        level_of("AMI002", facts),
        f"{conjoined(found.missing)} missing",
        difference(facts),
        create_again(facts),
    )


def carries_nothing_extra(facts: ImageFacts, found: Comparison) -> Violation | None:
    if found.verdict != "unexpected" or _special_rule(found):
        return None
    return Violation(
        "AMI003",
        level_of("AMI003", facts),
        _extra(found),
        difference(facts),
        DECIDE,
    )


def carries_the_right_code(facts: ImageFacts, found: Comparison) -> Violation | None:
    if found.verdict != "wrong" or _special_rule(found):
        return None
    return Violation(
        "AMI004",
        level_of("AMI004", facts),
        "Wrong billing code",
        difference(facts),
        (*DECIDE, *create_again(facts)),
    )


def has_platform_details(facts: ImageFacts, found: Comparison) -> Violation | None:
    # With a license that is expected it is a lost code, with a product code it is excused.
    if facts.usage_operation != "" or found.verdict != "unknown" or facts.is_marketplace:
        return None
    return Violation(
        "AMI005",
        RULEBOOK["AMI005"].severity,
        "Platform details empty",
        "AWS left the platform details of this AMI empty. Nothing tells what its instances are "
        "billed as.",
        (
            "Create the AMI again with CreateImage from an instance whose billing code is right.",
            DISCARD,
        ),
    )


def has_a_published_code(facts: ImageFacts, _found: Comparison) -> Violation | None:
    code = facts.usage_operation
    if not code or is_published(code):
        return None
    return Violation(
        "AMI006",
        RULEBOOK["AMI006"].severity,
        "Code not in the reference",
        f"AWS bills it with {code}, which is not among the published codes.",
        ("Ask AWS Support what the code stands for.",),
    )


def is_not_charged_for_an_own_licence(facts: ImageFacts, found: Comparison) -> Violation | None:
    if _special_rule(found) != "AMI007":
        return None
    return Violation(
        "AMI007",
        level_of("AMI007", facts),
        "License of your own, yet charged",
        f"{difference(facts)} Instances launched from it pay AWS for a license that you bring.",
        (*convert_or_decide(facts, found), *create_again(facts)),
    )


def pays_for_its_licence(facts: ImageFacts, found: Comparison) -> Violation | None:
    if _special_rule(found) != "AMI008":
        return None
    return Violation(
        "AMI008",
        level_of("AMI008", facts),
        "Billed as a license of your own",
        f"{difference(facts)} Instances launched from it need a license of your own.",
        (*convert_or_decide(facts, found), *create_again(facts)),
    )


def has_the_right_edition(facts: ImageFacts, found: Comparison) -> Violation | None:
    if _special_rule(found) != "AMI009":
        return None
    is_extra = found.verdict == "unexpected"
    return Violation(
        "AMI009",
        level_of("AMI009", facts, is_milder=is_extra),
        _extra(found) if is_extra else "Another edition of SQL Server",
        difference(facts),
        (
            no_conversion(facts),
            *DECIDE,
            *(() if is_extra else create_again(facts)),
        ),
    )


def _special_rule(found: Comparison) -> str:
    """Return the rule of the special case that a mismatch is; "" if it is none."""
    if found.verdict not in {"unexpected", "wrong"}:
        return ""
    if found.changed <= SQL_EDITIONS:
        return "AMI009"
    for own, paid, family in _FAMILIES:
        if found.changed <= family and own in found.missing and paid in found.unexpected:
            return "AMI007"
        if found.changed <= family and paid in found.missing and own in found.unexpected:
            return "AMI008"
    return ""


def _extra(found: Comparison) -> str:
    # For a licence of one's own AWS charges nothing.
    is_free = BROUGHT.issuperset(found.unexpected)
    names = conjoined(found.unexpected)
    return f"{names} {'not expected' if is_free else 'charged without need'}"


def _effects(facts: ImageFacts, found: Comparison) -> str:
    """Say what a lost code does; which of it, depends on the licence."""
    is_updated = bool(_UPDATED.intersection(found.missing))
    effects = ["reach no update repositories"] if is_updated else []
    effects.append("breach the terms of the license")
    if reserved_platform(facts.expectation.usage_operation):
        effects.append("use no Reserved Instance bought for it")
    return f" Instances launched from it {conjoined(effects)}."
