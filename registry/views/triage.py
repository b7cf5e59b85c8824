"""What people do to one finding. Nobody resolves one: AWS has to show that it is over."""

from collections.abc import Callable
from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.views.decorators.http import require_POST

from registry import triage
from registry.access import Action, may
from registry.http import SignedInRequest
from registry.models import Finding
from registry.views.finding import find, forms_of, shown
from registry.views.lists import back

Act = Callable[[Finding, Any, dict[str, Any]], str]


@require_POST
def comment_on(request: SignedInRequest, ref: str) -> HttpResponse:
    def act(found: Finding, at: Any, said: dict[str, Any]) -> str:
        triage.comment(found, said["text"], by=request.user, at=at)
        return "Comment added."

    return _done(request, ref, "comment", act)


@require_POST
def assign_it(request: SignedInRequest, ref: str) -> HttpResponse:
    def act(found: Finding, at: Any, said: dict[str, Any]) -> str:
        triage.assign(found, said["person"], by=request.user, at=at)
        return f"Assigned to {said['person']}." if said["person"] else "Assigned to nobody."

    return _done(request, ref, "assign", act)


@require_POST
def start_it(request: SignedInRequest, ref: str) -> HttpResponse:
    def act(found: Finding, at: Any, said: dict[str, Any]) -> str:
        triage.start(found, by=request.user, at=at)
        return "In progress."

    return _done(request, ref, "", act)


@require_POST
def waive_it(request: SignedInRequest, ref: str) -> HttpResponse:
    def act(found: Finding, at: Any, said: dict[str, Any]) -> str:
        triage.waive(
            found,
            owner=said["person"],
            reason=said["text"],
            until=said["until"],
            by=request.user,
            at=at,
        )
        return f"Waived until {said['until']:%-d %b %Y}."

    return _done(request, ref, "waive", act)


@require_POST
def reopen_it(request: SignedInRequest, ref: str) -> HttpResponse:
    def act(found: Finding, at: Any, said: dict[str, Any]) -> str:
        triage.reopen(found, by=request.user, at=at, reason=said["text"])
        return "Reopened."

    return _done(request, ref, "reopen", act)


@require_POST
def watch_it(request: SignedInRequest, ref: str) -> HttpResponse:
    """Watch a finding, or stop where the form says so."""

    def act(found: Finding, at: Any, said: dict[str, Any]) -> str:
        if request.POST.get("stop"):
            triage.unwatch(found, by=request.user)
            return "You no longer watch this finding."
        triage.watch(found, by=request.user)
        return "You watch this finding."

    return _done(request, ref, "", act)


def _done(request: SignedInRequest, ref: str, name: str, act: Act) -> HttpResponse:
    """Do it and lead back; what was typed and can't be used is shown again with what is wrong."""
    found = find(request, ref)
    if not may(request.user, Action.COMMENT, found.thing.account):
        raise PermissionDenied("Your role can't work on findings of this account.")
    form = forms_of(request, found, request.POST)[name] if name else None
    if form is not None and not form.is_valid():
        return shown(request, found, {name: form})
    try:
        text = act(found, timezone.now(), form.cleaned_data if form is not None else {})
    except triage.Late as late:
        messages.error(request, str(late))
    except triage.Refused as error:
        if form is not None:
            form.refuse(error)
            return shown(request, found, {name: form})
        messages.error(request, str(error))
    else:
        messages.success(request, text)
    return redirect(back(request, found.get_absolute_url()))
