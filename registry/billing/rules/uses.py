"""Rules about those who use an image: its instances, and the accounts that may launch it."""

from registry.billing.codes import BROUGHT
from registry.billing.rules.advice import can_convert, conversion, how_billed, no_conversion
from registry.billing.rules.facts import MISMATCHES, Comparison, ImageFacts, Violation
from registry.billing.rules.rulebook import RULEBOOK
from registry.billing.rules.severity import level_of

_REPLACE = "Replace the instances with ones launched from an AMI with the right code."


def has_no_instances_if_it_is_bad(facts: ImageFacts, found: Comparison) -> Violation | None:
    if not found.is_mismatch or not facts.running:
        return None
    # Nothing that AWS sells is missing.
    is_milder = BROUGHT.issuperset(found.missing)
    expected = facts.expectation.platform
    return Violation(
        "AMI012",
        level_of("AMI012", facts, is_milder=is_milder),
        "Instances run on an image with a wrong code",
        f"{_running(facts)} from it. Unless converted since, they are billed {how_billed(facts)}; "
        f"expected is {expected}.",
        (
            conversion(found) if can_convert(facts) else no_conversion(facts),
            f"{_REPLACE} An instance keeps the code that it was launched with.",
        ),
    )


def is_there_for_its_instances(facts: ImageFacts, _found: Comparison) -> Violation | None:
    if not facts.is_gone or not facts.running:
        return None
    was_bad = facts.verdict_before in MISMATCHES
    return Violation(
        "AMI013",
        "high" if was_bad else RULEBOOK["AMI013"].severity,
        "Instances run on an image that is gone",
        f"{_running(facts)} from it. Nothing can be launched from it again: an Auto Scaling group "
        "that uses it can't replace an instance."
        f"{' Its billing code was wrong when it was last seen.' if was_bad else ''}",
        (
            "Look for it in the Recycle Bin, if a retention rule keeps AMIs there."
            if not was_bad
            else "Do not create an AMI from these instances: they keep the wrong code.",
            (
                "Create an AMI with CreateImage from "
                f"{'an instance with the right code' if was_bad else 'one of its instances'}."
            ),
            "Name the new AMI in the launch templates and Auto Scaling groups.",
        ),
    )


def is_not_shared_with_a_product(facts: ImageFacts, _found: Comparison) -> Violation | None:
    if facts.is_vendors or not facts.is_marketplace or not facts.is_shared:
        return None
    return Violation(
        "AMI015",
        RULEBOOK["AMI015"].severity,
        "Marketplace product on a shared image",
        "It carries a product code of the Marketplace, a charge for software beside the billing "
        "code, and others may launch it. AWS lets no AMI with such a code be public.",
        (
            "Check whether the terms of the product allow to share it.",
            "If not, remove the launch permissions for others.",
        ),
    )


def _running(facts: ImageFacts) -> str:
    one = facts.running == 1
    return f"{facts.running} running instance{' was' if one else 's were'} launched"
