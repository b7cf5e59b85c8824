"""What somebody wants done to findings, and whether it makes sense as it was said."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.contrib.auth.models import User

from registry.models import TriageAction

LONGEST_TEXT = 2_000
LONGEST_WAIVER = timedelta(days=366)
_NEEDS_TEXT = {
    TriageAction.COMMENT: "Write a comment.",
    TriageAction.WAIVE: "Say why it may stay as it is.",
}


class Late(Exception):
    """The finding is in a state that does not allow it, or not any more; the message says which."""


class Refused(Exception):
    """It makes no sense as it was said; `errors` are sentences by field: text, person, until."""

    def __init__(self, errors: Mapping[str, str]) -> None:
        super().__init__(" ".join(errors.values()))
        self.errors = dict(errors)


@dataclass(frozen=True, slots=True)
class Wish:
    """One action, and all that it takes.

    `text` is the reason or the comment, `person` the assignee (None: nobody) or who answers for
    the waiver, `until` its last moment.
    """

    action: TriageAction
    by: User
    text: str = ""
    person: User | None = None
    until: datetime | None = None


def check(wish: Wish, *, at: datetime) -> None:
    """Raise Refused where the wish is not whole, whatever it is done to."""
    errors = {"text": _of_text(wish)}
    if wish.action == TriageAction.WAIVE:
        errors["person"] = "" if wish.person else "Name who answers for it."
        errors["until"] = _of_until(wish.until, at)
    errors = {field: error for field, error in errors.items() if error}
    if errors:
        raise Refused(errors)


def _of_text(wish: Wish) -> str:
    if not wish.text.strip():
        return _NEEDS_TEXT.get(wish.action, "")
    if len(wish.text) > LONGEST_TEXT:
        return f"Say it in at most {LONGEST_TEXT:,} characters."
    # PostgreSQL keeps neither NUL nor half of a surrogate pair.
    is_storable = not any(letter == "\0" or "\ud800" <= letter <= "\udfff" for letter in wish.text)
    return "" if is_storable else "Leave out what can't be kept, such as the character NUL."


def _of_until(until: datetime | None, at: datetime) -> str:
    if until is None:
        return "Say until when."
    if until <= at:
        return "Choose a time in the future."
    return "" if until <= at + LONGEST_WAIVER else "A waiver lasts a year at most."
