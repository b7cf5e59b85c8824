"""The ledger of a triage: what became of each finding."""

from typing import Any

from django.core.paginator import Paginator

from registry.http import SignedInRequest
from registry.models import Run, TriageItemState
from registry.triage import ledger

ROWS = 50
_LABELS: dict[str, str] = {
    TriageItemState.PENDING: "To do",
    TriageItemState.DONE: "Done",
    TriageItemState.LEFT: "Left as they are",
}


def triage_ledger(request: SignedInRequest, run: Run) -> dict[str, Any]:
    """Return a page of the findings that the person may read."""
    found = ledger(run, request.user)
    if found is None:
        return {}
    wanted = request.GET.get("state", "")
    items = found.items.filter(state=wanted) if wanted in _LABELS else found.items
    pages = Paginator(items, ROWS)
    page = pages.get_page(request.GET.get("page"))
    number = sum(found.counts.values())
    return {
        "triage": found.triage,
        "triage_counts": [
            (state, label, found.counts[state])
            for state, label in _LABELS.items()
            if found.counts[state]
        ],
        "triage_state": wanted,
        "triage_total": number,
        "triage_others": found.triage.items.count() - number,
        "page_obj": page,
        "pages": list(pages.get_elided_page_range(page.number, on_each_side=1, on_ends=1)),
    }
