"""The rules that are checked, and one of them."""

from django.db.models import Count
from django.http import Http404, HttpResponse
from django.shortcuts import render

from registry.billing.rules import CLOSES, RULEBOOK
from registry.http import SignedInRequest
from registry.views.shell import findings


def rule_list(request: SignedInRequest) -> HttpResponse:
    numbers = _numbers(request)
    rows = [(entry, numbers.get(entry.id, 0)) for entry in RULEBOOK.values()]
    return render(request, "registry/rule_list.html", {"section": "rules", "rows": rows})


def rule(request: SignedInRequest, rule_id: str) -> HttpResponse:
    entry = RULEBOOK.get(rule_id)
    if entry is None:
        raise Http404(f"There is no rule {rule_id}.")
    number = _numbers(request).get(rule_id, 0)
    context = {"section": "rules", "entry": entry, "number": number, "closes": CLOSES[rule_id]}
    return render(request, "registry/rule.html", context)


def _numbers(request: SignedInRequest) -> dict[str, int]:
    """Count the findings that the list of findings shows, by rule."""
    found = findings(request).actionable().order_by()
    return dict(found.values_list("rule").annotate(number=Count("pk")))
