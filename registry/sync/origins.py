"""What is read besides the mirror, for lineage."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, replace
from typing import Any

from django.db import transaction
from django.db.models import BooleanField, Exists, ExpressionWrapper, OuterRef, Q

from registry.aws import AncestryEntry, Ec2, ImageMetadata, InstanceRecord, NotFound
from registry.models import Image, Instance, Scope, Touched
from registry.sync.besides import Besides

MOST = 100  # calls of each kind in one sync of a scope; the next one goes on
BATCH = 500
_NAMES = ("image_name", "image_owner_id", "image_owner_alias")
_OF_ENTRY = ("aws_id", "created_at", "owner_alias", "source_image_id", "source_image_region")


def list_instances(ec2: Ec2, besides: Besides) -> list[InstanceRecord]:
    """Return every instance, with what AWS tells of its image."""
    records = ec2.list_instances()
    told: Mapping[str, ImageMetadata] = {}
    if records:
        with besides.reading("what the images of instances are called"):
            told = ec2.list_image_metadata()
    return name_images(records, told, besides.scope)


def name_images(
    records: Iterable[InstanceRecord], told: Mapping[str, ImageMetadata], scope: Scope
) -> list[InstanceRecord]:
    """Return the records with what is told of their images, else with what was told before."""
    rows = Instance.objects.within(scope).exclude(image_name="")
    before = {row[:2]: row[2:] for row in rows.values_list("aws_id", "image_id", *_NAMES)}
    return [_named(record, told.get(record.aws_id), before) for record in records]


def _named(
    record: InstanceRecord, told: ImageMetadata | None, before: Mapping[Any, Any]
) -> InstanceRecord:
    names = before.get((record.aws_id, record.image_id))
    if told and told.image_id == record.image_id and told.name:
        names = (told.name, told.owner_id, told.owner_alias)
    return replace(record, **dict(zip(_NAMES, names, strict=True))) if names else record


def read_origins(ec2: Ec2, besides: Besides) -> None:
    """Read what AWS tells of single images only, each kind of a bounded number.

    That is the ancestry of those whose parent is not in the mirror, once, as it never changes; and
    who may launch those with a product code.
    """
    with besides.reading("the ancestry of images"):
        _read_ancestries(ec2, besides.scope)
    with besides.reading("who may launch images with a product code"):
        _read_permissions(ec2, besides.scope)


def _read_ancestries(ec2: Ec2, scope: Scope) -> None:
    """Ask once for all images with one parent: what is behind it is the same for each."""
    parent = Image.objects.filter(aws_id=OuterRef("source_image_id"))
    rows = Image.objects.present().within(scope).filter(~Exists(parent), ancestry__isnull=True)
    children = defaultdict(list)
    for image in rows.exclude(source_image_id="").order_by("pk").only(*_OF_ENTRY):
        children[image.source_image_id].append(image)
    for images in list(children.values())[:MOST]:
        try:
            answer = ec2.read_ancestry(images[0].aws_id)
        except NotFound:
            continue  # it has gone meanwhile
        behind = [entry for entry in answer if entry.image_id != images[0].aws_id]
        for image in images:
            image.ancestry = [_entry(one) for one in (_own(image), *behind)]
        _write(images, "ancestry")


def _own(image: Image) -> AncestryEntry:
    return AncestryEntry(
        image_id=image.aws_id,
        created_at=image.created_at,
        owner_alias=image.owner_alias,
        source_image_id=image.source_image_id,
        source_image_region=image.source_image_region,
    )


def _entry(entry: AncestryEntry) -> dict[str, str]:
    made = entry.created_at
    return asdict(entry) | {"created_at": made.isoformat() if made else ""}


def _read_permissions(ec2: Ec2, scope: Scope) -> None:
    sold = Image.objects.present().within(scope).exclude(product_codes=[])
    # Those first that were never read; of more than a sync reads, any, so that each has its turn.
    unread = ExpressionWrapper(Q(launch_permissions__isnull=True), output_field=BooleanField())
    for image in sold.order_by(unread.desc(), "?").only("aws_id", "launch_permissions")[:MOST]:
        try:
            answer = ec2.read_permissions(image.aws_id)
        except NotFound:
            continue
        if answer != image.launch_permissions:
            image.launch_permissions = answer
            _write([image], "launch_permissions")


def _write(images: Sequence[Image], column: str) -> None:
    with transaction.atomic():
        Image.objects.bulk_update(images, [column], batch_size=BATCH)
        Touched.objects.bulk_create(Touched(kind="image", aws_id=row.aws_id) for row in images)
