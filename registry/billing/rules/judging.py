"""All rules, by id, and how they are asked."""

from collections.abc import Callable, Mapping

from registry.billing.rules.comparison import compare
from registry.billing.rules.facts import (
    Comparison,
    ImageFacts,
    InstanceFacts,
    Judgment,
    Violation,
)
from registry.billing.rules.instances import carries_the_code_of_its_image
from registry.billing.rules.origins import (
    carries_the_code_of_its_original,
    carries_the_code_of_its_parent,
    is_no_windows_from_a_snapshot,
)
from registry.billing.rules.severity import Use, raised
from registry.billing.rules.uses import (
    has_no_instances_if_it_is_bad,
    is_not_shared_with_a_product,
    is_there_for_its_instances,
)
from registry.billing.rules.verdicts import (
    carries_every_licence,
    carries_nothing_extra,
    carries_the_right_code,
    has_a_published_code,
    has_platform_details,
    has_the_right_edition,
    is_not_charged_for_an_own_licence,
    keeps_its_code,
    pays_for_its_licence,
)

RULES: Mapping[str, Callable[[ImageFacts, Comparison], Violation | None]] = {
    "AMI001": keeps_its_code,
    "AMI002": carries_every_licence,
    "AMI003": carries_nothing_extra,
    "AMI004": carries_the_right_code,
    "AMI005": has_platform_details,
    "AMI006": has_a_published_code,
    "AMI007": is_not_charged_for_an_own_licence,
    "AMI008": pays_for_its_licence,
    "AMI009": has_the_right_edition,
    "AMI010": carries_the_code_of_its_parent,
    "AMI011": carries_the_code_of_its_original,
    "AMI012": has_no_instances_if_it_is_bad,
    "AMI013": is_there_for_its_instances,
    "AMI014": is_no_windows_from_a_snapshot,
    "AMI015": is_not_shared_with_a_product,
}
INSTANCE_RULES: Mapping[str, Callable[[InstanceFacts], Violation | None]] = {
    "INS001": carries_the_code_of_its_image,
}
# Of these a mismatch breaks exactly one: it stands for the mismatch itself.
CODE_RULES = frozenset(
    {"AMI001", "AMI002", "AMI003", "AMI004", "AMI007", "AMI008", "AMI009"},
)
_OF_GONE = "AMI013"  # a gone image breaks no other


def judge(facts: ImageFacts) -> Judgment:
    """Return the verdict and everything that is wrong, in the order of RULES, raised by its use."""
    unraised = check_image(facts)
    use = Use(facts.running, facts.idle_purchases, facts.age_days)
    violations = tuple(raised(violation, use) for violation in unraised.violations)
    return Judgment(unraised.comparison, violations)


def check_image(facts: ImageFacts) -> Judgment:
    """Return the same, yet not raised: for those who learn of the use later."""
    found = compare(facts)
    asked = (rule(facts, found) for name, rule in RULES.items() if _is_for(facts, name))
    return Judgment(found, tuple(violation for violation in asked if violation))


def check_instance(facts: InstanceFacts) -> tuple[Violation, ...]:
    """Return everything that is wrong with an instance, not raised."""
    asked = (rule(facts) for rule in INSTANCE_RULES.values())
    return tuple(violation for violation in asked if violation)


def _is_for(facts: ImageFacts, rule: str) -> bool:
    return not facts.is_gone or rule == _OF_GONE
