"""The API: its addresses, and how its errors are answered."""

from typing import Any

from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest
from ninja import NinjaAPI
from ninja.errors import HttpError, ValidationError

from registry.api import (
    bills,
    changes,
    decisions,
    findings,
    images,
    instances,
    over_time,
    registrations,
    removals,
    reserved_instances,
    triage,
)
from registry.api.door import ApiRequest, failed, said
from registry.api.problems import WHOLE, Unfit, by_field, refusal
from registry.api.reading import NotJson, StrictParser
from registry.jobs.approvals import Late
from registry.triage import Late as LateForTriage


def came_in(request: HttpRequest) -> Any:
    """Return the token that the door has seen: without the door, the API stays closed."""
    return getattr(request, "token", None)


# No description is served: the page that shows one needs inline scripts or another host, and
# docs/api.md says more. So nothing about the API is told to somebody without a token.
api = NinjaAPI(
    title="AMI Portal",
    version="1",
    urls_namespace="api",
    openapi_url=None,
    docs_url=None,
    auth=came_in,
    parser=StrictParser(),
)
api.add_router("/images", images.router)
api.add_router("/instances", instances.router)
api.add_router("/reserved-instances", over_time.router)  # before the ids of purchases
api.add_router("/reserved-instances/changes", changes.router)
api.add_router("/reserved-instances", reserved_instances.router)
api.add_router("/bills", bills.router)
api.add_router("/findings/triage", triage.router)
api.add_router("/findings", findings.router)
api.add_router("/registrations", registrations.router)
api.add_router("/registrations", decisions.router)
api.add_router("/removals", removals.router)
api.add_router("/removals", decisions.of_removals)


@api.get("/me", url_name="me")
def me(request: ApiRequest) -> dict[str, Any]:
    """Tell whose token this is."""
    token = request.token
    return {"user": request.user.username, "token": token.name, "expires_at": token.expires_at}


@api.exception_handler(Unfit)
def _unfit(request: HttpRequest, error: Unfit) -> Any:
    return refusal(error.problems)


@api.exception_handler(ValidationError)
def _invalid(request: HttpRequest, error: ValidationError) -> Any:
    # The first two parts are the source and the name of our parameter.
    found = by_field(error.errors, skipped=2)
    if found == {WHOLE: "This field is needed."}:
        return said("Send JSON: this address needs a body.", 400)
    return refusal(found)


@api.exception_handler(HttpError)
def _http(request: HttpRequest, error: HttpError) -> Any:
    if isinstance(error.__cause__, NotJson):
        return said(str(error.__cause__), 400)
    return said(str(error), error.status_code)


@api.exception_handler(PermissionDenied)
def _denied(request: HttpRequest, error: PermissionDenied) -> Any:
    return said(str(error) or "You may not do this.", 403)


@api.exception_handler(Http404)
def _missing(request: HttpRequest, error: Http404) -> Any:
    return said(str(error), 404)


@api.exception_handler(Late)
def _late(request: HttpRequest, error: Late) -> Any:
    return said(str(error), 409)


@api.exception_handler(LateForTriage)
def _late_for_triage(request: HttpRequest, error: LateForTriage) -> Any:
    return said(str(error), 409)


@api.exception_handler(Exception)
def _failed(request: HttpRequest, error: Exception) -> Any:
    return failed(error)
