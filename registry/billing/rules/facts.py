"""What the rules look at, and what they answer."""

from dataclasses import dataclass
from datetime import datetime

from registry.billing.clues import NOTHING, Expectation, Link
from registry.billing.codes import parts


@dataclass(frozen=True, slots=True)
class ImageFacts:
    """An image as the rules see it. `usage_operation` None: never recorded; "": left empty.

    `sold_with`: what its source instance is licensed for beside the same product code.
    `made_by`: the operation of AWS that made it, "" where that is not known. `parent`: the nearest
    thing it came from. `is_shared`: others may launch it; None where that was not read.
    `verdict_before`: of an image that is gone, its last verdict. `idle_purchases`: how many
    purchases stay idle because of its code. `age_days`: how long ago it was created.
    """

    usage_operation: str | None
    expectation: Expectation = NOTHING
    is_marketplace: bool = False
    sold_with: frozenset[str] = frozenset()
    running: int = 0
    source_instance_id: str = ""
    platform: str = ""
    made_by: str = ""
    is_vendors: bool = False
    parent: Link | None = None
    is_shared: bool | None = None
    is_gone: bool = False
    verdict_before: str = ""
    idle_purchases: int = 0
    age_days: int | None = None

    @property
    def licences(self) -> frozenset[str] | None:
        """Return what it is billed for; an empty field carries nothing. None: not known."""
        return frozenset() if self.usage_operation == "" else parts(self.usage_operation)


@dataclass(frozen=True, slots=True)
class InstanceFacts:
    """An instance as the rules see it, beside the image that it was launched from.

    `launched_at`: when it was started last, as AWS keeps no other time. `first_seen_at`: when the
    portal first saw it. `product_codes`: the ids of those on the instance or its image.
    """

    usage_operation: str | None
    image_usage_operation: str | None
    image_id: str = ""
    launched_at: datetime | None = None
    updated_at: datetime | None = None
    first_seen_at: datetime | None = None
    product_codes: frozenset[str] = frozenset()
    lifecycle: str = ""


@dataclass(frozen=True, slots=True)
class Comparison:
    """The verdict, and the licences that are missing and extra."""

    verdict: str
    missing: tuple[str, ...] = ()
    unexpected: tuple[str, ...] = ()

    @property
    def is_mismatch(self) -> bool:
        return self.verdict in MISMATCHES

    @property
    def changed(self) -> frozenset[str]:
        """Return the licences that are on one side only."""
        return frozenset((*self.missing, *self.unexpected))


@dataclass(frozen=True, slots=True)
class Violation:
    """What a thing breaks: the rule, how bad it is, what it means, and what to do in order."""

    rule: str
    severity: str
    title: str
    message: str
    remedy: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Judgment:
    comparison: Comparison
    violations: tuple[Violation, ...]


MISMATCHES = frozenset({"lost", "partial", "unexpected", "wrong"})
