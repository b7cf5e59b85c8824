"""What people see when a page cannot be shown."""

from collections.abc import Callable
from urllib.parse import urlencode, urlsplit

from django.conf import settings
from django.db import DataError
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render, resolve_url
from django.urls import Resolver404


class NulNamesNothing:
    """Answer 404 where a NUL reached the database: it holds none, so nothing has that name."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self._get_response(request)

    def process_exception(self, request: HttpRequest, error: Exception) -> HttpResponse | None:
        is_nul = isinstance(error, DataError) and "NUL (0x00)" in str(error)
        return not_found(request) if is_nul else None


class WholeSignIn:
    """Let people sign in on a whole page, and come back to the page that they were on.

    htmx follows a redirect by itself: it would put the sign-in into the page. What was sent by
    POST is nothing to come back to.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self._get_response(request)
        address, _, query = response.headers.get("Location", "").partition("?")
        if address != resolve_url(settings.LOGIN_URL):
            return response
        if request.headers.get("HX-Request") == "true":
            target = _back_to(address, request.headers.get("HX-Current-URL", ""))
            return HttpResponse(status=204, headers={"HX-Redirect": target})
        if query and request.method == "POST":
            response.headers["Location"] = _back_to(address, request.headers.get("Referer", ""))
        return response


def _back_to(sign_in: str, page: str) -> str:
    """Return the sign-in that leads back to a page of ours; of its address only the path counts."""
    parts = urlsplit(page)
    back = parts.path + (f"?{parts.query}" if parts.query else "")
    return f"{sign_in}?{urlencode({'next': back or '/'})}"


def forbidden(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    context = {"reason": str(exception or ""), "frame": _frame(request)}
    return render(request, "403.html", context, status=403)


def not_found(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    is_ours = isinstance(exception, Http404) and not isinstance(exception, Resolver404)
    reason = str(exception) if is_ours else ""
    # A path that no page has explains itself by a list of patterns: nothing for people.
    context = {"reason": reason[:200], "frame": _frame(request)}
    return render(request, "404.html", context, status=404)


def failed(request: HttpRequest) -> HttpResponse:
    return render(request, "500.html", status=500)


def _frame(request: HttpRequest) -> str:
    """Return the template around an error: without a navigation where nobody has signed in."""
    user = getattr(request, "user", None)
    return "base.html" if user is not None and user.is_authenticated else "solo.html"
