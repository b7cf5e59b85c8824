"""Discarding images and bringing them back: what it would do first, then the request."""

import hashlib
import uuid
from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.db.models import Count, Q, QuerySet, Sum
from django.http import HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods

from registry.access import Action, may_somewhere, visible
from registry.billing.codes import reserved_platform
from registry.forms.filters import ImageFilter
from registry.forms.removals import RemovalForm, UndoForm, words_to_type
from registry.http import SignedInRequest
from registry.jobs.removals import request_removal, request_undo
from registry.models import Finding, Image, Removal, Snapshot
from registry.removal import Preview, Refused, Wish, preview
from registry.removal.relatives import snapshots_of
from registry.views.shell import narrow

MOST = 1_000
SUBMIT = "submit"


@require_http_methods(["GET", "HEAD", "POST"])
def discard(request: SignedInRequest) -> HttpResponse:
    """Show what discarding the chosen images would do, or ask for it."""
    _may_at_all(request)
    data = request.POST if request.method == "POST" else request.GET
    is_asked = request.method == "POST" and data.get("step") == SUBMIT
    known = _known(request, data)
    if known and is_asked:
        return redirect(known.run)
    images = _chosen(request, data, Image.objects.present())
    if not images:
        messages.error(request, "Select at least one image.")
        return redirect("images:list")
    form = RemovalForm(data) if is_asked else _typed(data)
    wish = form.wish() if is_asked and form.is_valid() else _wish(data)
    found = preview(images, wish, by=request.user)
    if data.get("with_copies") and found.copies_left:
        found = preview([*images, *_readable(request, found.copies_left)], wish, by=request.user)
    acting = [line.image for line in found.acting]
    if is_asked:
        _check_words(form, data, acting)
        _check_uses(form, data, found)
        if form.is_valid():
            try:
                removal = request_removal(
                    images=acting, by=request.user, seen=_ids(data, "seen"), **form.asked()
                )
            except Refused as error:
                _put(form, error)
            else:
                return redirect(removal.run)
    context = {
        "section": "images",
        "form": form,
        "preview": found,
        "picked": [image.aws_id for image in images],
        "acting": acting,
        "words": words_to_type(acting),
        "shown": _digest(found),
        "radius": _radius(request, [line.image for line in found.lines]),
    }
    status = 422 if form.errors else 200
    return render(request, "registry/discard.html", context, status=status)


@require_http_methods(["GET", "HEAD", "POST"])
def bring_back(request: SignedInRequest) -> HttpResponse:
    """Show what bringing the chosen images back would do, or ask for it."""
    _may_at_all(request)
    data = request.POST if request.method == "POST" else request.GET
    images = _chosen(request, data, Image.objects.all())
    if not images:
        messages.error(request, "Select at least one image.")
        return redirect("images:list")
    form = UndoForm(data) if request.method == "POST" else UndoForm()
    found = preview(images, Wish(is_undo=True), by=request.user)
    acting = [line.image for line in found.acting]
    if form.is_bound and form.is_valid():
        try:
            removal = request_undo(images=acting, by=request.user, **form.cleaned_data)
        except Refused as error:
            _put(form, error)
        else:
            return redirect(removal.run)
    context = {
        "section": "images",
        "form": form,
        "preview": found,
        "picked": [image.aws_id for image in images],
        "acting": acting,
    }
    status = 422 if form.errors else 200
    return render(request, "registry/bring_back.html", context, status=status)


def _may_at_all(request: SignedInRequest) -> None:
    if not may_somewhere(request.user, Action.DISCARD_OWN):
        raise PermissionDenied("Your role can't discard images.")


