"""What is wrong with the billing code of an image: pure functions with stable ids."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from registry.billing.clues import NOTHING, Expectation, Link
from registry.billing.codes import (
    BROUGHT,
    RHEL,
    RHEL_BYOL,
    SQL_EDITIONS,
    SUSE,
    WINDOWS,
    WINDOWS_BYOL,
    in_order,
    is_known,
    is_published,
    label,
    parts,
    reserved_platform,
)
from registry.billing.patterns import RED_HAT_MARKETPLACE

MARKETPLACE = "marketplace"
# Their updates come from repositories that look for the code.
_UPDATED = frozenset({RHEL, SUSE})


@dataclass(frozen=True, slots=True)
class ImageFacts:
    """An image as the rules see it. `usage_operation` None: never recorded; "": left empty.

    `sold_with`: what its source instance is licensed for beside the same product code.
    """

    usage_operation: str | None
    expectation: Expectation = NOTHING
    is_marketplace: bool = False
    sold_with: frozenset[str] = frozenset()
    running: int = 0
    source_instance_id: str = ""


@dataclass(frozen=True, slots=True)
class Comparison:
    """The verdict, and the licences that are missing and extra."""

    verdict: str
    missing: tuple[str, ...] = ()
    unexpected: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Violation:
    """What an image breaks: the rule, how bad it is, what it means, and what to do in order."""

    rule: str
    severity: str
    title: str
    message: str
    remedy: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Judgment:
    comparison: Comparison
    violations: tuple[Violation, ...]


def compare(facts: ImageFacts) -> Comparison:
    """Compare the decoded sets of licences; unknown where either side is.

    A bit of which nobody knows the meaning may be what is missing: then no verdict stands.
    """
    expected = parts(facts.expectation.usage_operation)
    if expected is None or facts.usage_operation is None:
        return Comparison("unknown")
    actual = parts(facts.usage_operation) if facts.usage_operation else frozenset()
    if actual is None or (not facts.usage_operation and not expected):
        return Comparison("unknown")
    missing, extra = expected - actual, actual - expected
    verdict = _verdict(missing, extra, has_any=bool(actual & expected))
    if not is_known(missing | extra):
        verdict = "unknown"
    elif missing and facts.is_marketplace and _is_sold_so(missing, actual, facts.sold_with):
        verdict = "excused"
    return Comparison(verdict, tuple(in_order(missing)), tuple(in_order(extra)))


def _is_sold_so(missing: frozenset[str], actual: frozenset[str], sold_with: frozenset[str]) -> bool:
    """Say whether sellers on the Marketplace sell what is missing with this code.

    Their Linux is billed as plain or as brought; Windows never is, whoever sells it. A license that
    AWS charges for beside the product code is not theirs: then a plain code has lost it.
    """
    if not actual and missing & sold_with - BROUGHT:
        return False
    return actual <= {RHEL_BYOL} and not missing & {WINDOWS, WINDOWS_BYOL}


def sold_with(
    links: Iterable[Link],
    products: frozenset[str],
    products_of: Callable[[str], frozenset[str]],
) -> frozenset[str]:
    """Return what the nearest source instance is licensed for, if it has one of `products`."""
    link = next((link for link in links if link.kind == "instance"), None)
    licenses = parts(link.usage_operation) if link and not link.has_changed else None
    # Most images are of no product: then nobody looks what the instance has.
    if link is None or not licenses or not products or not products & products_of(link.aws_id):
        return frozenset()
    return licenses


def is_marketplace_code(product_id: str, kind: str) -> bool:
    """Say whether a product code is of the Marketplace; Red Hat's are known also without type."""
    return kind == MARKETPLACE or (not kind and product_id in RED_HAT_MARKETPLACE)


def _verdict(missing: frozenset[str], extra: frozenset[str], *, has_any: bool) -> str:
    if missing and extra:
        return "wrong"
    if missing:
        return "partial" if has_any else "lost"
    return "unexpected" if extra else "ok"


def judge(facts: ImageFacts) -> Judgment:
    """Return the verdict and everything that is wrong, in the order of RULES."""
    comparison = compare(facts)
    return Judgment(
        comparison,
        tuple(violation for rule in RULES for violation in rule(facts, comparison)),
    )


