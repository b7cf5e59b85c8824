"""How far a removal has come."""

from collections import Counter

from django.db.models import QuerySet

from registry.models import ItemState, Removal, RemovalItem

_ENDS: dict[str, str] = {
    ItemState.DEREGISTERED: "discarded",
    ItemState.RESTORED: "restored",
    ItemState.DISABLED: "disabled",
    ItemState.KEPT: "kept by request",
    ItemState.IN_USE: "kept: in use",
    ItemState.FAILED: "failed",
}


def to_do(removal: Removal) -> QuerySet[RemovalItem]:
    """Return the items that a worker has something to do for, now or later."""
    items = RemovalItem.objects.active().filter(removal=removal)
    return items.exclude(state=ItemState.DISABLED) if removal.only_disables else items


def counts(removal: Removal) -> dict[str, int]:
    """Return how many images are in each state."""
    return dict(Counter(removal.items.values_list("state", flat=True)))


def tally(removal: Removal) -> str:
    """Say how a removal ended: "12 discarded, 1 kept: in use, 1 failed"."""
    found = counts(removal)
    return ", ".join(f"{found[state]} {word}" for state, word in _ENDS.items() if state in found)


def progress(removal: Removal) -> str:
    """Say how far it has come: "3 to go; 9 discarded"."""
    left, done = to_do(removal).count(), tally(removal)
    return f"{left} to go; {done}" if done else f"{left} to go"