def _chosen(request: SignedInRequest, data: QueryDict, rows: QuerySet[Any]) -> list[Image]:
    """Return the images that were picked, or all that match the filter of the list."""
    if data.get("all_matching"):
        matching = narrow(request, rows.for_list())  # type: ignore[attr-defined]
        found_by = ImageFilter(QueryDict(data.get("query", "")), matching, request=request)
        # A list may leave out a filter that it can't read; what discards may not.
        rows = found_by.qs if "query" in data and found_by.is_valid() else rows.none()
    else:
        ids = [aws_id for aws_id in _ids(data, "pick") if "\x00" not in aws_id]
        rows = visible(rows.filter(aws_id__in=ids), request.user)
    found = list(rows.select_related("account").order_by("pk")[: MOST + 1])
    if len(found) > MOST:
        messages.warning(request, f"Only the first {MOST:,} images are taken at once.")
    return found[:MOST]


def _ids(data: QueryDict, name: str) -> list[str]:
    """Return ids of which one field may hold many: a request has at most 1,000 fields."""
    return " ".join(data.getlist(name)).split()


def _known(request: SignedInRequest, data: QueryDict) -> Removal | None:
    """Return the removal that the same form has asked for before."""
    try:
        key = uuid.UUID(data.get("key", ""))
    except ValueError:
        return None
    return Removal.objects.filter(key=key, run__requested_by=request.user).first()


def _readable(request: SignedInRequest, images: Sequence[Image]) -> list[Image]:
    rows = Image.objects.filter(pk__in=[image.pk for image in images])
    return list(visible(rows, request.user).select_related("account").order_by("pk"))


def _typed(data: QueryDict) -> RemovalForm:
    """Return the form with what was chosen so far, without a judgment of it."""
    form = RemovalForm()
    if "hold" not in data:
        return form
    for name, field in form.fields.items():
        form.initial[name] = field.widget.value_from_datadict(data, {}, name)
    return form


def _wish(data: QueryDict) -> Wish:
    return Wish(
        only_disables=bool(data.get("only_disables")),
        deletes_snapshots=bool(data.get("deletes_snapshots")),
        is_forced=bool(data.get("is_forced")),
    )


def _check_words(form: RemovalForm, data: QueryDict, acting: list[Image]) -> None:
    if not acting:
        form.add_error(None, "Nothing is left to discard: every image is skipped.")
    elif data.get("words", "").strip() != words_to_type(acting).strip():
        form.add_error(None, f"Type “{words_to_type(acting)}” to confirm.")


def _check_uses(form: RemovalForm, data: QueryDict, found: Preview) -> None:
    """Force nothing past a use that was not on the page: it may have begun since."""
    if data.get("is_forced") and data.get("shown") != _digest(found):
        form.add_error(None, "Who uses the images has changed since you looked. Look again.")


def _digest(found: Preview) -> str:
    """Return a short text that changes when a use is shown that was not, or no more."""
    uses = [
        f"{line.image.aws_id} {use.kind} {use.aws_id}" for line in found.lines for use in line.uses
    ]
    return hashlib.blake2b("\n".join(uses).encode(), digest_size=16).hexdigest()


def _put(form: Any, error: Refused) -> None:
    for field, problem in error.problems.items():
        form.add_error(field if field in form.fields else None, problem)


def _radius(request: SignedInRequest, images: Sequence[Image]) -> dict[str, Any]:
    """Return the snapshots behind the images, and what purchases for their platforms lie idle."""
    snapshots = Snapshot.objects.present().filter(
        aws_id__in={aws_id for image in images for aws_id in snapshots_of(image)}
    )
    wanted = {(image.region, reserved_platform(image.expected_usage_operation)) for image in images}
    of_platform = Q(pk=None)
    for region, platform in sorted((region, name) for region, name in wanted if name):
        of_platform |= Q(
            reserved_instance__region=region, reserved_instance__product_description=platform
        )
    open_ones = Finding.objects.open().filter(of_platform)
    idle = visible(open_ones, request.user, by="reserved_instance__account")
    money: dict[str, Decimal | int | None] = idle.aggregate(
        number=Count("pk"), priced=Count("monthly_cost"), cost=Sum("monthly_cost")
    )
    return {**snapshots.aggregate(snapshots=Count("pk"), gib=Sum("volume_size")), **money}
