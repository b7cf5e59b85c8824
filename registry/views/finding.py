"""One finding: what is wrong, what it costs, who works on it, and what was said."""

from typing import Any

from django.contrib.auth.models import User
from django.db.models import QuerySet
from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.utils import timezone

from registry.access import Action, may, people, visible
from registry.audit.on_demand import compare_finding
from registry.billing.rules import CLOSES, CODE_RULES
from registry.forms.triage import AssignForm, CommentForm, ReasonForm, TriageForm, WaiverForm
from registry.http import SignedInRequest
from registry.models import (
    MISMATCHES,
    Finding,
    FindingState,
    Image,
    Instance,
    ReservedInstance,
    TriageAction,
)
from registry.models.finding import FindingQuerySet
from registry.triage import Rights, can
from registry.views.findings import is_unpriced, neighbors
from registry.views.lists import back
from registry.views.on_bill import image_on_bill
from registry.views.shell import findings

SHOWN = 10
SHOWN_ACTIVITIES = 200
# What is wrong is that the code of an image is not the expected one.
_OF_DIFFERENCE = CODE_RULES | {"AMI012"}
_BY_NOW = {
    TriageAction.START: (FindingState.OPEN, FindingState.REOPENED),
    TriageAction.WAIVE: (FindingState.OPEN, FindingState.REOPENED, FindingState.IN_PROGRESS),
    TriageAction.REOPEN: (FindingState.WAIVED, FindingState.IN_PROGRESS),
}


def finding(request: SignedInRequest, ref: str) -> HttpResponse:
    return shown(request, find(request, ref))


def find(request: SignedInRequest, ref: str) -> Finding:
    rows = findings(request).for_list().annotate(is_unpriced=is_unpriced)
    found: Finding | None = rows.named([ref]).first()
    if found is None:
        raise Http404(f"There is no finding {ref}.")
    return found


def forms_of(request: SignedInRequest, found: Finding, data: Any = None) -> dict[str, TriageForm]:
    """Return the forms of the page by what they do; with `data`, as they were sent."""
    user, readers = request.user, people(found.thing.account)
    return {
        "comment": CommentForm(data, auto_id="comment_%s"),
        "reopen": ReasonForm(data, auto_id="reopen_%s"),
        "assign": AssignForm(
            data,
            people=readers,
            by=user,
            auto_id="assign_%s",
            initial={"person": found.assignee},
        ),
        "waive": WaiverForm(
            data,
            people=readers,
            by=user,
            today=timezone.now().date(),
            auto_id="waive_%s",
            initial={"person": found.assignee or user},
        ),
    }


def shown(
    request: SignedInRequest, found: Finding, sent: dict[str, TriageForm] | None = None
) -> HttpResponse:
    """Show the page, with a form that was `sent` and could not be used where there is one."""
    thing, user, sent = found.thing, request.user, sent or {}
    compared = _compared(found)
    context = {
        "section": "findings",
        "here": _here(request, found),
        "finding": found,
        "thing": thing,
        "instances": _instances(found, user)[:SHOWN],
        "activities": found.activities.select_related("by").order_by("-pk")[:SHOWN_ACTIVITIES],
        "waiver": found.waivers.filter(ended_at=None).select_related("owner", "by").first(),
        "is_watching": found.watchers.filter(pk=user.pk).exists(),
        "can_sync": thing.account.is_synced and may(user, Action.SYNC, thing.account),
        "forms": forms_of(request, found) | sent,
        "compared": compared,
        "on_bill": image_on_bill(user, compared) if compared else None,
        "at_list_price": compare_finding(found, visible(Instance.objects.all(), user)),
        "closes": CLOSES.get(found.rule, ""),
        "wanted": next((name for name in ("waive", "reopen") if name in {*request.GET, *sent}), ""),
        **_possible(request, found),
        **_concerned(request, found),
        **neighbors(request, found),
    }
    status = 422 if sent else 200
    return render(request, "registry/finding.html", context, status=status)


def _compared(found: Finding) -> Image | None:
    """Return the image whose two codes show what is wrong; None where that is something else."""
    image = found.image if found.rule in _OF_DIFFERENCE else None
    return image if image and image.verdict in MISMATCHES else None


def _possible(request: SignedInRequest, found: Finding) -> dict[str, Any]:
    """Return the buttons of the finding as it stands, and what speaks against each."""
    user, rights = request.user, Rights()
    against = {action.value: can(found, action, user, rights=rights) for action in TriageAction}
    against["take"] = can(found, TriageAction.ASSIGN, user, person=user, rights=rights)
    buttons = [action.value for action, states in _BY_NOW.items() if found.state in states]
    can_be_read = found.image and not found.resolved_at and found.thing.account.is_synced
    shown_ones = [*buttons, "verify"] if can_be_read else buttons
    return {
        "against": against,
        "buttons": buttons,
        "can_be_read": can_be_read,
        "why_not": next((against[name] for name in shown_ones if against[name]), ""),
    }


def _concerned(request: SignedInRequest, found: Finding) -> dict[str, Any]:
    """Return what else one cause has done, and the purchases that stay idle because of it."""
    others = same_cause(request, found)
    purchases = ReservedInstance.objects.present().filter(aws_id__in=found.idle_purchases)
    idle = visible(purchases.select_related("account"), request.user).order_by("pk")
    return {
        "others": others.most_urgent_first()[:SHOWN],
        "others_total": others.count(),
        "purchases": idle[:SHOWN],
        "purchases_total": len(found.idle_purchases),
    }


def _here(request: SignedInRequest, found: Finding) -> str:
    """Return the address of the page, to come back to."""
    if request.method == "POST":
        return back(request, found.get_absolute_url())
    query = request.GET.copy()
    for form in ("waive", "reopen"):
        query.pop(form, None)
    return f"{found.get_absolute_url()}?{query.urlencode()}".removesuffix("?")


def same_cause(request: SignedInRequest, found: Finding) -> FindingQuerySet:
    """Return the other open findings of the same cause about the same kind of thing."""
    rows = findings(request).open().for_list()
    if not found.cause:
        return rows.none()
    family = found.rule.rstrip("0123456789")
    return rows.filter(cause=found.cause, rule__startswith=family).exclude(pk=found.pk)


def _instances(found: Finding, user: User) -> QuerySet[Instance]:
    if found.image is None:
        return Instance.objects.none()
    launched = Instance.objects.present().running().filter(image_id=found.image.aws_id)
    return visible(launched, user).order_by("pk")
