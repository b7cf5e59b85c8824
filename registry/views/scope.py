"""The accounts and regions that every page is narrowed to."""

from django.http import HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_POST

from registry.access import accounts, visible
from registry.http import SignedInRequest
from registry.models import Scope
from registry.views.lists import back


@require_POST
def set_scope(request: SignedInRequest) -> HttpResponse:
    """Keep the choice on the session; all of something is none chosen."""
    readable = set(accounts(request.user).values_list("number", flat=True))
    chosen = [number for number in request.POST.getlist("accounts") if number in readable]
    known = set(visible(Scope.objects.all(), request.user).values_list("region", flat=True))
    regions = [region for region in request.POST.getlist("regions") if region in known]
    if "reset" in request.POST or len(chosen) == len(readable):
        chosen = []
    if "reset" in request.POST or request.POST.get("all_regions") == str(len(regions)):
        regions = []
    request.session["scope"] = {"accounts": chosen, "regions": regions}
    return redirect(back(request, "/"))
