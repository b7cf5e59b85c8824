"""What an image should be billed as, how sure that is, and why.

Strongest first: what was declared, of this image or by a policy; the instance it was made from; an
ancestor that carries a licence; the vendor's account and name; the patterns of administrators; the
image's own tags, name and description; its Platform.
A licence on an instance or ancestor is a fact about what runs. A plain code is not: it is just
what a lost code looks like. So the nearest link that carries a licence counts before nearer plain
ones, and a plain one counts for nothing where its name says that it was not plain.
"""

from collections.abc import Iterable, Iterator

from registry.billing.clues import NOTHING, Clues, Evidence, Expectation, Link
from registry.billing.codes import (
    PLAIN,
    RHEL,
    SQL_EDITIONS,
    WINDOWS,
    canonical,
    compose,
    could_become,
    label,
    parts,
)
from registry.billing.conversion import is_listed
from registry.billing.own_patterns import POLICY, OwnPattern, in_order
from registry.billing.patterns import MARKETPLACE, RED_HAT_MARKETPLACE
from registry.billing.text import (
    Guess,
    describes,
    gives_version,
    guess,
    is_named_for,
    is_plain,
    is_sold_by,
    names_system,
    says_linux,
    vendor_code,
    windows_family,
    without_terms,
)

STRENGTHS = ("none", "weak", "medium", "strong")
# Tags whose value names the system, whoever set them.
PLATFORM_TAGS = ("amiportal:platform", "os", "platform", "operating-system", "operating_system")


def expect(clues: Clues) -> Expectation:
    """Return what the strongest source says; sources that disagree lower the confidence."""
    firm = tuple(_firm(clues))
    settled = max(firm, key=_strength).usage_operation if firm else None
    evidence = (*firm, *_from_text(clues, settled), *_from_product_codes(clues))
    if not evidence:
        return NOTHING
    best = max(evidence, key=_strength)
    said = {parts(item.usage_operation) for item in evidence}
    confidence = best.strength
    if len(said) > 1 and confidence != "weak" and not _is_decided(clues, evidence):
        confidence = STRENGTHS[STRENGTHS.index(confidence) - 1]
    code = best.usage_operation
    return Expectation(code, label(code), confidence, best.source, evidence)


def _strength(item: Evidence) -> int:
    return STRENGTHS.index(item.strength)


def _is_decided(clues: Clues, evidence: Iterable[Evidence]) -> bool:
    """Say whether people have decided it: other evidence does not count against them."""
    decided = {parts(item.usage_operation) for item in evidence if item.source == "declared"}
    return bool(clues.declared) or len(decided) == 1


def _firm(clues: Clues) -> Iterator[Evidence]:
    if clues.declared:
        yield Evidence("declared", "strong", clues.declared, clues.declaration)
    fitting = [one for one in clues.patterns if one.fits(clues.name, clues.tags, clues.account)]
    policies = [one for one in fitting if one.strength == POLICY]
    yield from _from_patterns(clues, policies, "declared")
    yield from _from_links(clues)
    vendor = vendor_code(clues.owner_id, clues.name)
    if vendor:
        yield Evidence(
            "owner",
            "strong",
            vendor,
            f"Account {clues.owner_id} publishes {label(vendor)} under names like this one.",
        )
    others = [one for one in fitting if one.strength != POLICY]
    yield from _from_patterns(clues, others, "pattern")


def _from_patterns(clues: Clues, patterns: Iterable[OwnPattern], source: str) -> Iterator[Evidence]:
    """Of patterns that contradict each other, the one that the code bears out comes first."""
    actual = parts(clues.usage_operation)
    ordered = sorted(patterns, key=lambda one: parts(one.usage_operation) != actual)
    for one in in_order(ordered):
        yield Evidence(source, one.strength, one.usage_operation, one.sentence)


def _from_product_codes(clues: Clues) -> Iterator[Evidence]:
    if RED_HAT_MARKETPLACE & set(clues.product_codes):
        code = compose(frozenset({RHEL}))
        yield Evidence("product code", "weak", code, "A product code of Red Hat is on it.")


