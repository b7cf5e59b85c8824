"""Removals as they are answered, with the ledger of their images."""

from collections.abc import Collection, Mapping
from datetime import timedelta
from typing import Any
from uuid import UUID

from django.db.models import Prefetch, QuerySet
from django.http import Http404

from registry.access import accounts, visible
from registry.api.answers import of_run, timeline
from registry.api.door import ApiRequest
from registry.models import Decision, Event, Removal, RemovalItem
from registry.removal import Line

_KEPT = "Kept unless this ends before: it is in use."


def readable(request: ApiRequest) -> QuerySet[Removal]:
    """Return the removals with an image that the person may see; of the items, only those."""
    items = visible(RemovalItem.objects.all(), request.user, by="image__account")
    rows = Removal.objects.filter(pk__in=items.values("removal"))
    return rows.select_related("run__requested_by").prefetch_related(
        Prefetch("items", items.select_related("image__account").order_by("pk"), "shown_items"),
        Prefetch("run__events", Event.objects.order_by("pk")),
        Prefetch("run__decisions", Decision.objects.select_related("by").order_by("pk")),
    )


def find(request: ApiRequest, key: UUID) -> Removal:
    found = readable(request).filter(key=key).first()
    if found is None:
        raise Http404(f"There is no removal {key}.")
    return found


def shown(removal: Any, request: ApiRequest) -> dict[str, Any]:
    items: list[RemovalItem] = removal.shown_items
    numbers = _numbers(request)
    ids = {"", *(item.image.aws_id for item in items)}
    events = [event for event in removal.run.events.all() if event.subject in ids]
    return {
        "key": removal.key,
        "is_undo": removal.is_undo,
        **of_run(removal.run, request),
        "reason": removal.reason,
        "hold_until": removal.hold_until,
        "cooling_hours": removal.cooling / timedelta(hours=1),
        "only_disables": removal.only_disables,
        "deletes_snapshots": removal.deletes_snapshots,
        "is_forced": removal.is_forced,
        "is_paused": removal.is_paused,
        "items": [_item(item, numbers) for item in items],
        "timeline": timeline(events),
    }


def _item(item: RemovalItem, numbers: Collection[str]) -> dict[str, Any]:
    return {
        "image_id": item.image.aws_id,
        "name": item.image.name,
        "account": item.image.account.number,
        "region": item.image.region,
        "state": item.state,
        "note": item.note,
        "error": item.error,
        "acts_at": item.act_at,
        "disabled_at": item.disabled_at,
        "deregistered_at": item.deregistered_at,
        "uses_shown": [_use(use, numbers) for use in item.uses_shown],
        "uses": [_use(use, numbers) for use in item.uses],
        "permissions": item.permissions,
        "snapshots": item.snapshots,
    }


def shown_line(line: Line, request: ApiRequest) -> dict[str, Any]:
    numbers = _numbers(request)
    is_told = all(use.account in numbers for use in line.uses)
    return {
        "image_id": line.image.aws_id,
        "account": line.image.account.number,
        "region": line.image.region,
        "obstacle": line.obstacle,
        "kept": line.kept and (line.kept if is_told else _KEPT),
        "happens": line.happens if is_told or not line.kept else _KEPT,
        "uses": [_use(use.json, numbers) for use in line.uses],
        "copies": [copy.aws_id for copy in line.copies],
        "deleted_snapshots": line.deleted_snapshots,
        "shared_snapshots": line.shared_snapshots,
        "calls": line.calls,
        "undo": line.undo,
    }


def _use(use: Mapping[str, str], numbers: Collection[str]) -> dict[str, str]:
    """Return a use; not the name of a thing in an account that the person may not read."""
    is_told = use.get("account", "") in numbers
    return {**use, "name": use.get("name", "") if is_told else ""}


def _numbers(request: ApiRequest) -> set[str]:
    """Return the accounts that the person may read; asked once for each request."""
    known = vars(request)
    if "readable_numbers" not in known:
        # What has no account, AWS or the portal itself has named.
        known["readable_numbers"] = {"", *accounts(request.user).values_list("number", flat=True)}
    found: set[str] = known["readable_numbers"]
    return found
