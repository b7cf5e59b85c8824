"""What people say to a request: approve, decline, confirm, withdraw."""

from typing import Annotated, Any
from uuid import UUID

from ninja import Router
from pydantic import Field

from registry.api import answers, ledger, registrations
from registry.api.door import ApiRequest
from registry.api.problems import STORABLE, Body, Query, Unfit, query
from registry.jobs.approvals import confirm, decide, withdraw

router = Router()  # of registrations
of_removals = Router()


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
    run = registrations.find(request, key).run
    decide(run, by=request.user, is_approval=True, reason=sent.said)
    return answers.shown(registrations.find(request, key), request)


@router.post("/{uuid:key}/decline", url_name="registration-decline")
def decline(request: ApiRequest, key: UUID, sent: ReasonBody) -> Any:
    """End a request of another person before anything is sent to AWS."""
    query(Query, request)
    run = registrations.find(request, key).run
    decide(run, by=request.user, is_approval=False, reason=sent.said)
    return answers.shown(registrations.find(request, key), request)


@router.post("/{uuid:key}/confirm", url_name="registration-confirm")
def confirm_trial(request: ApiRequest, key: UUID) -> Any:
    """Let a trial of one's own be carried out."""
    query(Query, request)
    confirm(registrations.find(request, key).run, by=request.user)
    return answers.shown(registrations.find(request, key), request)


@router.post("/{uuid:key}/withdraw", url_name="registration-withdraw")
def withdraw_request(request: ApiRequest, key: UUID) -> Any:
    """Take a request back before anything is sent to AWS."""
    query(Query, request)
    withdraw(registrations.find(request, key).run, by=request.user)
    return answers.shown(registrations.find(request, key), request)


@of_removals.post("/{uuid:key}/approve", url_name="removal-approve")
def approve_removal(request: ApiRequest, key: UUID, sent: ReasonBody) -> Any:
    """Agree to a removal that another person asks for; in all of its accounts one must be able."""
    query(Query, request)
    run = ledger.find(request, key).run
    decide(run, by=request.user, is_approval=True, reason=sent.said)
    return ledger.shown(ledger.find(request, key), request)


@of_removals.post("/{uuid:key}/decline", url_name="removal-decline")
def decline_removal(request: ApiRequest, key: UUID, sent: ReasonBody) -> Any:
    """End a removal that another person asks for before anything is sent to AWS."""
    query(Query, request)
    run = ledger.find(request, key).run
    decide(run, by=request.user, is_approval=False, reason=sent.said)
    return ledger.shown(ledger.find(request, key), request)


@of_removals.post("/{uuid:key}/withdraw", url_name="removal-withdraw")
def withdraw_removal(request: ApiRequest, key: UUID) -> Any:
    """Take a removal back before anything is sent to AWS."""
    query(Query, request)
    withdraw(ledger.find(request, key).run, by=request.user)
    return ledger.shown(ledger.find(request, key), request)
