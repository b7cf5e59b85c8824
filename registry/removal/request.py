"""Whether a request to discard images, or to bring them back, makes sense as it was made."""

from collections.abc import Mapping, Sequence
from datetime import timedelta

from registry.models import Image
from registry.removal.obstacles import obstacles
from registry.removal.preview import Wish

LONGEST_REASON = 2_000
# No limit to how patient one may be, but one to what is a slip of the finger.
LONGEST_WAIT = timedelta(days=3650)
_NUL = "\0"
_MOST_NAMED = 5


class Refused(Exception):
    """The request makes no sense; `problems` are sentences by field."""

    def __init__(self, problems: Mapping[str, str]) -> None:
        super().__init__(" ".join(problems.values()))
        self.problems = dict(problems)


def check(
    images: Sequence[Image],
    wish: Wish,
    *,
    reason: str,
    waits: Mapping[str, timedelta],
    seen: Sequence[str] | None,
) -> None:
    """Raise Refused where the request is not whole, or not the one that was shown.

    `waits` are the hold and the cooling time, by field; `seen` the ids that the person saw.
    """
    problems = {}
    for field, wait in waits.items():
        if wait < timedelta(0):
            problems[field] = "A time can't be negative."
        elif wait > LONGEST_WAIT:
            problems[field] = "Ten years are the most."
    against = _of_reason(reason)
    if against:
        problems["reason"] = against
    if wish.only_disables and wish.deletes_snapshots:
        problems["deletes_snapshots"] = (
            "Snapshots can only be deleted where the images are deregistered."
        )
    against = _of_images(images, wish, seen)
    if against:
        problems["images"] = against
    if problems:
        raise Refused(problems)


def _of_reason(reason: str) -> str:
    if not reason.strip():
        return "Say why."
    if len(reason) > LONGEST_REASON:
        return f"Say it in at most {LONGEST_REASON:,} characters."
    return "Leave out the character NUL." if _NUL in reason else ""


def _of_images(images: Sequence[Image], wish: Wish, seen: Sequence[str] | None) -> str:
    if not images:
        return "Choose at least one image."
    if seen is not None and sorted(seen) != sorted(image.aws_id for image in images):
        return "The selection is not the one that was shown. Look at it again."
    found = obstacles(images, is_undo=wish.is_undo, only_disables=wish.only_disables)
    named = [f"{image.aws_id}: {found[image.pk]}" for image in images if image.pk in found]
    if len(named) > _MOST_NAMED:
        named[_MOST_NAMED:] = [f"And {len(named) - _MOST_NAMED} more."]
    return " ".join(named)
