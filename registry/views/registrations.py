"""Asking for an AMI from a snapshot."""

import uuid
from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpResponse
from django.shortcuts import redirect, render

from registry.access import Action, accounts, may_somewhere
from registry.forms.registration import RegistrationForm
from registry.http import SignedInRequest
from registry.jobs.registrations import request_registration
from registry.models import Account, Scope, Snapshot
from registry.registration import Refused

SHOWN = 25


def register(request: SignedInRequest) -> HttpResponse:
    """Show the form, or queue the registration; the same form twice is one registration."""
    if not may_somewhere(request.user, Action.REGISTER):
        raise PermissionDenied("Your role can't register images.")
    own = accounts(request.user, Action.REGISTER).filter(is_synced=True).order_by("name")
    if not own.exists():
        messages.error(request, "No account in which you may register images is connected to AWS.")
        return redirect("accounts:list")
    asked = request.POST if request.method == "POST" else request.GET
    account = own.filter(number=asked.get("account", "")).first() or own[0]
    region = _region(account, asked.get("region", ""))
    form = _form(request, own, account, region)
    if request.method == "POST" and form.is_valid():
        wanted = dict(form.cleaned_data)
        try:
            registration = request_registration(by=request.user, **wanted)
        except Refused as error:
            for field, problem in error.problems.items():
                form.add_error(field, problem)
        else:
            return redirect(registration.run)
    context = {
        "section": "register",
        "form": form,
        "accounts": own,
        "account": account,
        "region": region,
        "regions": account.scopes.enabled().order_by("region").values_list("region", flat=True),
        **_snapshots(account, region, asked),
    }
    status = 422 if form.errors else 200
    return render(request, "registry/register.html", context, status=status)


def _region(account: Account, wanted: str) -> str:
    scopes = Scope.objects.enabled().filter(account=account).order_by("region")
    found = scopes.filter(region=wanted).first() or scopes.first()
    return found.region if found else ""


def _form(request: SignedInRequest, own: Any, account: Account, region: str) -> RegistrationForm:
    if request.method == "POST":
        return RegistrationForm(request.POST, accounts=own)
    names = ("name", "description", "expected_usage_operation", "snapshot_id", "architecture")
    again = {name: request.GET[name] for name in names if name in request.GET}
    initial = {"key": uuid.uuid4(), "account": account.number, "region": region}
    return RegistrationForm(accounts=own, initial=initial | again)


def _snapshots(account: Account, region: str, asked: Any) -> dict[str, Any]:
    rows = Snapshot.objects.registrable().filter(account=account, region=region)
    words = asked.get("q", "").replace("\x00", "").strip()
    if words:
        rows = rows.search(words)
    chosen = asked.get("snapshot_id", "")
    shown = list(rows.order_by("-name", "-started_at", "pk")[:SHOWN])
    if chosen and all(row.aws_id != chosen for row in shown):
        shown = [*rows.filter(aws_id=chosen), *shown]
    return {"snapshots": shown, "found": rows.count(), "words": words, "chosen": chosen}
