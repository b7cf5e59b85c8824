"""Why images can't be discarded, or brought back, at all; and who may ask for it."""

from collections.abc import Iterable, Sequence

from django.contrib.auth.models import User

from registry.access import Action, accounts
from registry.models import Image, Method, Registration
from registry.removal.uses import removals_under_way


def obstacles(
    images: Sequence[Image], *, is_undo: bool = False, only_disables: bool = False
) -> dict[int, str]:
    """Return, by primary key, why nothing can be done with an image; the others are left out."""
    under_way = removals_under_way(images)
    found = {}
    for image in images:
        item = under_way.get(image.pk)
        if item:
            text = f"{item.removal.run.ref} is at work on it already."
        else:
            text = _of_account(image) or _of_state(image, is_undo, only_disables)
        if text:
            found[image.pk] = text
    return found


def _of_account(image: Image) -> str:
    if not image.account.is_synced:
        return "Its account is only known from a recording."
    if image.owner_id and image.owner_id != image.account.number:
        return f"Account {image.owner_id} owns it."
    return ""


def _of_state(image: Image, is_undo: bool, only_disables: bool) -> str:
    if is_undo:
        is_there = image.gone_at is None and image.state not in {"disabled", "deregistered"}
        return "It is there already." if is_there else ""
    if image.gone_at is not None or image.state == "deregistered":
        return "AWS does not show it any more."
    if only_disables and image.state == "disabled":
        return "It is disabled already."
    return ""


# What AWS makes with its own snapshots; an image of another kind stands on those of others.
_WITH_SNAPSHOTS = (Method.INSTANCE, Method.COPY)


def not_allowed(
    images: Iterable[Image], *, by: User | None, is_forced: bool, deletes_snapshots: bool = False
) -> list[Image]:
    """Return the images that `by` (None: the command line) may not discard or bring back.

    Whoever may only discard what they have registered themselves may not force it, nor delete
    snapshots that were there before.
    """
    if by is None:
        return []
    chosen = list(images)
    everything = set(accounts(by, Action.DISCARD).values_list("pk", flat=True))
    others = [image for image in chosen if image.account_id not in everything]
    if is_forced or not others:
        return others
    own = set(accounts(by, Action.DISCARD_OWN).values_list("pk", flat=True))
    made = Registration.objects.filter(
        run__requested_by=by, image_id__in=[image.aws_id for image in others]
    )
    if deletes_snapshots:
        made = made.filter(method__in=_WITH_SNAPSHOTS)
    registered = set(made.values_list("image_id", "account_id"))
    return [
        image
        for image in others
        if image.account_id not in own or (image.aws_id, image.account_id) not in registered
    ]
