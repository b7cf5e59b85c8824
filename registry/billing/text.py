"""What a name, a tag or a description of an image lets one guess. Weak evidence, all of it."""

from collections.abc import Callable
from dataclasses import dataclass

from registry.billing.codes import (
    BROUGHT,
    PLAIN,
    RHEL,
    RHEL_BYOL,
    RHEL_HA,
    SQL_EDITIONS,
    SUSE,
    UBUNTU_PRO,
    WINDOWS,
    WINDOWS_BYOL,
    compose,
    is_published,
    parts,
)
from registry.billing.patterns import (
    BYOL,
    BYOL_OF_SYSTEM,
    COMES_FIRST,
    DESCRIBES,
    EDITIONS,
    FREE_EDITION,
    HIGH_AVAILABILITY,
    NOT_A_LICENCE,
    OTHER_SYSTEM,
    VENDOR_NAMES,
    VERSION,
    WORDS,
)


@dataclass(frozen=True, slots=True)
class Guess:
    """A platform guessed from text.

    A text names what must be there, seldom what must not: a code with one of `any_of`, all of
    `all_of` and nothing outside `family` contradicts it in nothing.
    """

    usage_operation: str
    any_of: frozenset[str] = frozenset()
    all_of: frozenset[str] = frozenset()
    family: frozenset[str] = frozenset()

    def allows(self, actual: frozenset[str]) -> bool:
        """Say whether a code with the licences `actual` is in keeping with the text."""
        if actual and actual <= BROUGHT & self.any_of:
            return True  # with a licence of one's own, AWS charges for no add-on
        one = not self.any_of or bool(actual & self.any_of)
        return one and self.all_of <= actual and actual <= self.family


def guess(text: str) -> Guess | None:
    """Guess from free text; None where it says nothing, or too much at once."""
    text = NOT_A_LICENCE.sub(" ", text)
    systems = [name for name in _SYSTEMS if _says(name, text)]
    edition = frozenset(name for name, pattern in EDITIONS.items() if pattern.search(text))
    if len(systems) > 1:
        return None
    if systems and OTHER_SYSTEM.search(text) and systems != ["ubuntu pro"]:
        return None
    found = _SYSTEMS[systems[0]](text, edition) if systems else _other(text, edition)
    return found if found and is_published(found.usage_operation) else None


def says_linux(text: str) -> bool:
    """Say whether a text names Linux, and nothing else."""
    return text.strip().lower() in {"linux", "linux/unix"}


def describes(description: str) -> bool:
    """Say whether a description is of the system itself, not of something beside it.

    Prose names other systems too. It counts where it begins with a system or gives its version.
    """
    return DESCRIBES.search(description) is not None


def names_system(text: str) -> bool:
    """Say whether a text names a system at all, be it one of many."""
    text = NOT_A_LICENCE.sub(" ", text)
    return any(_says(name, text) for name in _SYSTEMS) or bool(OTHER_SYSTEM.search(text))


def gives_version(text: str) -> bool:
    """Say whether a text names a licensed system with its version, not just by a word."""
    return VERSION.search(NOT_A_LICENCE.sub(" ", text)) is not None


def is_named_for(name: str) -> bool:
    """Say whether a name begins with a licensed system or gives its version.

    Otherwise the word may be there for any reason: of what the image serves, or watches.
    """
    return COMES_FIRST.search(NOT_A_LICENCE.sub(" ", name)) is not None or gives_version(name)


def without_terms(text: str) -> str:
    """Take away what may be said of the software of a product: its edition, and who brings it."""
    for pattern in (BYOL, *EDITIONS.values()):
        text = pattern.sub(" ", text)
    return text


def is_sold_by(owner_id: str, licences: frozenset[str]) -> bool:
    """Say whether an account is one from which a vendor publishes images with these licences."""
    return any(
        owner_id in vendor.owners and licences == parts(vendor.usage_operation)
        for vendor in VENDOR_NAMES
    )


