"""Images that were asked for together: from a CSV file, or copies for several regions."""

import uuid
from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_POST

from registry.access import Action, accounts, may_somewhere, visible
from registry.forms.many import COLUMNS, NEEDED, Line, ManyForm, Unreadable, read_lines
from registry.http import SignedInRequest
from registry.jobs.approvals import Late, confirm, withdraw
from registry.jobs.registrations import ManyRefused, request_registrations
from registry.models import MISMATCHES, Registration, RunState
from registry.registration import propose


@require_http_methods(["GET", "HEAD", "POST"])
def register_many(request: SignedInRequest) -> HttpResponse:
    """Read a CSV file; where every line can be made, let AWS check each, and send nothing."""
    if not may_somewhere(request.user, Action.REGISTER):
        raise PermissionDenied("Your role can't register images.")
    form, lines = ManyForm(), list[Line]()
    if request.method == "POST":
        form = ManyForm(request.POST, request.FILES)
        if form.is_valid():
            lines = _lines(request, form)
            if lines and not any(line.problems for line in lines):
                batch = _ask(request, _key(form), lines)
                if batch:
                    return redirect("register-batch", batch)
            elif lines:
                _check_the_rest(request, lines)
    wrong = [line for line in lines if line.problems]
    context = {
        "section": "register",
        "form": form,
        "wrong": wrong,
        "number": len(lines),
        "columns": COLUMNS,
        "needed": NEEDED,
    }
    status = 422 if form.errors or wrong else 200
    return render(request, "registry/register_many.html", context, status=status)


def _key(form: ManyForm) -> uuid.UUID:
    """Return a key of the form and the file: another file in the same form is asked for anew."""
    return uuid.uuid5(form.cleaned_data["key"], form.cleaned_data["file"])


def _lines(request: SignedInRequest, form: ManyForm) -> list[Line]:
    own = accounts(request.user, Action.REGISTER).filter(is_synced=True)
    try:
        return read_lines(form.cleaned_data["file"], key=_key(form), accounts=own)
    except Unreadable as error:
        form.add_error("file", str(error))
        return []


def _ask(request: SignedInRequest, key: uuid.UUID, lines: list[Line]) -> uuid.UUID | None:
    """Queue the trial of every line; None where one can't be made, with the reason at the line."""
    owners = [line for line in lines for _ in line.wishes]
    wishes = [wish for line in lines for wish in line.wishes]
    try:
        request_registrations(wishes, by=request.user, batch=key, is_trial=True)
    except ManyRefused as error:
        for position, problems in error.problems.items():
            owners[position].problems |= problems
        return None
    return key


def _check_the_rest(request: SignedInRequest, lines: list[Line]) -> None:
    """Say all that is wrong at once, also with the lines that can be read."""
    owners = [line for line in lines for _ in line.wishes]
    wishes = [wish for line in lines for wish in line.wishes]
    for line, proposal in zip(owners, propose(wishes, by=request.user), strict=True):
        line.problems |= proposal.problems


def batch(request: SignedInRequest, key: uuid.UUID) -> HttpResponse:
    return render(request, "registry/register_batch.html", _context(request, key))


def batch_status(request: SignedInRequest, key: uuid.UUID) -> HttpResponse:
    """Show the part of the page that changes, for as long as it does."""
    return render(request, "registry/_batch.html", _context(request, key))


@require_POST
def confirm_batch(request: SignedInRequest, key: uuid.UUID) -> HttpResponse:
    """Let everything that AWS would accept be made, as far as nobody else must agree."""
    return _each(request, key, confirm, "confirmed")


@require_POST
def withdraw_batch(request: SignedInRequest, key: uuid.UUID) -> HttpResponse:
    return _each(request, key, withdraw, "withdrawn")


def _each(request: SignedInRequest, key: uuid.UUID, act: Any, done: str) -> HttpResponse:
    number, denied = 0, None
    for registration in _rows(request, key).filter(run__state=RunState.HELD):
        try:
            act(registration.run, by=request.user)
        except Late:
            continue
        except PermissionDenied as error:
            denied = error
            continue
        number += 1
    if denied and not number:
        raise denied
    messages.success(request, f"{number} request{'' if number == 1 else 's'} {done}.")
    return redirect("register-batch", key)


def _rows(request: SignedInRequest, key: uuid.UUID) -> QuerySet[Registration]:
    rows = Registration.objects.filter(batch=key).select_related("run", "account").order_by("pk")
    found = visible(rows, request.user)
    if not found.exists():
        raise Http404("There is no such batch.")
    return found


def _context(request: SignedInRequest, key: uuid.UUID) -> dict[str, Any]:
    rows = list(_rows(request, key))
    trials = [row for row in rows if row.run.state == RunState.HELD and row.run.is_trial]
    mine = [row for row in trials if row.run.requested_by_id == request.user.pk]
    return {
        "section": "register",
        "key": key,
        "rows": rows,
        "to_confirm": len(mine),
        "active": sum(not row.run.is_over and row.run.state != RunState.HELD for row in rows),
        "wrong": sum(row.verdict in MISMATCHES for row in rows),
        "failed": sum(row.run.state == RunState.FAILED for row in rows),
    }