def _from_links(clues: Clues) -> Iterator[Evidence]:
    for link in clues.links:
        if link.has_changed or _may_be_converted(link, clues):
            continue
        code = link.usage_operation or ""
        if parts(code):
            yield _of_link(link, _converted(link, code, clues), f"is billed as {code}")
            return
        vendor = vendor_code(link.owner_id, link.name)
        if vendor and parts(vendor):
            what = f"is the vendor's image {link.name}"
            yield _of_link(link, _converted(link, vendor, clues), what)
            return
    yield from _from_plain_links(clues)


def _may_be_converted(link: Link, clues: Clues) -> bool:
    """Say whether an instance may have been as its image is, and have been converted since.

    Then its code tells what it is now.
    """
    before, now = parts(clues.usage_operation), parts(link.usage_operation)
    if not link.may_have_changed or before is None or now is None or before == now:
        return False
    return is_listed(before, now, clues.product_codes)


def _converted(link: Link, code: str, clues: Clues) -> str:
    """Return what an ancestor's code has become: AWS may have converted an instance between."""
    before, now = parts(code), parts(clues.usage_operation)
    if link.kind == "instance" or link.is_copy or before is None or now is None:
        return code
    return compose(now) if could_become(before, now) else code


def _from_plain_links(clues: Clues) -> Iterator[Evidence]:
    if clues.platform.lower() == "windows":
        return  # a plain code is what a lost one looks like, and Windows is never plain
    lost = _from_lost_link(clues)
    if lost:
        yield lost
        return
    for link in clues.links:
        # What was launched from a plain image may have been converted since.
        is_close = link.kind == "instance" or link.is_copy
        if not is_close and not is_plain(clues.usage_operation):
            return
        has_changed = link.has_changed or _may_be_converted(link, clues)
        if is_plain(link.usage_operation) and not has_changed:
            yield _of_link(link, PLAIN, "is billed without a license")
            return


def _from_lost_link(clues: Clues) -> Evidence | None:
    """What the name of an ancestor tells that lost its own code; None where anything is against it.

    Its plain code is then no evidence: all that is made of it is plain for the same reason.
    """
    named = (link for link in clues.links if link.kind == "image" and names_system(link.name))
    link = next(named, None)
    found = guess(link.name) if link else None
    if link is None or found is None or found.allows(frozenset()) or not _is_bare(link):
        return None
    if link.owner_id in MARKETPLACE:
        return None
    own = list(_own_words(clues))
    if vendor_code(clues.owner_id, clues.name) or not _is_in_keeping(found, own, clues):
        return None
    licences = parts(found.usage_operation) or frozenset()
    is_sold = is_sold_by(link.owner_id, licences)
    said = [text for text, _ in own if guess(text)]
    has_tag = any(is_tag and guess(text) for text, is_tag in own)
    if not (is_sold or has_tag or any(map(gives_version, (link.name, *said)))):
        return None  # a word alone may be in a name for any reason
    codes = [clues.usage_operation or "", *(_code_said(text) for text in said)]
    return Evidence(
        "ancestor",
        "medium" if is_sold else "weak",
        _spoken_for(found, codes),
        # Not the name: it may be of an account that who reads this may not look at.
        f"{link.how} {link.aws_id}, which is billed without a license though its name says "
        f"{label(found.usage_operation)}.",
    )


def _is_bare(link: Link) -> bool:
    return link.usage_operation == "" or is_plain(link.usage_operation)


def _own_words(clues: Clues) -> Iterator[tuple[str, bool]]:
    """Yield each text of an image that may name its system, and whether it is there for that."""
    yield from ((text, True) for key, text in clues.tags.items() if key.lower() in PLATFORM_TAGS)
    yield clues.name, False
    yield clues.description, False


def _is_in_keeping(found: Guess, own: Iterable[tuple[str, bool]], clues: Clues) -> bool:
    """Say whether neither the code nor a text of an image contradicts the name of an ancestor."""
    actual = parts(clues.usage_operation)
    if actual and not found.allows(actual):
        return False  # what was launched from the ancestor was converted, or is another system
    return all(_agrees(found, text, is_tag=is_tag) for text, is_tag in own)


