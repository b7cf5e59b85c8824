"""What people say to a request: approve, decline, confirm, withdraw."""

from typing import Annotated, Any
from uuid import UUID

from ninja import Router
from pydantic import Field

from registry.api.answers import shown
from registry.api.door import ApiRequest
from registry.api.problems import STORABLE, Body, Query, Unfit, query
from registry.api.registrations import find
from registry.jobs.approvals import confirm, decide, withdraw

router = Router()


class ReasonBody(Body):
    reason: Annotated[str, Field(max_length=2_000), STORABLE]

    @property
    def said(self) -> str:
        if not self.reason.strip():
            raise Unfit({"reason": "Say why, for whoever reads the timeline."})
        return self.reason.strip()


@router.post("/{uuid:key}/approve", url_name="registration-approve")
def approve(request: ApiRequest, key: UUID, sent: ReasonBody) -> Any:
    """Agree to a request of another person."""
    query(Query, request)
    run = find(request, key).run
    decide(run, by=request.user, is_approval=True, reason=sent.said)
    return shown(find(request, key), request)


@router.post("/{uuid:key}/decline", url_name="registration-decline")
def decline(request: ApiRequest, key: UUID, sent: ReasonBody) -> Any:
    """End a request of another person before anything is sent to AWS."""
    query(Query, request)
    run = find(request, key).run
    decide(run, by=request.user, is_approval=False, reason=sent.said)
    return shown(find(request, key), request)


@router.post("/{uuid:key}/confirm", url_name="registration-confirm")
def confirm_trial(request: ApiRequest, key: UUID) -> Any:
    """Let a trial of one's own be carried out."""
    query(Query, request)
    confirm(find(request, key).run, by=request.user)
    return shown(find(request, key), request)


@router.post("/{uuid:key}/withdraw", url_name="registration-withdraw")
def withdraw_request(request: ApiRequest, key: UUID) -> Any:
    """Take a request back before anything is sent to AWS."""
    query(Query, request)
    withdraw(find(request, key).run, by=request.user)
    return shown(find(request, key), request)
