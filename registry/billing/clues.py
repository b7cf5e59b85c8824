"""What may tell what an image should be billed as, and what was made of it."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from registry.billing.own_patterns import OwnPattern


@dataclass(frozen=True, slots=True)
class Link:
    """A thing from which an image came.

    `how` says the way in words. `is_recorded`: AWS recorded the way; otherwise it was read from
    free text that anybody may write. `is_copy`: the image is a copy, so the codes must agree.
    `has_changed`: its code has changed since the image was made. `may_have_changed`: it is not
    recorded when its code was changed last.
    """

    kind: str  # "instance" or "image"
    aws_id: str
    usage_operation: str | None
    name: str = ""
    owner_id: str = ""
    how: str = ""
    is_recorded: bool = True
    is_copy: bool = False
    has_changed: bool = False
    may_have_changed: bool = False


@dataclass(frozen=True, slots=True)
class Clues:
    """All that may tell what an image should be billed as.

    `declaration` says in words who declared it. `account`: the key of the image's account, by
    which it is told which of the `patterns` are for it.
    """

    usage_operation: str | None = None
    declared: str = ""
    declaration: str = ""
    account: int | None = None
    patterns: tuple[OwnPattern, ...] = ()
    name: str = ""
    description: str = ""
    tags: Mapping[str, str] = field(default_factory=dict)
    owner_id: str = ""
    owner_alias: str = ""
    platform: str = ""
    product_codes: tuple[str, ...] = ()
    links: tuple[Link, ...] = ()  # nearest first


@dataclass(frozen=True, slots=True)
class Evidence:
    """One source, what it says, and in a sentence why."""

    source: str
    strength: str
    usage_operation: str
    sentence: str


@dataclass(frozen=True, slots=True)
class Expectation:
    """The expected code; None with confidence "none" where nothing tells."""

    usage_operation: str | None
    platform: str
    confidence: str
    source: str
    evidence: tuple[Evidence, ...]


NOTHING = Expectation(None, "", "none", "none", ())
