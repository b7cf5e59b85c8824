"""One action on many findings: what it would do first, then the request."""

import uuid

from django.contrib import messages
from django.contrib.auth.models import User
from django.core.exceptions import PermissionDenied
from django.http import HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods

from registry.access import Action, may_somewhere, people_beside
from registry.forms.triage import TriageForm, form_of
from registry.http import SignedInRequest
from registry.jobs.triage import request_triage
from registry.models import TriageAction
from registry.triage import Refused, Wish, asked_before, form_key
from registry.triage.preview import Preview, preview
from registry.views.findings import chosen

SUBMIT = "submit"
EXAMPLES = 5
# What would happen to each, and what the button says, as sentences with findings in them.
WORDS = {
    TriageAction.START: ("go in progress, and be yours where nobody is assigned", "Start work on"),
    TriageAction.ASSIGN: ("be assigned", "Assign"),
    TriageAction.WAIVE: ("be waived", "Waive"),
    TriageAction.REOPEN: ("be reopened", "Reopen"),
    TriageAction.COMMENT: ("get the comment", "Comment on"),
    TriageAction.WATCH: ("be watched by you", "Watch"),
    TriageAction.VERIFY: ("be read again and judged", "Verify"),
}


@require_http_methods(["GET", "HEAD", "POST"])
def triage(request: SignedInRequest) -> HttpResponse:
    """Show what an action would do to the chosen findings, or ask for it."""
    if not may_somewhere(request.user, Action.COMMENT):
        raise PermissionDenied("Your role can't work on findings.")
    data = request.POST if request.method == "POST" else request.GET
    is_asked = request.method == "POST" and data.get("step") == SUBMIT
    action = _action(data)
    form = _form(request, action, data, is_asked=is_asked)
    wish = _wish(action, form, request.user)
    key = form_key(wish, data.get("key", "")) if is_asked else ""
    earlier = asked_before(request.user, key)
    if earlier:  # clicked twice; what the first click does may be over
        return redirect(earlier)
    meant = chosen(request, data)
    if not meant.exists():
        messages.error(request, "Select at least one finding.")
        return redirect("findings:list")
    found = preview(meant, wish)
    status = _objection(form, data, found) if is_asked else 200
    if is_asked and status == 200:  # noqa: PLR2004 - nothing speaks against it
        try:
            return redirect(request_triage(meant, wish, query=_query(data), key=key))
        except Refused as error:
            form.refuse(error)
            status = 422
    context = {
        "section": "findings",
        "form": form,
        "key": data.get("key") or uuid.uuid4(),
        "action": action,
        "actions": TriageAction,
        "happens": WORDS[action][0],
        "does": WORDS[action][1],
        "preview": found,
        "whom": wish.person if action == TriageAction.ASSIGN else None,
        "picked": "" if data.get("all_matching") else " ".join(data.getlist("pick")),
        "query": _query(data),
        "is_all": bool(data.get("all_matching")),
        "examples": meant.for_list().most_urgent_first()[:EXAMPLES],
    }
    return render(request, "registry/triage.html", context, status=status)


def _action(data: QueryDict) -> TriageAction:
    wanted = data.get("action", "")
    return TriageAction(wanted) if wanted in TriageAction.values else TriageAction.ASSIGN


def _query(data: QueryDict) -> str:
    return data.get("query", "") if data.get("all_matching") else ""


def _form(
    request: SignedInRequest, action: TriageAction, data: QueryDict, *, is_asked: bool
) -> TriageForm:
    """Return the form of the action; what was typed for another one is kept."""
    sent = data if is_asked else None
    today = timezone.now().date()
    form = form_of(action, sent, people=people_beside(request.user), by=request.user, today=today)
    for name in form.fields.keys() & data.keys():
        form.initial[name] = data[name]
    return form


def _wish(action: TriageAction, form: TriageForm, by: User) -> Wish:
    """Return what is wished so far; before somebody is named, it is counted for oneself."""
    if not form.is_valid():
        return Wish(action, by, person=by if "person" in form.fields else None)
    said = form.cleaned_data
    return Wish(
        action,
        by,
        text=said.get("text", ""),
        person=said.get("person"),
        until=said.get("until"),
    )


def _objection(form: TriageForm, data: QueryDict, found: Preview) -> int:
    """Note what speaks against asking for it; return the status of the answer."""
    if data.get("all_matching") and data.get("total") != str(found.number):
        form.add_error(None, f"The filter matches {found.number:,} findings by now. Look again.")
        return 409
    if not found.done:
        form.add_error(None, "Nothing would be done: every finding is left as it is.")
    return 200 if form.is_valid() else 422
