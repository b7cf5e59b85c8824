"""What people say to a request: approve, decline, confirm, withdraw."""

from collections.abc import Callable
from typing import Any

from django import forms
from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_POST

from registry.access import visible
from registry.http import SignedInRequest
from registry.jobs.approvals import Late, confirm, decide, withdraw
from registry.jobs.steering import keep, pause, resume, retry_failed
from registry.models import RemovalItem, Run
from registry.views.refs import key_of
from registry.views.shell import runs

_LONGEST_KEY = 19  # digits of a primary key


class DecisionForm(forms.Form):
    """A decision, and why."""

    answer = forms.ChoiceField(choices=[("approve", "Approve"), ("decline", "Decline")])
    reason = forms.CharField(
        max_length=2000, error_messages={"required": "Say why, for whoever reads the timeline."}
    )


@require_POST
def decide_on(request: SignedInRequest, ref: str) -> HttpResponse:
    """Approve or decline what waits for it; without a reason nothing is decided."""
    run = _found(request, ref)
    form = DecisionForm(request.POST)
    if not form.is_valid():
        for error in form.errors.get("reason", form.errors.get("answer", [])):
            messages.error(request, f"Nothing was decided. {error}")
        return redirect(run)
    is_approval = form.cleaned_data["answer"] == "approve"
    done = "Approved" if is_approval else "Declined"

    def act(run: Run, *, by: Any) -> None:
        decide(run, by=by, is_approval=is_approval, reason=form.cleaned_data["reason"])

    return _carried_out(request, run, act, f"{done} {run.ref}.")


@require_POST
def confirm_it(request: SignedInRequest, ref: str) -> HttpResponse:
    run = _found(request, ref)
    return _carried_out(request, run, confirm, f"Confirmed {run.ref}.")


@require_POST
def withdraw_it(request: SignedInRequest, ref: str) -> HttpResponse:
    run = _found(request, ref)
    return _carried_out(request, run, withdraw, f"Withdrew {run.ref}. Nothing was sent to AWS.")


@require_POST
def pause_it(request: SignedInRequest, ref: str) -> HttpResponse:
    """Let nothing more of a removal be sent until somebody resumes."""
    return _steered(request, ref, pause, "Paused {}.")


@require_POST
def resume_it(request: SignedInRequest, ref: str) -> HttpResponse:
    return _steered(request, ref, resume, "Resumed {}.")


@require_POST
def retry_it(request: SignedInRequest, ref: str) -> HttpResponse:
    """Let the images of a removal that failed be tried again."""
    return _steered(request, ref, retry_failed, "The failed images of {} are tried again.")


@require_POST
def keep_image(request: SignedInRequest, ref: str) -> HttpResponse:
    """Take one image out of a removal."""
    run = _found(request, ref)
    rows = RemovalItem.objects.filter(removal__run=run, pk=_number(request.POST.get("item", "")))
    item = visible(rows, request.user, by="image__account").first()
    if item is None:
        raise Http404("There is no such image in this job.")
    try:
        keep(item, request.user)
    except Late as error:
        messages.error(request, str(error))
    else:
        messages.success(request, f"{item.image.aws_id} is kept.")
    return redirect(run)


def _number(text: str) -> int:
    return int(text) if text.isascii() and text.isdigit() and len(text) < _LONGEST_KEY else 0


def _steered(
    request: SignedInRequest, ref: str, act: Callable[..., Any], done: str
) -> HttpResponse:
    run = _found(request, ref)
    removal = getattr(run, "removal", None)
    if removal is None:
        raise Http404(f"{ref} discards no images.")
    try:
        act(removal, request.user)
    except Late as error:
        messages.error(request, str(error))
    else:
        messages.success(request, done.format(run.ref))
    return redirect(run)


def _carried_out(
    request: SignedInRequest, run: Run, act: Callable[..., None], done: str
) -> HttpResponse:
    try:
        act(run, by=request.user)
    except Late as error:
        messages.error(request, str(error))
    else:
        messages.success(request, done)
    return redirect(run)


def _found(request: SignedInRequest, ref: str) -> Run:
    run = runs(request).filter(pk=key_of(ref, "J")).first()
    if run is None:
        raise Http404(f"There is no job {ref}.")
    return run
