"""Registrations as they are answered."""

from collections.abc import Iterable
from typing import Any

from django.db.models import Prefetch, QuerySet

from registry.access import visible
from registry.api.door import ApiRequest
from registry.api.wishes import asked_fields
from registry.jobs.approvals import approvers
from registry.models import Decision, Event, Registration, Run, RunState


def readable(request: ApiRequest) -> QuerySet[Registration]:
    """Return the registrations that the person may see, with all that an answer needs."""
    rows = visible(Registration.objects.all(), request.user)
    events = Event.objects.order_by("pk")
    decisions = Decision.objects.select_related("by").order_by("pk")
    return rows.select_related("run__requested_by", "account").prefetch_related(
        Prefetch("run__events", events), Prefetch("run__decisions", decisions)
    )


def shown(registration: Registration, request: ApiRequest) -> dict[str, Any]:
    """Return all of a registration: what was asked, how far it is, what came of it."""
    run = registration.run
    return {
        "key": registration.key,
        "batch": registration.batch,
        **of_run(run, request),
        "account": registration.account.number,
        "region": registration.region,
        "method": registration.method,
        "asked": {name: getattr(registration, name) for name in asked_fields(registration.method)},
        "is_trial": run.is_trial,
        "step": registration.step,
        "image_id": registration.image_id,
        "platform_details": registration.platform_details,
        "usage_operation": registration.usage_operation,
        "verdict": registration.verdict,
        "missing": registration.missing,
        "unexpected": registration.unexpected,
        "differences": registration.differences,
        "prediction": registration.prediction,
        "advice": run.result.get("advice", []),
        "readings": registration.readings,
        "timeline": timeline(run.events.all()),
    }


def of_run(run: Run, request: ApiRequest) -> dict[str, Any]:
    """Return what every request has: where it stands, and who must agree."""
    return {
        "ref": run.ref,
        "url": request.build_absolute_uri(run.get_absolute_url()),
        "state": run.state,
        "note": run.note,
        "error": run.error,
        "requested_by": str(run.requested_by) if run.requested_by else None,
        "requested_at": run.requested_at,
        "started_at": run.started_at,
        "goes_on_at": run.wake_at,
        "finished_at": run.finished_at,
        "policy": run.policy,
        "approvals": {
            "needed": run.approvals_needed,
            "given": _given(run),
            "decisions": [
                {
                    "by": str(decision.by),
                    "at": decision.at,
                    "is_approval": decision.is_approval,
                    "reason": decision.reason,
                }
                for decision in run.decisions.all()
            ],
        },
    }


def _given(run: Run) -> list[str]:
    """Return who has agreed; while it waits, only those whose word still counts."""
    if run.state == RunState.HELD:
        return [str(user) for user in approvers(run)]
    return [str(decision.by) for decision in run.decisions.all() if decision.is_approval]


def timeline(events: Iterable[Event]) -> list[dict[str, Any]]:
    return [
        {
            "at": event.at,
            "subject": event.subject,
            "text": event.text,
            "request_id": event.request_id,
        }
        for event in events
    ]
