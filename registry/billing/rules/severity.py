"""How bad it is: the level in the rulebook, lowered by weak evidence, raised by use."""

from dataclasses import dataclass, replace

from registry.billing.rules.facts import ImageFacts, Violation
from registry.billing.rules.rulebook import RULEBOOK

LEVELS = ("low", "medium", "high", "critical")
LONG = 90  # days


@dataclass(frozen=True, slots=True)
class Use:
    """What depends on a thing that breaks a rule.

    `running`: its running instances. `idle_purchases`: the purchases that stay idle because of it.
    `age_days`: since when it exists, and so carries its code; None where that is not known.
    """

    running: int = 0
    idle_purchases: int = 0
    age_days: int | None = None


def level_of(rule: str, facts: ImageFacts, *, is_milder: bool = False) -> str:
    """Return the level of a rule that goes by the expectation.

    A text that anybody may write proves little: it takes one level off. So does what is milder.
    """
    number = LEVELS.index(RULEBOOK[rule].severity)
    number -= is_milder + (facts.expectation.confidence == "weak")
    return LEVELS[max(number, 0)]


def raised(violation: Violation, use: Use) -> Violation:
    """Raise an unraised violation by its use, never above critical; of some rules use says nothing.

    One level for running instances, one for idle purchases, and one where instances run of what
    is old. What `check_image` and `check_instance` return is unraised, what `judge` returns is
    raised already.
    """
    if not RULEBOOK[violation.rule].rises_with_use:
        return violation
    is_old = bool(use.running) and use.age_days is not None and use.age_days > LONG
    steps = bool(use.running) + bool(use.idle_purchases) + is_old
    number = min(LEVELS.index(violation.severity) + steps, len(LEVELS) - 1)
    return replace(violation, severity=LEVELS[number])
