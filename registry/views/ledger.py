"""The ledger of a removal: a row for each image."""

from collections import Counter
from typing import Any

from django.db.models import Q, QuerySet

from registry.access import Action, accounts, may, visible
from registry.http import SignedInRequest
from registry.models import ITEM_ACTIVE, OVER, Event, ItemState, Removal, RemovalItem, Run
from registry.removal import Use, as_told

SHOWN = 500
_BACK = (ItemState.DISABLED, ItemState.DEREGISTERED)


def ledger(request: SignedInRequest, run: Run) -> dict[str, Any]:
    """Return the rows that the person may read, and what they can do about them."""
    removal: Removal = run.removal
    rows = visible(removal.items.all(), request.user, by="image__account")
    items = list(rows.select_related("image__account").order_by("pk")[:SHOWN])
    mine = run.requested_by_id == request.user.pk
    owners = {item.image.account for item in items}
    can_steer = mine or all(may(request.user, Action.DISCARD, account) for account in owners)
    can_keep = all(may(request.user, Action.VERIFY, account) for account in owners)
    numbers = set(accounts(request.user).values_list("number", flat=True))
    counts = Counter(item.state for item in items)
    return {
        "removal": removal,
        "items": [_row(item, numbers, can_keep=can_keep) for item in items],
        "events": _events(run, rows),
        "others": removal.items.count() - len(items),
        "counts": [(ItemState(state).label, number) for state, number in counts.items()],
        "can_pause": can_steer and not run.is_over and not removal.is_paused,
        "can_resume": can_steer and removal.is_paused and not run.is_over,
        "can_retry": can_steer and counts[ItemState.FAILED] > 0,
        "back": _back(items) if run.state in OVER and not removal.is_undo else [],
    }


def _events(run: Run, rows: QuerySet[RemovalItem]) -> QuerySet[Event]:
    """Return the timeline without what happens to images that the person may not read."""
    of_all = Q(subject="") | Q(subject__in=rows.values("image__aws_id"))
    return run.events.filter(of_all).order_by("pk")


def _row(item: RemovalItem, numbers: set[str], *, can_keep: bool) -> dict[str, Any]:
    return {
        "item": item,
        "uses": as_told(map(Use.parse, item.uses), numbers),
        "can_keep": can_keep and item.state in ITEM_ACTIVE,
    }


def _back(items: list[RemovalItem]) -> list[str]:
    """Return the images that can be asked to come back."""
    return [item.image.aws_id for item in items if item.state in _BACK]
