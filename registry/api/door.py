"""The door of the API: who comes in, with how much, and in which form everybody is answered."""

import logging
from collections.abc import Callable
from typing import Any

from django.contrib.auth.models import User
from django.db import DatabaseError
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.utils import timezone

from registry.models import ApiToken

logger = logging.getLogger(__name__)
PREFIX = "/api/"
LARGEST = 1_000_000  # bytes
_SENTENCES = {
    400: "The portal can't read this request.",
    404: "There is nothing at this address.",
    405: "This address does not take this method.",
}
_FAILED = "The portal failed. What happened stands in its log."
_SCHEME = "Bearer "


class ApiRequest(HttpRequest):
    """A request that came in with a token."""

    user: User
    token: ApiToken


class Door:
    """Let nobody to the API without a token, and answer in JSON whatever happens.

    A session opens nothing here, so another site can't use the one of a browser. After the door,
    the request is of the token's user; what that person may do is asked as on every page.
    """

    def __init__(self, get_response: Callable[[HttpRequest], Any]) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if not request.path_info.startswith(PREFIX):
            answer: HttpResponse = self._get_response(request)
            return answer
        try:
            answer = _refusal(request) or self._get_response(request)
        except DatabaseError:
            logger.exception("The API could not read a token.")
            answer = said("The database does not answer. Try again later.", 503)
        answer = _in_json(answer)
        answer["Cache-Control"] = "no-store"
        return answer


def said(sentence: str, status: int, **more: Any) -> HttpResponse:
    """Answer with a sentence, and what a program reads."""
    return JsonResponse({"detail": sentence, **more}, status=status)


def failed(error: Exception) -> HttpResponse:
    """Answer what nobody expected: the log says what it was, the answer does not."""
    logger.error("The API failed.", exc_info=error)
    return said(_FAILED, 500)


def _refusal(request: HttpRequest) -> HttpResponse | None:
    """Return why a request stays outside; note whose it is where it comes in."""
    now = timezone.now()
    head = request.headers.get("Authorization", "")
    secret = head[len(_SCHEME) :].strip() if head[: len(_SCHEME)].title() == _SCHEME else ""
    token = ApiToken.objects.of_secret(secret, at=now)
    if token is None:
        wanted = "Send a token that is valid: Authorization: Bearer SECRET."
        answer = said(wanted, 401)
        answer["WWW-Authenticate"] = "Bearer"
        return answer
    token.note_use(at=now)
    request.user, request.token = token.user, token  # type: ignore[attr-defined]
    if _length(request) > LARGEST:
        return said("Send at most 1 MB in one request.", 413)
    if _has_nul(request):
        return said("Leave the character NUL out of the address.", 400)
    return None


def _length(request: HttpRequest) -> int:
    told = request.META.get("CONTENT_LENGTH") or "0"
    return int(told) if told.isdecimal() else 0


def _has_nul(request: HttpRequest) -> bool:
    words = [request.path_info, *request.GET]
    words += [value for values in request.GET.lists() for value in values[1]]
    return any("\0" in word for word in words)


def _in_json(answer: HttpResponse) -> HttpResponse:
    """Return an error page of the portal as JSON."""
    is_json = answer.get("Content-Type", "").startswith("application/json")
    if answer.status_code < 400 or is_json:  # noqa: PLR2004 - the first of the errors
        return answer
    told = said(_SENTENCES.get(answer.status_code, _FAILED), answer.status_code)
    if "Allow" in answer:
        told["Allow"] = answer["Allow"]
    return told
