"""Findings: what is wrong, and what people make of it, one at a time or many at once."""

import datetime
from collections.abc import Callable
from typing import Annotated, Any, Literal

import pydantic
from django.contrib.auth.models import User
from django.http import Http404
from django.utils import timezone
from ninja import Router
from pydantic import Field

from registry import triage
from registry.access import people_beside
from registry.api.door import ApiRequest
from registry.api.finding_answers import row, whole
from registry.api.paging import PageQuery, page
from registry.api.problems import STORABLE, Body, Query, Unfit, query
from registry.forms.filters import of_thing
from registry.forms.triage import start_of
from registry.models import Finding
from registry.models.finding import FindingQuerySet

router = Router()
Text = Annotated[str, Field(max_length=triage.LONGEST_TEXT), STORABLE]
Word = Annotated[str, Field(max_length=200), STORABLE]


def _read_day(said: Any) -> datetime.date:
    try:
        return datetime.date.fromisoformat(said)
    except (TypeError, ValueError):
        raise ValueError("Write a day, such as 2027-01-31.") from None


Day = Annotated[datetime.date, pydantic.BeforeValidator(_read_day)]  # JSON has no type for it


class Filter(Query):
    """Which findings. Without a state: all that are not resolved."""

    state: Literal["open", "in_progress", "reopened", "waived", "resolved", ""] = ""
    severity: Literal["critical", "high", "medium", "low", ""] = ""
    rule: Word = ""
    cause: Word = ""
    account: Word = ""
    region: Word = ""
    assignee: Word = ""
    q: Word = ""


class FindingQuery(Filter, PageQuery):
    pass


class CommentBody(Body):
    text: Text


class AssignBody(Body):
    person: Word | None


class WaiverBody(Body):
    owner: Word
    reason: Text
    until: Day


class ReasonBody(Body):
    reason: Text = ""


class WatchBody(Body):
    watch: bool = True


@router.get("", url_name="findings")
def list_findings(request: ApiRequest) -> Any:
    """Return the findings that the person may see, the most urgent first."""
    asked = query(FindingQuery, request)
    rows = filtered(asked, request).for_list().most_urgent_first()
    return page(rows, asked, lambda finding: row(finding, request))


@router.get("/{ref}", url_name="finding")
def get_finding(request: ApiRequest, ref: str) -> Any:
    """Return one finding, with what was said and who answers for it."""
    query(Query, request)
    return whole(_find(request, ref), request)


@router.post("/{ref}/comment", url_name="finding-comment")
def comment(request: ApiRequest, ref: str, sent: CommentBody) -> Any:
    return _done(
        request,
        ref,
        lambda found, at: triage.comment(found, sent.text, by=request.user, at=at),
    )


@router.post("/{ref}/assign", url_name="finding-assign")
def assign(request: ApiRequest, ref: str, sent: AssignBody) -> Any:
    """Give a finding to a person, or with null to nobody."""
    person = person_named(sent.person, by=request.user)
    return _done(
        request, ref, lambda found, at: triage.assign(found, person, by=request.user, at=at)
    )


@router.post("/{ref}/start", url_name="finding-start")
def start(request: ApiRequest, ref: str) -> Any:
    return _done(request, ref, lambda found, at: triage.start(found, by=request.user, at=at))


@router.post("/{ref}/waive", url_name="finding-waive")
def waive(request: ApiRequest, ref: str, sent: WaiverBody) -> Any:
    """Leave a finding as it is until a day; somebody answers for it."""
    owner = person_named(sent.owner, by=request.user, field="owner")
    return _done(
        request,
        ref,
        lambda found, at: triage.waive(
            found,
            owner=owner,
            reason=sent.reason,
            until=start_of(sent.until),
            by=request.user,
            at=at,
        ),
        fields={"person": "owner", "text": "reason"},
    )


@router.post("/{ref}/reopen", url_name="finding-reopen")
def reopen(request: ApiRequest, ref: str, sent: ReasonBody) -> Any:
    return _done(
        request,
        ref,
        lambda found, at: triage.reopen(found, by=request.user, at=at, reason=sent.reason),
        fields={"text": "reason"},
    )


@router.post("/{ref}/watch", url_name="finding-watch")
def watch(request: ApiRequest, ref: str, sent: WatchBody) -> Any:
    """Watch a finding, or stop."""
    if sent.watch:
        return _done(request, ref, lambda found, at: triage.watch(found, by=request.user))
    return _done(request, ref, lambda found, at: triage.unwatch(found, by=request.user))


def _done(
    request: ApiRequest,
    ref: str,
    act: Callable[[Finding, datetime.datetime], None],
    *,
    fields: dict[str, str] | None = None,
) -> Any:
    """Do it, and return the finding as it is then."""
    query(Query, request)
    names = fields or {}
    try:
        act(_find(request, ref), timezone.now())
    except triage.Refused as error:
        raise Unfit({names.get(name, name): said for name, said in error.errors.items()}) from None
    return whole(_find(request, ref), request)


def _find(request: ApiRequest, ref: str) -> Finding:
    found = triage.readable(request.user).for_list().named([ref]).first()
    if found is None:
        raise Http404(f"There is no finding {ref[:64]}.")
    return found


def person_named(name: str | None, *, by: User, field: str = "person") -> User | None:
    if name is None:
        return None
    found = people_beside(by).filter(username=name).first()
    if found is None:
        raise Unfit({field: f"There is nobody called {name} who may read findings."})
    return found


def filtered(asked: Filter, request: ApiRequest) -> FindingQuerySet:
    rows = triage.readable(request.user)
    rows = rows.filter(state=asked.state) if asked.state else rows.open()
    wanted = {
        "severity": asked.severity,
        "rule": asked.rule,
        "cause": asked.cause,
        "assignee__username": asked.assignee,
    }
    rows = rows.filter(**{name: value for name, value in wanted.items() if value})
    if asked.account:
        rows = rows.filter(of_thing("account__number", [asked.account]))
    if asked.region:
        rows = rows.filter(of_thing("region", [asked.region]))
    return rows.search(asked.q.strip()) if asked.q.strip() else rows
