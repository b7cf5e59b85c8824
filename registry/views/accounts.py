"""Accounts, and how fresh what we know of them is."""

from collections import defaultdict
from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_POST

from registry.access import Action, accounts, may, may_everywhere, may_somewhere, visible
from registry.audit.fleet import sharing_of
from registry.forms.accounts import AccountsForm
from registry.http import SignedInRequest
from registry.jobs.audits import audit_accounts
from registry.jobs.syncs import request_sync
from registry.models import Account, Run, RunKind, RunState, Schedule, Scope
from registry.sync import AccountsInvalid, load_accounts
from registry.views.lists import back
from registry.views.prices import prices
from registry.views.shell import stale_before


def account_list(request: SignedInRequest) -> HttpResponse:
    scopes = visible(Scope.objects.all(), request.user)
    context = {
        "section": "accounts",
        "matrix": matrix(scopes),
        "failing": scopes.failing().select_related("account").order_by("failing_since"),
        "interval": Schedule.objects.sync_interval(),
    }
    return render(request, "registry/account_list.html", context)


def matrix(scopes: QuerySet[Scope]) -> dict[str, Any]:
    """Return how fresh each region of each account is, as rows and columns."""
    stale = stale_before()
    cells: dict[Account, dict[str, Any]] = defaultdict(dict)
    for scope in scopes.select_related("account").order_by("account__name", "region"):
        tone = ""
        if not scope.is_enabled:
            tone = "off"
        elif scope.failing_since:
            tone = "fail"
        elif scope.synced_at is None or (scope.synced_at < stale and scope.account.is_synced):
            tone = "stale"
        cells[scope.account][scope.region] = {"scope": scope, "tone": tone}
    regions = sorted({region for row in cells.values() for region in row})
    rows = [(account, [row.get(region) for region in regions]) for account, row in cells.items()]
    return {"regions": regions, "rows": rows}


def account(request: SignedInRequest, number: str) -> HttpResponse:
    found = get_object_or_404(accounts(request.user), number=number)
    scopes, missed = found.scopes.order_by("region"), _missed(found)
    context = {
        "section": "accounts",
        "account": found,
        "scopes": [(scope, missed.get(scope.pk, [])) for scope in scopes],
        "sharing": _sharing(found),
        "prices": prices(found, request.user),
        "stale_before": stale_before(),
        "can_sync": may(request.user, Action.SYNC, found) and found.is_synced,
    }
    return render(request, "registry/account.html", context)


def _missed(account: Account) -> dict[int, list[dict[str, str]]]:
    """Return what the last sync of each scope could not read besides, by scope."""
    runs = Run.objects.filter(scope__account=account, kind=RunKind.SYNC, state=RunState.SUCCEEDED)
    last = runs.order_by("scope", "-pk").distinct("scope")
    return {scope: missed or [] for scope, missed in last.values_list("scope", "result__missed")}


def _sharing(account: Account) -> str:
    """Say with whom an account shares Reserved Instances; the group is told besides."""
    sharing = sharing_of(account)
    if account.number in sharing.alone:
        return "nobody"
    if sharing.wall(account.number):
        return "group"
    return "group first" if sharing.group(account.number) else "all"


@require_POST
def sync_now(request: SignedInRequest) -> HttpResponse:
    """Ask for a sync of an account, or of all that the person may sync."""
    if not may_somewhere(request.user, Action.SYNC):
        raise PermissionDenied("Your role can't ask for a sync.")
    scopes = visible(Scope.objects.synced(), request.user, action=Action.SYNC)
    number = request.POST.get("account")
    if number:
        scopes = scopes.filter(account__number=number)
    runs = [request_sync(scope, by=request.user) for scope in scopes.select_related("account")]
    if not runs:
        messages.error(request, "No region that you may sync is connected to AWS.")
        return redirect(back(request, "/accounts/"))
    messages.success(request, f"{len(runs)} region{'s are' if len(runs) > 1 else ' is'} read now.")
    return redirect(back(request, "/accounts/"))


def load(request: SignedInRequest) -> HttpResponse:
    """Check a pasted accounts file, show what it changes, then apply it."""
    if not may_everywhere(request.user, Action.MANAGE):
        raise PermissionDenied("Accounts are managed by administrators.")
    form = AccountsForm(request.POST or None)
    difference = None
    if request.method == "POST" and form.is_valid():
        is_dry = "apply" not in request.POST
        try:
            difference = load_accounts(form.cleaned_data["text"], is_dry=is_dry)
        except AccountsInvalid as error:
            for problem in error.problems:
                form.add_error("text", problem)
        else:
            if not is_dry:
                return _applied(request, len(difference.lines))
    context = {"section": "accounts", "form": form, "difference": difference}
    status = 422 if form.errors else 200
    return render(request, "registry/account_load.html", context, status=status)


def _applied(request: SignedInRequest, number: int) -> HttpResponse:
    """Say how much was changed; who shares purchases may be otherwise now."""
    run = audit_accounts(by=request.user) if number else None
    judged = f" {run.ref} judges Reserved Instances again." if run else ""
    messages.success(request, f"{number} change{'s' if number != 1 else ''} applied.{judged}")
    return redirect("accounts:list")
