"""One action on many findings: asked for, and followed."""

import hashlib
import json
import re
from typing import Annotated, Any, Literal

from django.http import Http404
from ninja import Router
from ninja.responses import Status
from pydantic import Field

from registry import triage
from registry.api.answers import of_run
from registry.api.door import ApiRequest, said
from registry.api.findings import Day, Filter, Text, Word, filtered, person_named
from registry.api.paging import PageQuery, page
from registry.api.problems import STORABLE, Body, Key, Query, Unfit, one_key, query
from registry.forms.triage import start_of
from registry.jobs.triage import request_triage
from registry.models import Run, RunKind, TriageAction, TriageItem
from registry.models.finding import FindingQuerySet

router = Router()
MOST_FINDINGS = 10_000
_MOST_NAMED = 5
_REF = re.compile(r"J-([0-9]{1,18})")
Refs = Annotated[
    list[Annotated[str, Field(max_length=24), STORABLE]],
    Field(min_length=1, max_length=MOST_FINDINGS),
]


class FilterBody(Filter, Body):
    pass


class TriageBody(Body):
    """What to do to findings: those that `findings` names, or all that `filter` leaves."""

    key: Key | None = None
    action: Literal["start", "assign", "waive", "reopen", "comment", "watch", "verify"]
    findings: Refs | None = None
    filter: FilterBody | None = None
    text: Text = ""
    person: Word | None = None
    until: Day | None = None


class LedgerQuery(PageQuery):
    state: Literal["pending", "done", "left", ""] = ""


@router.post("", url_name="findings-triage", response={200: Any, 201: Any})
def create(request: ApiRequest, sent: TriageBody) -> Any:
    """Queue one action on many findings. What can't be done to one leaves it as it is.

    The same key twice is the same triage.
    """
    query(Query, request)
    key, said_now = str(one_key(sent.key, request) or ""), _digest(sent)
    earlier = triage.asked_before(request.user, key)
    if earlier:  # before anything is looked up: the filter may leave others by now
        return _answer(earlier, said_now, request, status=200)
    meant = _meant(sent, request)
    wish = triage.Wish(
        TriageAction(sent.action),
        request.user,
        text=sent.text.strip(),
        person=person_named(sent.person, by=request.user),
        until=start_of(sent.until) if sent.until else None,
    )
    try:
        run = request_triage(meant, wish, key=key, said=said_now)
    except triage.Refused as error:
        raise Unfit(error.errors) from None
    return _answer(run, said_now, request, status=201)


@router.get("/{ref}", url_name="findings-triage-run")
def get_triage(request: ApiRequest, ref: str) -> Any:
    """Return how far it is, and page by page what became of each finding."""
    asked = query(LedgerQuery, request)
    mine = Run.objects.filter(kind=RunKind.TRIAGE, requested_by=request.user)
    run = mine.select_related("requested_by").filter(pk=_key(ref)).first()
    if run is None:
        raise Http404(f"You have asked for no triage {ref[:64]}.")
    return _shown(run, asked, request)


def _digest(sent: TriageBody) -> str:
    """Return what tells one body from another; the order of the findings makes no other."""
    said_now = sent.model_dump(mode="json", exclude={"key"})
    said_now["findings"] = sorted(set(sent.findings or []))
    return hashlib.sha256(json.dumps(said_now, sort_keys=True).encode()).hexdigest()


def _answer(run: Run, said_now: str, request: ApiRequest, *, status: int) -> Any:
    key = run.result.get("key")
    if key and run.result.get("said") != said_now:
        return said(f"The key {key} was used for another request. Use a new one.", 409)
    return Status(status, _shown(run, LedgerQuery(), request))


def _key(ref: str) -> int:
    """Return the key of the run that a reference names; 0, which none has, where it names none."""
    found = _REF.fullmatch(ref)
    return int(found[1]) if found else 0


def _shown(run: Run, asked: LedgerQuery, request: ApiRequest) -> dict[str, Any]:
    found = triage.ledger(run, request.user)
    if found is None:
        raise Http404(f"{run.ref} is no triage.")
    items = found.items.filter(state=asked.state) if asked.state else found.items
    asked_for = found.triage
    return {
        **of_run(run, request),
        "action": asked_for.action,
        "text": asked_for.text,
        "person": str(asked_for.person) if asked_for.person else None,
        "until": asked_for.until,
        "counts": found.counts,
        "findings": page(items, asked, _item),
    }


def _item(item: TriageItem) -> dict[str, Any]:
    return {"ref": item.finding.ref, "state": item.state, "note": item.note}


def _meant(sent: TriageBody, request: ApiRequest) -> FindingQuerySet:
    if (sent.findings is None) == (sent.filter is None):
        raise Unfit({"findings": "Give either findings or a filter."})
    if sent.filter is not None:
        return filtered(sent.filter, request)
    wanted = sent.findings or []
    found = triage.readable(request.user).named(wanted)
    missing = sorted(set(wanted) - {finding.ref for finding in found.only("pk")})
    if missing:
        more = f" and {len(missing) - _MOST_NAMED:,} more" if missing[_MOST_NAMED:] else ""
        names = ", ".join(missing[:_MOST_NAMED])
        raise Unfit({"findings": f"There is no finding {names}{more}."})
    return found
