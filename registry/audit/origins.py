"""The rows behind what an image is to be made of."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TypeVar

from django.db.models import F

from registry.audit.inventory import read_on_demand
from registry.billing import descriptions
from registry.billing.clues import Link
from registry.billing.graph import ImageNode, SnapshotNode
from registry.billing.lineage import trace
from registry.billing.prospect import (
    AWS_BACKUP,
    COPY_IMAGE,
    CREATE_IMAGE,
    REGISTER_IMAGE,
    UNKNOWN,
    VM_IMPORT,
)
from registry.models import Account, Image, Instance, Mirror, MirrorQuerySet, Snapshot

_PLANNED = "planned"  # the id of the image that is not there yet
_M = TypeVar("_M", bound=Mirror)


@dataclass(frozen=True, slots=True)
class Origin:
    """The rows behind a prospect. `siblings` have the same root snapshot, newest first."""

    snapshot: Snapshot | None = None
    instance: Instance | None = None
    image: Image | None = None
    siblings: tuple[Image, ...] = ()
    links: tuple[Link, ...] = ()


def origin_of_snapshot(account: Account, region: str, snapshot_id: str) -> Origin:
    snapshot = _row(Snapshot, account, region, snapshot_id)
    siblings = _siblings(snapshot_id)
    is_root = snapshot is None or _is_root(snapshot)
    planned = ImageNode(_PLANNED, root_snapshot_id=snapshot_id)
    return Origin(
        snapshot=snapshot,
        siblings=siblings,
        links=_links(planned) if snapshot_id and is_root else (),
    )


def origin_of_instance(account: Account, region: str, instance_id: str) -> Origin:
    row = _of_account(Instance, account, region, instance_id)
    links = _links(ImageNode(_PLANNED, source_instance_id=instance_id)) if row else ()
    return Origin(instance=row, links=links)


def origin_of_copy(account: Account, region: str, image_id: str) -> Origin:
    row = _row(Image, account, region, image_id)
    links = _links(ImageNode(_PLANNED, source_image_id=image_id)) if row else ()
    return Origin(image=row, links=links)


def _links(planned: ImageNode) -> tuple[Link, ...]:
    return trace(_PLANNED, read_on_demand(planned=[planned])).links


def _of_account(model: type[_M], account: Account, region: str, aws_id: str) -> _M | None:
    rows: MirrorQuerySet[_M] = MirrorQuerySet(model)
    return rows.filter(account=account, region=region, aws_id=aws_id).first()


def _row(model: type[_M], account: Account, region: str, aws_id: str) -> _M | None:
    """Return the row of the account; else that of another account, if it is in this region."""
    rows: MirrorQuerySet[_M] = MirrorQuerySet(model)
    found = rows.filter(region=region, aws_id=aws_id).order_by(
        F("gone_at").desc(nulls_first=True), "pk"
    )
    return next((row for row in found if row.account_id == account.pk), found.first())


def _siblings(snapshot_id: str) -> tuple[Image, ...]:
    if not snapshot_id:
        return ()
    found = _by_id(Image.objects.filter(root_snapshot_id=snapshot_id))
    return tuple(
        sorted(
            found.values(),
            key=lambda image: (image.created_at is not None, image.created_at, image.aws_id),
            reverse=True,
        )
    )


def _by_id(rows: MirrorQuerySet[_M]) -> dict[str, _M]:
    # The present last: of two rows with one id, the one that AWS still shows counts.
    return {row.aws_id: row for row in rows.order_by(F("gone_at").asc(nulls_last=True), "pk")}


def _is_root(snapshot: Snapshot) -> bool:
    """Say whether a snapshot is of a root volume, as far as is known.

    CreateImage and CopyImage make one of each volume; only the root's has to do with the code.
    """
    match = _made_for(snapshot)
    if not match:
        return True
    roots = Image.objects.filter(aws_id=match).exclude(root_snapshot_id="")
    known = set(roots.values_list("root_snapshot_id", flat=True))
    return not known or snapshot.aws_id in known


def _made_for(snapshot: Snapshot | SnapshotNode) -> str:
    """Return the id of the image that AWS made together with a snapshot, by its description."""
    if match := descriptions.CREATED.match(snapshot.description):
        return match[2]
    match = descriptions.COPIED_IMAGE.match(snapshot.description)
    return match[1] if match else ""


def made_by(image: Image, snapshot: Snapshot | SnapshotNode | None) -> str:
    """Return what made an image of a snapshot; RegisterImage where nothing else is recorded."""
    if image.source_instance_id:
        return CREATE_IMAGE
    if image.source_image_id:
        return COPY_IMAGE
    if image.owner_alias == "aws-backup-vault" or image.name.startswith("AwsBackup_"):
        return AWS_BACKUP
    if snapshot is None:
        return UNKNOWN
    if _made_for(snapshot) == image.aws_id:
        return CREATE_IMAGE if descriptions.CREATED.match(snapshot.description) else COPY_IMAGE
    imported = descriptions.IMPORTED.match(snapshot.description)
    return VM_IMPORT if imported and imported[1] == image.name else REGISTER_IMAGE


def rows_of(links: Sequence[Link]) -> Iterator[tuple[str, Image | Instance]]:
    """Yield the row of each link, nearest first."""
    ids = [link.aws_id for link in links]
    if not ids:
        return
    images = _by_id(Image.objects.filter(aws_id__in=ids))
    instances = _by_id(Instance.objects.filter(aws_id__in=ids))
    for aws_id in ids:
        row = images.get(aws_id) or instances.get(aws_id)
        if row:
            yield aws_id, row
