"""Removals: previewed, asked for, followed, steered and undone."""

import uuid
from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta
from typing import Annotated, Any, Literal
from uuid import UUID

from django.http import Http404
from ninja import Router
from ninja.responses import Status
from pydantic import Field

from registry.access import visible
from registry.api.door import ApiRequest, said
from registry.api.ledger import find, readable, shown, shown_line
from registry.api.paging import PageQuery, page
from registry.api.problems import STORABLE, Body, Key, Query, Unfit, one_key, query
from registry.jobs.removals import request_removal, request_undo
from registry.jobs.steering import keep, pause, resume, retry_failed
from registry.models import Image, Removal
from registry.removal import Refused, Wish, preview

router = Router()
MOST_IMAGES = 1_000
_MOST_HOURS = 1_000_000
_MOST_NAMED = 5
Ids = Annotated[
    list[Annotated[str, Field(max_length=64), STORABLE]],
    Field(min_length=1, max_length=MOST_IMAGES),
]
Hours = Annotated[int, Field(ge=0, le=_MOST_HOURS)]


class HowBody(Body):
    """Which images, and how they are to be discarded."""

    images: Ids
    only_disables: bool = False
    deletes_snapshots: bool = False
    is_forced: bool = False


class RemovalBody(HowBody):
    key: Key | None = None
    reason: Annotated[str, Field(max_length=2_000), STORABLE]
    hold_hours: Hours = 0
    cooling_hours: Hours = 0
    seen: Ids | None = None


class UndoBody(Body):
    key: Key | None = None
    reason: Annotated[str, Field(max_length=2_000), STORABLE]
    images: Ids | None = None


class RemovalQuery(PageQuery):
    state: Literal["queued", "running", "waiting", "held", "succeeded", "failed", ""] = ""


@router.post("/check", url_name="removals-check")
def check(request: ApiRequest, sent: HowBody) -> Any:
    """Say what discarding the images would do. Nothing is sent to AWS, and nothing is kept."""
    query(Query, request)
    found = preview(
        _images(sent.images, request),
        Wish(**_flags(sent)),
        by=request.user,
    )
    return {
        "images": [shown_line(line, request) for line in found.lines],
        "acting": len(found.acting),
        "skipped": len(found.skipped),
        "accounts": found.accounts,
        "copies_left": [copy.aws_id for copy in found.copies_left],
        "calls": found.calls,
        "undo": found.undo,
        "warnings": found.warnings,
    }


@router.post("", url_name="removals", response={200: Any, 201: Any})
def create(request: ApiRequest, sent: RemovalBody) -> Any:
    """Queue the removal of all the images or of none. The same key twice is the same removal."""
    query(Query, request)
    images = _images(sent.images, request)
    asked_for = {
        "is_undo": False,
        "reason": sent.reason,
        "hold": timedelta(hours=sent.hold_hours),
        "cooling": timedelta(hours=sent.cooling_hours),
        **_flags(sent),
    }

    def ask(key: UUID) -> Removal:
        return request_removal(
            key=key,
            images=images,
            by=request.user,
            reason=sent.reason,
            hold=timedelta(hours=sent.hold_hours),
            cooling=timedelta(hours=sent.cooling_hours),
            seen=sent.seen,
            **_flags(sent),
        )

    return _asked(request, one_key(sent.key, request), images, ask, asked_for)


@router.get("", url_name="removals")
def list_removals(request: ApiRequest) -> Any:
    """Return the removals of images that the person may see, the newest first."""
    asked = query(RemovalQuery, request)
    rows = readable(request).order_by("-pk")
    if asked.state:
        rows = rows.filter(run__state=asked.state)
    return page(rows, asked, lambda removal: shown(removal, request))


@router.get("/{uuid:key}", url_name="removal")
def get_removal(request: ApiRequest, key: UUID) -> Any:
    return shown(find(request, key), request)


@router.post("/{uuid:key}/pause", url_name="removal-pause")
def pause_removal(request: ApiRequest, key: UUID) -> Any:
    """Let nothing more be sent until somebody resumes."""
    return _steered(request, key, pause)


@router.post("/{uuid:key}/resume", url_name="removal-resume")
def resume_removal(request: ApiRequest, key: UUID) -> Any:
    return _steered(request, key, resume)


