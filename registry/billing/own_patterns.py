"""Patterns that the administrators of a portal write themselves: what a name or a tag says.

The built-in ones are in `patterns`. These are rows; here is what they mean.
"""

import fnmatch
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache

NAME, TAG = "name", "tag"
POLICY = "strong"


@dataclass(frozen=True, slots=True)
class OwnPattern:
    """Images whose name, or whose tag `key`, fits `text` are expected to have `usage_operation`.

    `account`: the key of the only account that it is for. A `strength` of "strong" makes it a
    policy, which counts like a declaration.
    """

    kind: str
    key: str
    text: str
    usage_operation: str
    strength: str
    note: str = ""
    account: int | None = None

    def fits(self, name: str, tags: Mapping[str, str], account: int | None = None) -> bool:
        """Say whether an image of `account` with this name and these tags is meant."""
        if self.account is not None and self.account != account:
            return False
        if self.kind == NAME:
            return fits(self.text, name)
        wanted = self.key.lower()
        return any(key.lower() == wanted and fits(self.text, said) for key, said in tags.items())

    @property
    def sentence(self) -> str:
        """Say in words what an image that fits has, and why that counts."""
        what = "Its name" if self.kind == NAME else f"Its tag {self.key}"
        how = "is under the policy for" if self.strength == POLICY else "fits the pattern"
        return f"{what} {how} {self.text}. {self.note}".strip()


def fits(pattern: str, text: str) -> bool:
    """Say whether a shell pattern fits the whole of a text, in whatever case.

    * stands for any characters, ? for one. A bracket is a bracket: names of images have some.
    """
    return _compiled(pattern).match(text) is not None


def is_of_wildcards(pattern: str) -> bool:
    """Say whether a pattern names no character, so that it fits nearly everything."""
    return not pattern.strip("*? ")


def in_order(patterns: Iterable[OwnPattern]) -> list[OwnPattern]:
    """Put what is for one account before what is for all: an exception is meant to count."""
    return sorted(patterns, key=lambda pattern: pattern.account is None)


@lru_cache(maxsize=10_000)
def _compiled(pattern: str) -> re.Pattern[str]:
    # What fnmatch makes of it never goes back over what a * has taken.
    return re.compile(fnmatch.translate(pattern.replace("[", "[[]")), re.IGNORECASE)