def keeps_its_code(facts: ImageFacts, found: Comparison) -> Iterator[Violation]:
    if found.verdict != "lost":
        return
    is_brought = BROUGHT.issuperset(found.missing)
    yield Violation(
        "AMI001",
        _severity(facts, "medium" if is_brought else "high"),
        "Billing code lost" if facts.usage_operation else "Platform details empty",
        f"{_difference(facts)}{'' if is_brought else _effects(facts, found)}",
        _create_again(facts),
    )


def carries_every_licence(facts: ImageFacts, found: Comparison) -> Iterator[Violation]:
    if found.verdict != "partial":
        return
    yield Violation(
        "AMI002",
        _severity(facts, "high"),
        f"{_and(found.missing)} missing",
        _difference(facts),
        _create_again(facts),
    )


def carries_nothing_extra(facts: ImageFacts, found: Comparison) -> Iterator[Violation]:
    if found.verdict != "unexpected":
        return
    yield Violation(
        "AMI003",
        _severity(facts, "medium"),
        f"{_and(found.unexpected)} {_more_than_expected(found)}",
        _difference(facts),
        _convert(found),
    )


def carries_the_right_code(facts: ImageFacts, found: Comparison) -> Iterator[Violation]:
    if found.verdict != "wrong":
        return
    yield Violation(
        "AMI004",
        _severity(facts, "high"),
        "Wrong billing code",
        _difference(facts),
        (*_convert(found), *_create_again(facts)),
    )


def has_a_published_code(facts: ImageFacts, found: Comparison) -> Iterator[Violation]:
    code = facts.usage_operation
    if code and not is_published(code):
        yield Violation(
            "AMI006",
            "low",
            "Code not in the reference",
            f"AWS bills it with {code}, which is not among the published codes.",
            ("Ask AWS Support what the code stands for.",),
        )


Rule = Callable[[ImageFacts, Comparison], Iterator[Violation]]
RULES: tuple[Rule, ...] = (
    keeps_its_code,
    carries_every_licence,
    carries_nothing_extra,
    carries_the_right_code,
    has_a_published_code,
)

_LEVELS = ("low", "medium", "high", "critical")


def _severity(facts: ImageFacts, level: str) -> str:
    """Raise the level where instances run; lower it where only a text speaks for it."""
    number = _LEVELS.index(level) + bool(facts.running)
    number -= facts.expectation.confidence == "weak"
    return _LEVELS[number]


def _difference(facts: ImageFacts) -> str:
    billed, expected = label(facts.usage_operation), facts.expectation.platform
    return f"Billed as {billed}, expected {expected}."


def _effects(facts: ImageFacts, found: Comparison) -> str:
    """Say what a lost code does; which of it, depends on the licence."""
    effects = ["breach the terms of the license"]
    if _UPDATED.intersection(found.missing):
        effects.insert(0, "reach no update repositories")
    if reserved_platform(facts.expectation.usage_operation):
        effects.append("use no Reserved Instance bought for it")
    return f" Instances launched from it {_and(tuple(effects))}."


def _create_again(facts: ImageFacts) -> tuple[str, ...]:
    where = facts.source_instance_id or f"an instance that is billed as {_platform(facts)}"
    return (
        f"Create the AMI again with CreateImage from {where}: an instance passes its code on.",
        "Replace the instances that were launched from this AMI. An instance keeps its code.",
        "Discard this AMI. The billing code of an AMI can't be edited.",
    )


def _convert(found: Comparison) -> tuple[str, ...]:
    changed = {*found.missing, *found.unexpected}
    if {WINDOWS, WINDOWS_BYOL} <= changed <= {WINDOWS, WINDOWS_BYOL, *SQL_EDITIONS}:
        return (
            (
                "Convert the license of its instances with License Manager. Only instances "
                "launched from your own media can change to a license of your own."
            ),
            "Create the AMI again from a converted instance, then discard this one.",
        )
    if changed == {RHEL, RHEL_BYOL}:
        return (
            (
                "Convert the license of its instances with License Manager. For a license of "
                "your own, the Red Hat subscription must be there first."
            ),
            "Create the AMI again from a converted instance, then discard this one.",
        )
    return (
        "Find out which of the two is right: the code, or what the AMI is expected to be.",
        "Create the AMI again from an instance with the right code, then discard this one.",
    )


def _more_than_expected(found: Comparison) -> str:
    # For a licence of one's own AWS charges nothing.
    return "not expected" if BROUGHT.issuperset(found.unexpected) else "charged without need"


def _platform(facts: ImageFacts) -> str:
    return facts.expectation.platform


def _and(names: tuple[str, ...]) -> str:
    return " and ".join(names)