def _agrees(found: Guess, text: str, *, is_tag: bool) -> bool:
    if is_tag and says_linux(text):
        return WINDOWS not in (parts(found.usage_operation) or ())
    said = guess(text)
    if said is None:
        return not names_system(text)
    return _allows(found, said.usage_operation) or _allows(said, found.usage_operation)


def _code_said(text: str) -> str:
    said = guess(text)
    return said.usage_operation if said else ""


def _of_link(link: Link, code: str, what: str) -> Evidence:
    source = "instance" if link.kind == "instance" else "ancestor"
    strength = "strong" if link.is_recorded else "medium"
    code = canonical(code) or code
    return Evidence(source, strength, code, f"{link.how} {link.aws_id}, which {what}.")


def _from_text(clues: Clues, settled: str | None) -> Iterator[Evidence]:
    if clues.owner_id in MARKETPLACE or clues.owner_alias == "aws-marketplace":
        return  # a seller names what is sold as he likes, and its code is what AWS set
    is_windows = clues.platform.lower() == "windows"
    # With the Platform of AWS behind it, a text is more than a text.
    strength = "medium" if is_windows else "weak"
    known = [code for code in (settled, clues.usage_operation) if code and parts(code) is not None]
    texts = list(_texts(clues, is_windows=is_windows))
    own = [found.usage_operation for found, _, _ in texts]
    common = [code for code in (*known, *own) if all(_allows(found, code) for found, _, _ in texts)]
    items = [
        Evidence(source, strength, _spoken_for(found, (*common[:1], *known)), sentence)
        for found, source, sentence in texts
    ]
    # Of texts that contradict each other, the one that the code bears out comes first.
    actual = parts(clues.usage_operation)
    yield from sorted(items, key=lambda item: parts(item.usage_operation) != actual)
    if is_windows:
        code = _spoken_for(windows_family(), known)
        yield Evidence("platform", "medium", code, "AWS says that its Platform is windows.")


def _texts(clues: Clues, *, is_windows: bool) -> Iterator[tuple[Guess, str, str]]:
    tags = {key: text for key, text in clues.tags.items() if key.lower() in PLATFORM_TAGS}
    has_vendor = vendor_code(clues.owner_id, clues.name) is not None
    texts = [("tag", text, f"Its tag {key} is {text}.") for key, text in tags.items()]
    if not has_vendor and guess(clues.name):
        texts.append(("name", clues.name, f"Its name is {clues.name}."))
    said = guess(clues.description)
    # Prose names many systems. One without a licence raises no alarm.
    if said and (not parts(said.usage_operation) or describes(clues.description)):
        texts.append(("description", clues.description, "Its description says so."))
    is_linux = not is_windows and any(map(says_linux, tags.values()))
    for source, text, sentence in texts:
        system = without_terms(text) if clues.product_codes else text
        found = guess(f"{system}, windows" if is_windows else system)
        if found is None or (is_linux and WINDOWS in (parts(found.usage_operation) or ())):
            continue
        if _may_speak(found, source, text, clues):
            yield found, source, sentence


def _may_speak(found: Guess, source: str, text: str, clues: Clues) -> bool:
    """Say whether a text counts. A mere word in a name confirms a code, and accuses none."""
    licences, actual = parts(found.usage_operation) or frozenset(), parts(clues.usage_operation)
    if set(clues.product_codes) - RED_HAT_MARKETPLACE and WINDOWS not in licences:
        # What AWS charges for the Linux of a seller, no text tells.
        return actual is not None and found.allows(actual)
    if source != "name" or not licences or licences & SQL_EDITIONS or is_named_for(text):
        return True
    return actual is None or found.allows(actual)


def _allows(found: Guess, code: str) -> bool:
    licences = parts(code)
    return licences is not None and found.allows(licences)


def _spoken_for(found: Guess, codes: Iterable[str]) -> str:
    """A text speaks for the first code that it does not contradict."""
    code = next((code for code in codes if _allows(found, code)), found.usage_operation)
    return canonical(code) or code
