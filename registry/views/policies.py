"""Which policies hold: those of the administrators and those that are built in."""

from django.db.models import Q
from django.http import HttpResponse
from django.shortcuts import render

from registry.access import BUILT_IN, Action, accounts, may_everywhere
from registry.http import SignedInRequest
from registry.models import OPERATOR, Policy, Role


def policies(request: SignedInRequest) -> HttpResponse:
    """Show who may act alone and who must ask, most specific first."""
    readable = Q(account=None) | Q(account__in=accounts(request.user))
    rows = Policy.objects.filter(readable).select_related("account").order_by("name")
    labels = {**dict(Role.choices), OPERATOR: "The command line"}
    built_in = [
        {"role": labels[role], "is_risky": is_risky, "ruling": ruling}
        for role, is_risky, ruling in BUILT_IN
    ]
    context = {
        "section": "policies",
        "policies": rows,
        "built_in": built_in,
        "can_manage": may_everywhere(request.user, Action.MANAGE),
    }
    return render(request, "registry/policies.html", context)
