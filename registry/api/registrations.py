"""Registrations: checked, asked for, followed."""

import uuid
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any, Literal
from uuid import UUID

from django.http import Http404
from ninja import Body, Router
from ninja.responses import Status

from registry.api.answers import readable, shown
from registry.api.door import ApiRequest, said
from registry.api.paging import PageQuery, page
from registry.api.problems import Query, Unfit, key_of, query
from registry.api.wishes import Bodies, read_wishes
from registry.jobs.registrations import ManyRefused, request_registrations
from registry.models import Registration
from registry.registration import Proposal, Wish, as_command, operation, propose

router = Router()


class RequestQuery(Query):
    """`trial`: AWS checks the requests, and nothing is sent before somebody confirms."""

    trial: bool = False


class RegistrationQuery(PageQuery):
    batch: UUID | None = None
    state: Literal["queued", "running", "waiting", "held", "succeeded", "failed", ""] = ""


@router.post("/check", url_name="registrations-check")
def check(request: ApiRequest, sent: Body[Bodies]) -> Any:
    """Say what would become of each wish. Nothing is sent to AWS, and nothing is kept."""
    query(Query, request)
    wishes = read_wishes(sent, by=request.user, key=key_of(request))
    found = [_forecast(proposal) for proposal in propose(wishes, by=request.user)]
    return found if isinstance(sent, list) else found[0]


@router.post("", url_name="registrations", response={200: Any, 201: Any})
def create(request: ApiRequest, sent: Body[Bodies]) -> Any:
    """Queue all of the wishes or none. The same key twice is the same registration."""
    asked = query(RequestQuery, request)
    wishes = read_wishes(sent, by=request.user, key=key_of(request))
    known = _known(wishes)
    taken = _taken(wishes, known, request)
    if taken:
        return taken
    batch = uuid.uuid4() if len(wishes) > 1 else None
    try:
        rows = request_registrations(wishes, by=request.user, batch=batch, is_trial=asked.trial)
    except ManyRefused as error:
        raise Unfit(error.problems if isinstance(sent, list) else error.problems[0]) from None
    taken = _taken(wishes, {row.key: row for row in rows}, request)
    if taken:  # somebody used a key in the same moment
        return taken
    found = {row.key: row for row in readable(request).filter(key__in=[row.key for row in rows])}
    answers = [shown(found[row.key], request) for row in rows]
    status = 200 if len(known) == len(wishes) else 201
    return Status(status, answers if isinstance(sent, list) else answers[0])


@router.get("", url_name="registrations")
def list_registrations(request: ApiRequest) -> Any:
    """Return the registrations that the person may see, the newest first."""
    asked = query(RegistrationQuery, request)
    rows = readable(request).order_by("-pk")
    if asked.batch:
        rows = rows.filter(batch=asked.batch)
    if asked.state:
        rows = rows.filter(run__state=asked.state)
    return page(rows, asked, lambda registration: shown(registration, request))


@router.get("/{uuid:key}", url_name="registration")
def get_registration(request: ApiRequest, key: UUID) -> Any:
    return shown(find(request, key), request)


def find(request: ApiRequest, key: UUID) -> Registration:
    """Return a registration that the person may see; Http404 where there is none."""
    found = readable(request).filter(key=key).first()
    if found is None:
        raise Http404(f"There is no registration {key}.")
    return found


def _known(wishes: Sequence[Wish]) -> dict[UUID, Registration]:
    rows = Registration.objects.filter(key__in=[wish.key for wish in wishes])
    return {row.key: row for row in rows.select_related("run", "account")}


def _taken(wishes: Sequence[Wish], known: dict[UUID, Registration], request: ApiRequest) -> Any:
    """Refuse a key that stands for another request; None where each stands for its own."""
    for wish in wishes:
        row = known.get(wish.key)
        if row is not None and not _is_same(wish, row, request):
            return said(f"The key {wish.key} was used for another request. Use a new one.", 409)
    return None


def _is_same(wish: Wish, row: Registration, request: ApiRequest) -> bool:
    is_own = row.run.requested_by_id == request.user.pk and row.account == wish.account
    return is_own and all(getattr(row, name) == value for name, value in wish.fields.items())


def _forecast(proposal: Proposal) -> dict[str, Any]:
    registration, prediction = proposal.registration, proposal.prediction
    return {
        "key": registration.key,
        "problems": proposal.problems,
        "prediction": asdict(prediction) if prediction else None,
        "ruling": asdict(proposal.ruling) if proposal.ruling else None,
        "filled_in": {
            name: {"value": getattr(registration, name), "from": aws_id}
            for name, aws_id in proposal.read_from.items()
        },
        "operation": operation(registration),
        "call": as_command(registration),
    }
