"""What people see when a page cannot be shown."""

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import Resolver404


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
