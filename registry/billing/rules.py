"""What is wrong with the billing code of an image: pure functions with stable ids."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from registry.billing.codes import (
    RHEL_BYOL,
    SQL_EDITIONS,
    WINDOWS,
    WINDOWS_BYOL,
    in_order,
    is_published,
    label,
    parts,
)
from registry.billing.expectation import NOTHING, Expectation

MARKETPLACE = "marketplace"


@dataclass(frozen=True, slots=True)
class ImageFacts:
    """An image as the rules see it. `usage_operation` None: never recorded; "": left empty."""

    usage_operation: str | None
    expectation: Expectation = NOTHING
    is_marketplace: bool = False
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
    """Compare the decoded sets of licences; unknown where either side is."""
    expected = parts(facts.expectation.usage_operation)
    if expected is None or facts.usage_operation is None:
        return Comparison("unknown")
    actual = parts(facts.usage_operation) if facts.usage_operation else frozenset()
    if actual is None or (not facts.usage_operation and not expected):
        return Comparison("unknown")
    missing, extra = expected - actual, actual - expected
    verdict = _verdict(missing, extra, has_any=bool(actual & expected))
    if missing and facts.is_marketplace and actual <= {RHEL_BYOL}:
        verdict = "excused"
    return Comparison(verdict, tuple(in_order(missing)), tuple(in_order(extra)))


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
    billed = label(facts.usage_operation)
    yield Violation(
        "AMI001",
        _severity(facts, "high"),
        "Billing code lost" if facts.usage_operation else "Platform details empty",
        f"Billed as {billed}, expected {facts.expectation.platform}. Instances launched from "
        "it get no updates of the licence, breach its terms, and use no Reserved Instance "
        "bought for it.",
        _create_again(facts),
    )


def carries_every_licence(facts: ImageFacts, found: Comparison) -> Iterator[Violation]:
    if found.verdict != "partial":
        return
    yield Violation(
        "AMI002",
        _severity(facts, "high"),
        f"{_and(found.missing)} missing",
        f"Billed as {label(facts.usage_operation)}, expected {facts.expectation.platform}.",
        _create_again(facts),
    )


def carries_nothing_extra(facts: ImageFacts, found: Comparison) -> Iterator[Violation]:
    if found.verdict != "unexpected":
        return
    yield Violation(
        "AMI003",
        _severity(facts, "medium"),
        f"{_and(found.unexpected)} charged without need",
        f"Billed as {label(facts.usage_operation)}, expected {facts.expectation.platform}.",
        _convert(found),
    )


def carries_the_right_code(facts: ImageFacts, found: Comparison) -> Iterator[Violation]:
    if found.verdict != "wrong":
        return
    yield Violation(
        "AMI004",
        _severity(facts, "high"),
        "Wrong billing code",
        f"Billed as {label(facts.usage_operation)}, expected {facts.expectation.platform}.",
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


def _create_again(facts: ImageFacts) -> tuple[str, ...]:
    where = facts.source_instance_id or f"an instance that is billed as {_platform(facts)}"
    return (
        f"Create the AMI again with CreateImage from {where}: an instance passes its code on.",
        "Replace the instances that were launched from this AMI. An instance keeps its code.",
        "Discard this AMI. The billing code of an AMI can't be edited.",
    )


def _convert(found: Comparison) -> tuple[str, ...]:
    changed = {*found.missing, *found.unexpected}
    if changed <= {WINDOWS, WINDOWS_BYOL, *SQL_EDITIONS} and WINDOWS in changed:
        return (
            (
                "Convert the licence of its instances with License Manager. Only instances "
                "launched from your own media can change to a licence of your own."
            ),
            "Create the AMI again from a converted instance, then discard this one.",
        )
    return (
        "Find out which of the two is right: the code, or what the AMI is expected to be.",
        "Create the AMI again from an instance with the right code, then discard this one.",
    )


def _platform(facts: ImageFacts) -> str:
    return facts.expectation.platform


def _and(names: tuple[str, ...]) -> str:
    return " and ".join(names)
