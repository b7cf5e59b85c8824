"""What people say to a request: approve, decline, confirm, withdraw."""

from collections.abc import Callable
from typing import Any

from django import forms
from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_POST

from registry.http import SignedInRequest
from registry.jobs.approvals import Late, confirm, decide, withdraw
from registry.models import Run
from registry.views.refs import key_of
from registry.views.shell import runs


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
