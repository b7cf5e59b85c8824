"""What is wrong with a billing code: pure functions with stable ids."""

from registry.billing.rules.closing import CLOSES
from registry.billing.rules.comparison import compare, is_marketplace_code, sold_with
from registry.billing.rules.entry import Entry
from registry.billing.rules.facts import (
    MISMATCHES,
    Comparison,
    ImageFacts,
    InstanceFacts,
    Judgment,
    Violation,
)
from registry.billing.rules.judging import (
    CODE_RULES,
    INSTANCE_RULES,
    RULES,
    check_image,
    check_instance,
    judge,
)
from registry.billing.rules.rulebook import RULEBOOK
from registry.billing.rules.severity import LEVELS, Use, raised

__all__ = [
    "CLOSES",
    "CODE_RULES",
    "INSTANCE_RULES",
    "LEVELS",
    "MISMATCHES",
    "RULEBOOK",
    "RULES",
    "Comparison",
    "Entry",
    "ImageFacts",
    "InstanceFacts",
    "Judgment",
    "Use",
    "Violation",
    "check_image",
    "check_instance",
    "compare",
    "is_marketplace_code",
    "judge",
    "raised",
    "sold_with",
]