@router.post("/{uuid:key}/retry", url_name="removal-retry")
def retry_removal(request: ApiRequest, key: UUID) -> Any:
    """Let the images that failed be tried again."""
    return _steered(request, key, retry_failed)


@router.post("/{uuid:key}/items/{image_id}/keep", url_name="removal-keep")
def keep_image(request: ApiRequest, key: UUID, image_id: str) -> Any:
    """Take one image out of a removal before its next step."""
    query(Query, request)
    items = find(request, key).items.filter(image__aws_id=image_id)
    item = visible(items, request.user, by="image__account").order_by("pk").first()
    if item is None:
        raise Http404(f"There is no image {image_id[:64]} in this removal.")
    keep(item, request.user)
    return shown(find(request, key), request)


@router.post("/{uuid:key}/undo", url_name="removal-undo", response={200: Any, 201: Any})
def undo(request: ApiRequest, key: UUID, sent: UndoBody) -> Any:
    """Queue that what a removal has discarded is brought back, as far as AWS can."""
    query(Query, request)
    done = find(request, key).items.exclude(disabled_at=None, deregistered_at=None)
    if sent.images:
        done = done.filter(image__aws_id__in=sent.images)
    rows = visible(done, request.user, by="image__account").select_related("image__account")
    images = [item.image for item in rows.order_by("pk")]
    missing = sorted(set(sent.images or []) - {image.aws_id for image in images})
    if missing or not images:
        raise Unfit({"images": f"Nothing was done to {_listed(missing) or 'them'}."})

    def ask(key: UUID) -> Removal:
        return request_undo(key=key, images=images, by=request.user, reason=sent.reason)

    asked_for = {"is_undo": True, "reason": sent.reason}
    return _asked(request, one_key(sent.key, request), images, ask, asked_for)


def _asked(
    request: ApiRequest,
    key: UUID | None,
    images: Sequence[Image],
    ask: Callable[[UUID], Removal],
    asked_for: Mapping[str, Any],
) -> Any:
    is_known = key is not None and Removal.objects.filter(key=key).exists()
    try:
        removal = ask(key or uuid.uuid4())
    except Refused as error:
        raise Unfit({_FIELDS.get(n, n): text for n, text in error.problems.items()}) from None
    if not _is_same(removal, images, request, asked_for):
        return said(f"The key {key} was used for another request. Use a new one.", 409)
    return Status(200 if is_known else 201, shown(find(request, removal.key), request))


_FIELDS = {"hold": "hold_hours", "cooling": "cooling_hours"}


def _is_same(
    removal: Removal, images: Sequence[Image], request: ApiRequest, asked_for: Mapping[str, Any]
) -> bool:
    """Say whether a removal with the key is what is asked for now, by the same person."""
    if removal.run.requested_by_id != request.user.pk:
        return False
    held_until, begun_at = removal.hold_until, removal.run.requested_at
    hold = held_until - begun_at if held_until else timedelta()
    known = {"hold": hold} | {name: getattr(removal, name) for name in asked_for if name != "hold"}
    if any(known[name] != value for name, value in asked_for.items()):
        return False
    return set(removal.items.values_list("image_id", flat=True)) == {row.pk for row in images}


def _flags(sent: HowBody) -> dict[str, bool]:
    return {
        "only_disables": sent.only_disables,
        "deletes_snapshots": sent.deletes_snapshots,
        "is_forced": sent.is_forced,
    }


def _steered(request: ApiRequest, key: UUID, act: Callable[[Removal, Any], Any]) -> Any:
    query(Query, request)
    act(find(request, key), request.user)
    return shown(find(request, key), request)


def _images(ids: Sequence[str], request: ApiRequest) -> list[Image]:
    """Return the images with these ids that the person may see; Unfit names the others."""
    rows = visible(Image.objects.filter(aws_id__in=ids), request.user).select_related("account")
    # An image that was recorded once and is read now has two rows: the one that is read counts.
    found = {row.aws_id: row for row in rows.order_by("account__is_synced", "-gone_at", "pk")}
    missing = sorted(set(ids) - found.keys())
    if missing:
        raise Unfit({"images": f"There is no image {_listed(missing)}."})
    return [found[aws_id] for aws_id in dict.fromkeys(ids)]


def _listed(ids: Sequence[str]) -> str:
    more = f" and {len(ids) - _MOST_NAMED} more" if ids[_MOST_NAMED:] else ""
    return ", ".join(ids[:_MOST_NAMED]) + more
