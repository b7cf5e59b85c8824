"""Write a removal down: its run, and a row for each image."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from django.contrib.auth.models import User
from django.db.models import QuerySet

from registry.access import Ruling, ruling
from registry.models import (
    OVER,
    Image,
    ItemState,
    Operation,
    Removal,
    RemovalItem,
    Run,
    RunKind,
)
from registry.removal.uses import known_uses


def write_down(
    draft: Removal, images: Sequence[Image], *, by: User | None, hold: timedelta, at: datetime
) -> Run:
    """Save `draft` with all it needs, and return its run.

    IntegrityError where it exists already, or where another removal is at work on an image.
    """
    rule = _strictest(images, by)
    run = Run.objects.create(
        kind=RunKind.REMOVE,
        requested_by=by,
        requested_at=at,
        policy=rule.policy,
        approvals_needed=rule.approvals,
    )
    draft.run = run
    draft.hold_until = at + hold if hold else None
    draft.save()
    run.images.set(images)
    _close_left_behind(images, run)
    uses = {} if draft.is_undo else known_uses(images)
    lost = _permissions_lost(images) if draft.is_undo else {}
    RemovalItem.objects.bulk_create(
        RemovalItem(
            removal=draft,
            image=image,
            act_at=at + hold,
            uses_shown=[use.json for use in uses.get(image.pk, [])],
            permissions=lost.get(image.pk, []),
        )
        for image in images
    )
    run.record(f"Requested by {by or 'the operator'}: {draft.reason}", at=at)
    return run


def reopen(removal: Removal, *, at: datetime) -> int:
    """Set the failed items back to the step they stand at, but for those in another removal.

    IntegrityError where another removal takes one at this moment.
    """
    elsewhere = RemovalItem.objects.active().exclude(removal__run__state__in=OVER)
    failed = removal.items.filter(state=ItemState.FAILED)
    failed = failed.exclude(image__in=elsewhere.exclude(removal=removal).values("image"))
    _close_left_behind(failed.values("image"), removal.run)
    again = {"act_at": at, "tries": 0, "error": "", "note": ""}
    disabled = failed.exclude(disabled_at=None).update(state=ItemState.DISABLED, **again)
    return disabled + failed.update(state=ItemState.MARKED, **again)


def _strictest(images: Sequence[Image], by: User | None) -> Ruling:
    """Return the ruling that asks for the most approvals, of all the images."""
    cases = {(image.account, image.expected_usage_operation or "") for image in images}
    ordered = sorted(cases, key=lambda case: (case[0].pk, case[1]))
    rulings = [
        ruling(by, account, operation=Operation.REMOVE, usage_operation=code)
        for account, code in ordered
    ]
    return max(rulings, key=lambda found: found.approvals)


def _close_left_behind(images: Sequence[Image] | QuerySet[Any, Any], run: Run) -> None:
    """Close the items of removals that are over: this run goes on from where they stand."""
    left = RemovalItem.objects.active().filter(removal__run__state__in=OVER, image__in=images)
    left.update(state=ItemState.KEPT, note=f"{run.ref} goes on from here.")


def _permissions_lost(images: Sequence[Image]) -> dict[int, list[dict[str, str]]]:
    """Return the launch permissions that the images had when they were disabled last."""
    rows = RemovalItem.objects.filter(image__in=images, removal__is_undo=False)
    newest = rows.exclude(disabled_at=None).order_by("image", "-pk").distinct("image")
    return {row.image_id: row.permissions for row in newest}