def vendor_code(owner_id: str, name: str) -> str | None:
    """Return the code of a vendor's own image by its name; None if neither is known."""
    for vendor in VENDOR_NAMES:
        if owner_id in vendor.owners and vendor.name.search(name):
            return vendor.usage_operation
    return None


def _says(word: str, text: str) -> bool:
    return WORDS[word].search(text) is not None


def _windows(text: str, edition: frozenset[str]) -> Guess | None:
    if _says("linux", text):
        return None
    family = frozenset({WINDOWS, WINDOWS_BYOL}) | SQL_EDITIONS
    if BYOL.search(text):
        if "sql" in text.lower() or not BYOL_OF_SYSTEM.search(text):
            # Which is brought, Windows or the software on it, the text does not say.
            return Guess(compose(frozenset({WINDOWS})), family, frozenset(), family)
        return _exactly(WINDOWS_BYOL)
    if not edition and FREE_EDITION.search(text):
        family -= SQL_EDITIONS
    both = frozenset({WINDOWS}) | edition
    return Guess(compose(both), frozenset({WINDOWS, WINDOWS_BYOL}), edition, family)


def _rhel(text: str, edition: frozenset[str]) -> Guess | None:
    if BYOL.search(text) and "sql" in text.lower():
        return None
    if BYOL_OF_SYSTEM.search(text):
        return _exactly(RHEL_BYOL)
    add_on = frozenset({RHEL_HA} if HIGH_AVAILABILITY.search(text) else ())
    family = frozenset({RHEL, RHEL_BYOL, RHEL_HA}) | SQL_EDITIONS
    wanted = frozenset({RHEL}) | add_on | edition
    return Guess(compose(wanted), frozenset({RHEL, RHEL_BYOL}), add_on | edition, family)


def _suse(text: str, edition: frozenset[str]) -> Guess | None:
    if _says("sap", text) or edition:
        return None  # sold through the Marketplace, billed as plain Linux; or no code is known
    if BYOL.search(text):
        return _brought_without_code(text)
    return Guess(compose(frozenset({SUSE})), frozenset({SUSE}), frozenset(), frozenset({SUSE}))


def _ubuntu_pro(text: str, edition: frozenset[str]) -> Guess | None:
    if edition:
        return None
    if BYOL.search(text):
        return _brought_without_code(text)
    wanted = frozenset({UBUNTU_PRO})
    return Guess(compose(wanted), wanted, frozenset(), wanted | SQL_EDITIONS)


def _brought_without_code(text: str) -> Guess | None:
    return _exactly() if BYOL_OF_SYSTEM.search(text) else None


_SYSTEMS: dict[str, Callable[[str, frozenset[str]], Guess | None]] = {
    "windows": _windows,
    "rhel": _rhel,
    "suse": _suse,
    "ubuntu pro": _ubuntu_pro,
}


def _other(text: str, edition: frozenset[str]) -> Guess | None:
    # Ubuntu may have become Pro without a new name.
    pro = frozenset({UBUNTU_PRO} if _says("ubuntu", text) else ())
    if edition:
        if BYOL.search(text) or not _says("linux", text):
            return None
        return Guess(compose(edition), edition, edition, edition | pro)
    if OTHER_SYSTEM.search(text) and "sql" not in text.lower():
        # A system without a licence; SQL Server may be on it all the same.
        return Guess(PLAIN, frozenset(), frozenset(), pro | SQL_EDITIONS)
    return None


def _exactly(*licences: str) -> Guess:
    wanted = frozenset(licences)
    return Guess(compose(wanted), frozenset(), wanted, wanted)


def windows_family() -> Guess:
    """What `Platform` = windows tells: Windows for certain, of its licence nothing more."""
    family = frozenset({WINDOWS, WINDOWS_BYOL})
    return Guess(compose(frozenset({WINDOWS})), family, frozenset(), family | SQL_EDITIONS)


def is_plain(usage_operation: str | None) -> bool:
    """Say whether a code is known and carries no licence."""
    return parts(usage_operation) == frozenset()
