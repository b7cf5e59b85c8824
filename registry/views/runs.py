"""Jobs: the list, and each with its steps."""

from typing import Any

from django.db.models import QuerySet
from django.http import Http404, HttpResponse
from django.shortcuts import render

from registry.access import Action, may, visible
from registry.forms.filters import RunFilter
from registry.http import SignedInRequest
from registry.jobs.approvals import may_decide, may_withdraw
from registry.models import (
    MISMATCHES,
    Image,
    Registration,
    RegistrationStep,
    Run,
    RunKind,
    RunState,
)
from registry.views.ledger import ledger
from registry.views.lists import InventoryList
from registry.views.refs import key_of
from registry.views.shell import runs
from registry.views.triage_ledger import triage_ledger

STEPS = (
    (RegistrationStep.CHECKED, "Checked"),
    (RegistrationStep.SUBMITTED, "Submitted to AWS"),
    (RegistrationStep.AVAILABLE, "Image available"),
    (RegistrationStep.VERIFIED, "Billing code read"),
)


class RunList(InventoryList):
    template_name = "registry/run_list.html"
    filter_class = RunFilter
    columns = {"started": "pk", "kind": "kind", "state": "state"}
    default_sort = "-started"
    export = {
        "Job": "pk",
        "Kind": "kind",
        "State": "state",
        "Account": "scope__account__number",
        "Region": "scope__region",
        "Requested": "requested_at",
        "Finished": "finished_at",
        "Note": "note",
        "Error": "error",
    }
    extra_context = {"section": "jobs"}

    def rows(self) -> QuerySet[Any]:
        return runs(self.request).for_list()


def run(request: SignedInRequest, ref: str) -> HttpResponse:
    return _shown(request, ref, "registry/run.html")


def status(request: SignedInRequest, ref: str) -> HttpResponse:
    """Show the part of a job's page that changes, for as long as it does."""
    return _shown(request, ref, "registry/_run.html")


def _shown(request: SignedInRequest, ref: str, template: str) -> HttpResponse:
    found = runs(request).for_list().filter(pk=key_of(ref, "J")).first()
    if found is None:
        raise Http404(f"There is no job {ref}.")
    registration = getattr(found, "registration", None)
    context = {
        "section": "jobs",
        "run": found,
        "registration": registration,
        "events": found.events.order_by("pk"),
        "can_decide": may_decide(request.user, found),
        "can_confirm": found.state == RunState.HELD
        and found.is_trial
        and found.requested_by_id == request.user.pk,
        "can_withdraw": may_withdraw(request.user, found),
        "is_own": found.requested_by_id == request.user.pk,
    }
    if registration:
        context |= _registered(request, found, registration)
    if hasattr(found, "removal"):
        context |= ledger(request, found)
    if found.kind == RunKind.TRIAGE:
        context |= triage_ledger(request, found)
    return render(request, template, context)


def _registered(request: SignedInRequest, found: Run, registration: Registration) -> dict[str, Any]:
    is_mismatch = registration.verdict in MISMATCHES
    together = Registration.objects.none()
    if registration.batch:
        together = Registration.objects.filter(batch=registration.batch).exclude(pk=registration.pk)
    return {
        "steps": _steps(found, registration, is_mismatch=is_mismatch),
        "is_mismatch": is_mismatch,
        "can_register": may(request.user, Action.REGISTER, registration.account),
        "can_discard": may(request.user, Action.DISCARD_OWN, registration.account),
        "image": _image(registration),
        "together": visible(together, request.user).count(),
        "instance": registration.prediction.get("instance_id", ""),
    }


def _image(registration: Registration) -> Image | None:
    here = Image.objects.present().filter(account=registration.account, region=registration.region)
    return here.filter(aws_id=registration.image_id).first() if registration.image_id else None


def _steps(found: Run, registration: Registration, *, is_mismatch: bool) -> list[dict[str, Any]]:
    order = list(RegistrationStep)
    reached = order.index(RegistrationStep(registration.step))
    steps = [
        {
            "title": title,
            "is_done": order.index(step) <= reached,
            "is_now": order.index(step) == reached + 1 and not found.is_over,
            "is_bad": False,
        }
        for step, title in STEPS
    ]
    if is_mismatch:
        steps[-1] |= {"title": "Billing code differs", "is_bad": True}
    return steps
