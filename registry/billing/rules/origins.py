"""Rules about how an image came to be: from which parent, and by which operation."""

from registry.billing.clues import Link
from registry.billing.codes import WINDOWS, WINDOWS_BYOL, could_become, is_known, label, parts
from registry.billing.rules.advice import DISCARD
from registry.billing.rules.facts import Comparison, ImageFacts, Violation
from registry.billing.rules.rulebook import RULEBOOK

_WINDOWS_EITHER = frozenset({WINDOWS, WINDOWS_BYOL})


def carries_the_code_of_its_parent(facts: ImageFacts, found: Comparison) -> Violation | None:
    link = facts.parent
    if link is None or link.is_copy or not _differs_for_no_reason(facts, found, link):
        return None
    return Violation(
        "AMI010",
        RULEBOOK["AMI010"].severity,
        "Billed unlike its parent",
        f"{_difference(facts, link)} Nothing that is recorded explains it.",
        (
            f"Find out which of the two is right: this AMI, or {link.aws_id}.",
            f"If it is {link.aws_id}, create the AMI again from it, then discard this one.",
            f"If it is this AMI, launch and create from it, and no longer from {link.aws_id}.",
        ),
    )


def carries_the_code_of_its_original(facts: ImageFacts, found: Comparison) -> Violation | None:
    link = facts.parent
    if link is None or not link.is_copy or not _differs_for_no_reason(facts, found, link):
        return None
    return Violation(
        "AMI011",
        RULEBOOK["AMI011"].severity,
        "Copy billed unlike its original",
        f"{_difference(facts, link)} A copy should carry the code of its original.",
        (
            f"Find out whether the code of the original, {link.aws_id}, is right.",
            (
                "If it is, launch an instance from the original where that is, and create an AMI "
                "from it with CreateImage. Copy that one and compare the codes."
            ),
            DISCARD,
        ),
    )


def _differs_for_no_reason(facts: ImageFacts, found: Comparison, link: Link) -> bool:
    """Say whether the codes differ, although the verdict is none and nothing may explain it."""
    now, before = facts.licences, parts(link.usage_operation)
    if found.verdict not in {"ok", "unknown"} or facts.is_marketplace:
        return False
    if not facts.usage_operation or now is None or before is None or not link.is_recorded:
        return False
    if now == before or not is_known(now ^ before):
        return False
    return not _may_be_converted(link, before, now)


def _may_be_converted(link: Link, before: frozenset[str], now: frozenset[str]) -> bool:
    if link.is_copy:
        return False
    if link.kind == "instance":
        # Its code may have been that of the image when the image was made.
        return link.has_changed or (link.may_have_changed and could_become(now, before))
    # An instance was between the two. A plain code of the parent is no fact: it may be a lost one.
    return not before or could_become(before, now)


def _difference(facts: ImageFacts, link: Link) -> str:
    return (
        f"Billed as {label(facts.usage_operation)}. {link.how} {link.aws_id}, which is billed as "
        f"{label(link.usage_operation)}."
    )


def is_no_windows_from_a_snapshot(facts: ImageFacts, _found: Comparison) -> Violation | None:
    if facts.is_vendors or facts.made_by != "RegisterImage" or not _is_windows(facts):
        return None
    runs = facts.running > 0
    doubt = (
        "Instances of it run, so it can be launched."
        if runs
        else "An older guide, of 2019, says that instances of such an AMI do not launch."
    )
    return Violation(
        "AMI014",
        "low" if runs else RULEBOOK["AMI014"].severity,
        "Windows registered from a snapshot",
        f"AWS documents the registration of snapshots for Linux. {doubt}",
        (
            "Launch an instance from it and check that it starts, and what it is billed as.",
            "Create the AMI again with CreateImage from an instance of Windows.",
            DISCARD,
        ),
    )


def _is_windows(facts: ImageFacts) -> bool:
    if facts.platform.lower() == "windows" or (facts.licences or frozenset()) & _WINDOWS_EITHER:
        return True
    # A text that anybody may write is not enough.
    expected = parts(facts.expectation.usage_operation) or frozenset()
    return bool(expected & _WINDOWS_EITHER) and facts.expectation.confidence != "weak"
