"""What an image can be made of, as rows to choose from."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import QuerySet

from registry.models import Account, Image, Instance, Method, Snapshot

SHOWN = 25


@dataclass(frozen=True, slots=True)
class Choice:
    """A row: `usage_operation` None where no API tells it, as of snapshots."""

    aws_id: str
    name: str
    detail: str
    state: str
    usage_operation: str | None
    at: datetime | None


@dataclass(frozen=True, slots=True)
class Choices:
    """The first rows that fit, the chosen one among them, and how many fit."""

    rows: list[Choice]
    found: int
    words: str
    chosen: str


def choices(
    method: str, account: Account, region: str, *, words: str, chosen: str
) -> Choices | None:
    """Return what fits the words; None for a manifest, which no API lists."""
    if method == Method.MANIFEST:
        return None
    words = words.replace("\x00", "").strip()
    model, as_choice, order = _KINDS[method]
    rows: QuerySet[Any] = _usable(model).filter(account=account, region=region)
    if words:
        rows = rows.search(words)  # type: ignore[attr-defined]
    shown = list(rows.order_by(*order)[:SHOWN])
    if chosen and "\x00" not in chosen and all(row.aws_id != chosen for row in shown):
        shown = [*_usable(model).filter(account=account, region=region, aws_id=chosen), *shown]
    return Choices([as_choice(row) for row in shown], rows.count(), words, chosen)


def _usable(model: Any) -> QuerySet[Any]:
    if model is Snapshot:
        return Snapshot.objects.registrable()
    if model is Instance:
        return Instance.objects.present().filter(state__in=["running", "stopped"])
    return Image.objects.present().filter(state="available")


def _snapshot(row: Snapshot) -> Choice:
    size = f"{row.volume_size} GiB" if row.volume_size is not None else "Size unknown"
    encrypted = {True: "encrypted", False: "not encrypted", None: "encryption unknown"}
    state = f"{size}, {encrypted[row.is_encrypted]}"
    return Choice(row.aws_id, row.name, row.description, state, None, row.started_at)


def _instance(row: Instance) -> Choice:
    detail = f"{row.instance_type}, from {row.image_id}"
    return Choice(
        row.aws_id, row.name, detail, row.state.capitalize(), row.usage_operation, row.launched_at
    )


def _image(row: Image) -> Choice:
    return Choice(
        row.aws_id, row.name, row.description, row.architecture, row.usage_operation, row.created_at
    )


_KINDS: dict[str, tuple[Any, Any, tuple[str, ...]]] = {
    Method.SNAPSHOT: (Snapshot, _snapshot, ("-name", "-started_at", "pk")),
    Method.INSTANCE: (Instance, _instance, ("name", "aws_id", "pk")),
    Method.COPY: (Image, _image, ("name", "aws_id", "pk")),
}
