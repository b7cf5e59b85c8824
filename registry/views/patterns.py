"""Patterns of administrators: which there are, and a new or changed one tried before it counts."""

import hashlib
from collections import Counter
from typing import Any

from django.contrib import messages
from django.core.cache import cache
from django.core.exceptions import PermissionDenied
from django.db import IntegrityError
from django.db.models import Q
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render

from registry.access import Action, accounts, may_everywhere, visible
from registry.audit.patterns import as_own, fitting
from registry.audit.replay import MOST, Subject, Trial, try_pattern
from registry.forms.patterns import PatternForm
from registry.http import SignedInRequest
from registry.jobs.patterns import delete_pattern, save_pattern
from registry.models import Image, Pattern

COUNT_SECONDS = 300
NAMED = 5  # images that a pattern fits
SHOWN = 50  # of each list


def pattern_list(request: SignedInRequest) -> HttpResponse:
    """Show the patterns for the accounts that the person may read, those in force first."""
    readable = Q(account=None) | Q(account__in=accounts(request.user))
    rows = Pattern.objects.filter(readable).select_related("account", "changed_by")
    patterns = list(rows.order_by("-is_active", "kind", "key", "text", "pk"))
    context = {
        "section": "patterns",
        "lines": list(zip(patterns, _counts(request, patterns), strict=True)),
        "can_change": may_everywhere(request.user, Action.MANAGE),
    }
    return render(request, "registry/patterns.html", context)


def create(request: SignedInRequest) -> HttpResponse:
    return _edit(request, None)


def pattern(request: SignedInRequest, pk: int) -> HttpResponse:
    _check(request)
    return _edit(request, get_object_or_404(Pattern, pk=pk))


def delete(request: SignedInRequest, pk: int) -> HttpResponse:
    """Show what is judged otherwise without a pattern, then delete it."""
    _check(request)
    row = get_object_or_404(Pattern, pk=pk)
    if request.method == "POST":
        run = delete_pattern(row, by=request.user)
        messages.success(request, f"{row} is deleted. Everything is judged again: {run.ref}.")
        return redirect("patterns:list")
    trial = try_pattern(row.pk, as_own(row), is_active=False)
    context = {"section": "patterns", "pattern": row} | _told(trial)
    return render(request, "registry/pattern_delete.html", context)


def _edit(request: SignedInRequest, row: Pattern | None) -> HttpResponse:
    """Try what stands in the form; what has just been tried can be saved."""
    _check(request)
    name = str(row or "")
    form = PatternForm(request.POST or None, instance=row)
    context: dict[str, Any] = {"section": "patterns", "form": form, "pattern": row, "name": name}
    if form.is_valid():
        wanted = form.save(commit=False)
        context["tried"] = form.fingerprint()
        is_tried = request.POST.get("tried") == context["tried"]
        if "save" in request.POST and is_tried:
            answer = _saved(request, form, wanted)
            if answer:
                return answer
        else:
            trial = try_pattern(wanted.pk, as_own(wanted), is_active=wanted.is_active)
            context |= _told(trial) | {"is_other": "save" in request.POST}
    status = 422 if form.errors else 200
    return render(request, "registry/pattern.html", context, status=status)


def _saved(request: SignedInRequest, form: PatternForm, wanted: Pattern) -> HttpResponse | None:
    """Save the pattern; None where somebody has just saved one like it."""
    try:
        run = save_pattern(wanted, by=request.user)
    except IntegrityError:
        form.add_error("text", "Somebody has just saved a pattern like this one.")
        return None
    messages.success(request, f"{wanted} is saved. Everything is judged again: {run.ref}.")
    return redirect("patterns:list")


def _check(request: SignedInRequest) -> None:
    if not may_everywhere(request.user, Action.MANAGE):
        raise PermissionDenied("Patterns are changed by administrators.")


def _told(trial: Trial) -> dict[str, Any]:
    """Return what a page says of a trial."""
    named = Image.objects.filter(pk__in=trial.fits[:NAMED]).order_by("pk")
    more = max(0, len(trial.fits) - NAMED)
    context = {"trial": trial, "named": named, "more": more, "most": MOST, "shown": SHOWN}
    if trial.replay is None:
        return context
    groups = [
        _group("Findings that open", trial.replay.added),
        _group("Findings that are resolved", trial.replay.removed),
    ]
    return context | {"groups": groups, "changed": trial.replay.changed[:SHOWN]}


def _group(title: str, pairs: list[tuple[Subject, str]]) -> dict[str, Any]:
    rules = sorted(Counter(rule for _, rule in pairs).items())
    return {"title": title, "number": len(pairs), "rules": rules, "pairs": pairs[:SHOWN]}


def _counts(request: SignedInRequest, patterns: list[Pattern]) -> list[int]:
    """Return how many images each pattern fits; counted anew after a change, or five minutes."""
    said = " ".join(f"{row.pk} {row.changed_at.timestamp()}" for row in patterns)
    key = f"patterns:{request.user.pk}:{hashlib.sha256(said.encode()).hexdigest()}"
    found: list[int] | None = cache.get(key)
    if found is None:
        images = visible(Image.objects.present(), request.user)
        found = [len(keys) for keys in fitting(images, [as_own(row) for row in patterns])]
        cache.set(key, found, COUNT_SECONDS)
    return found
