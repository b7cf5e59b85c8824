"""What an image should be billed as, how sure that is, and why.

Strongest first: what was declared; the instance it was made from; an ancestor that carries a
licence; the vendor's account and name; the image's own tags, name and description; its Platform.
A licence on an instance or ancestor is a fact about what runs. A plain code is not: it is just
what a lost code looks like. So the nearest link that carries a licence counts before nearer plain
ones.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace

from registry.billing.codes import PLAIN, compose, label, parts
from registry.billing.codes import RHEL as RHEL_LICENCE
from registry.billing.patterns import RED_HAT_MARKETPLACE
from registry.billing.text import Guess, guess, is_plain, vendor_code, windows_family

STRENGTHS = ("none", "weak", "medium", "strong")
# Tags whose value names the system, whoever set them.
PLATFORM_TAGS = ("amiportal:platform", "os", "platform", "operating-system", "operating_system")


@dataclass(frozen=True, slots=True)
class Link:
    """A thing from which an image came.

    `how` says the way in words. `is_recorded`: AWS recorded the way; otherwise it was read from
    free text that anybody may write. `is_copy`: the image is a copy, so the codes must agree.
    `has_changed`: its code has changed since the image was made.
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


@dataclass(frozen=True, slots=True)
class Clues:
    """All that may tell what an image should be billed as."""

    usage_operation: str | None = None
    declared: str = ""
    name: str = ""
    description: str = ""
    tags: Mapping[str, str] = field(default_factory=dict)
    owner_id: str = ""
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


def expect(clues: Clues) -> Expectation:
    """Return what the strongest source says; sources that disagree lower the confidence."""
    evidence = tuple(_evidence(clues))
    if not evidence:
        return NOTHING
    best = max(evidence, key=lambda item: STRENGTHS.index(item.strength))
    said = {parts(item.usage_operation) for item in evidence}
    confidence = best.strength
    if len(said) > 1 and best.source != "declared" and confidence != "weak":
        confidence = STRENGTHS[STRENGTHS.index(confidence) - 1]
    code = best.usage_operation
    return Expectation(code, label(code), confidence, best.source, evidence)


def _evidence(clues: Clues) -> Iterator[Evidence]:
    if clues.declared:
        yield Evidence("declared", "strong", clues.declared, "Somebody declared it.")
    yield from _from_links(clues)
    vendor = vendor_code(clues.owner_id, clues.name)
    if vendor:
        yield Evidence(
            "owner",
            "strong",
            vendor,
            f"Account {clues.owner_id} publishes {label(vendor)} under names like this one.",
        )
    yield from _from_text(clues, has_vendor=vendor is not None)
    if RED_HAT_MARKETPLACE & set(clues.product_codes):
        code = compose(frozenset({RHEL_LICENCE}))
        yield Evidence("product code", "weak", code, "A product code of Red Hat is on it.")


def _from_links(clues: Clues) -> Iterator[Evidence]:
    found = False
    for link in clues.links:
        if found or link.has_changed:
            continue
        code = link.usage_operation
        vendor = vendor_code(link.owner_id, link.name)
        if parts(code):
            found = True
            yield _of_link(link, code or "", f"is billed as {code}")
        elif vendor and parts(vendor):
            found = True
            yield _of_link(link, vendor, f"is the vendor's image {link.name}")
    if not found:
        yield from _from_plain_links(clues)


def _from_plain_links(clues: Clues) -> Iterator[Evidence]:
    for link in clues.links:
        if link.has_changed or not is_plain(link.usage_operation):
            continue
        # What was launched from a plain image may have been converted since.
        if link.kind == "instance" or link.is_copy or is_plain(clues.usage_operation):
            yield _of_link(link, PLAIN, "is billed without a licence")
            return


def _of_link(link: Link, code: str, what: str) -> Evidence:
    source = "instance" if link.kind == "instance" else "ancestor"
    strength = "strong" if link.is_recorded else "medium"
    return Evidence(source, strength, code, f"{link.how} {link.aws_id}, which {what}.")


def _from_text(clues: Clues, *, has_vendor: bool) -> Iterator[Evidence]:
    is_windows = clues.platform.lower() == "windows"
    for source, text, sentence in _texts(clues):
        found = guess(f"{text} windows" if is_windows else text)
        if found is None or (has_vendor and source == "name"):
            continue
        # With the Platform of AWS behind it, a text is more than a text.
        strength = "medium" if is_windows else "weak"
        yield _guessed(found, clues, Evidence(source, strength, "", sentence))
    if is_windows:
        sentence = "AWS says that its Platform is windows."
        yield _guessed(windows_family(), clues, Evidence("platform", "medium", "", sentence))


def _texts(clues: Clues) -> Iterator[tuple[str, str, str]]:
    for key, value in clues.tags.items():
        if key.lower() in PLATFORM_TAGS:
            yield "tag", value, f"Its tag {key} is {value}."
    if guess(clues.name):
        yield "name", clues.name, f"Its name is {clues.name}."
    if guess(clues.description):
        yield "description", clues.description, "Its description says so."


def _guessed(found: Guess, clues: Clues, evidence: Evidence) -> Evidence:
    """A text that the actual code does not contradict speaks for that code."""
    actual = parts(clues.usage_operation)
    code = found.usage_operation
    if actual is not None and found.allows(actual):
        code = compose(actual)
    return replace(evidence, usage_operation=code)
