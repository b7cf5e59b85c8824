"""What people see when a page cannot be shown."""

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import Resolver404


def forbidden(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    return render(request, "403.html", {"reason": str(exception or "")}, status=403)


def not_found(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    is_ours = isinstance(exception, Http404) and not isinstance(exception, Resolver404)
    reason = str(exception) if is_ours else ""
    # A path that no page has explains itself by a list of patterns: nothing for people.
    return render(request, "404.html", {"reason": reason[:200]}, status=404)


def failed(request: HttpRequest) -> HttpResponse:
    return render(request, "500.html", status=500)
