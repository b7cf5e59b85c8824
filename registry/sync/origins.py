"""What is read besides the mirror, for lineage; and what is done where it cannot be read.

A role may lack the permission for it, and not every region has every operation. Then less is known,
and nothing else is worse: the sync goes on, and what was read before stays.
"""

import logging
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, replace
from typing import Any

from django.db import transaction
from django.db.models import Exists, F, OuterRef, QuerySet

from registry.aws import AwsError, Ec2, ImageMetadata, InstanceRecord, Malformed, NotFound
from registry.models import Image, Instance, Scope, Touched

logger = logging.getLogger(__name__)
MOST = 100  # calls of each kind in one sync of a scope; the next one goes on
_NAMES = ("image_name", "image_owner_id", "image_owner_alias")


def list_instances(ec2: Ec2, scope: Scope) -> list[InstanceRecord]:
    """Return every instance, with what AWS tells of its image."""
    records = ec2.list_instances()
    return name_images(records, _image_metadata(ec2, scope) if records else {}, scope)


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


def _image_metadata(ec2: Ec2, scope: Scope) -> Mapping[str, ImageMetadata]:
    try:
        return ec2.list_image_metadata()
    except (AwsError, Malformed) as error:
        logger.warning("%s: the images of instances are not told. %s", scope, error)
        return {}


def read_origins(ec2: Ec2, scope: Scope) -> None:
    """Read what AWS tells of single images only, each kind of a bounded number.

    That is the ancestry of those whose parent is not in the mirror, once, as it never changes; and
    who may launch those with a product code.
    """
    here = Image.objects.present().within(scope)
    parent = Image.objects.filter(aws_id=OuterRef("source_image_id"))
    orphans = here.filter(~Exists(parent), ancestry__isnull=True).exclude(source_image_id="")
    _read(orphans.order_by("pk"), "ancestry", lambda image_id: _ancestry(ec2, image_id), scope)
    # Those first that were never read; of more than a sync reads, any, so that each has its turn.
    sold = here.exclude(product_codes=[]).order_by(
        F("launch_permissions").asc(nulls_first=True), "?"
    )
    _read(sold, "launch_permissions", ec2.read_permissions, scope)


def _ancestry(ec2: Ec2, image_id: str) -> list[dict[str, str]]:
    return [
        asdict(entry) | {"created_at": entry.created_at.isoformat() if entry.created_at else ""}
        for entry in ec2.read_ancestry(image_id)
    ]


def _read(
    rows: QuerySet[Image], column: str, ask: Callable[[str], list[dict[str, str]]], scope: Scope
) -> None:
    for key, aws_id, known in rows.values_list("pk", "aws_id", column)[:MOST]:
        try:
            answer = ask(aws_id)
        except NotFound:
            continue  # it has gone meanwhile
        except (AwsError, Malformed) as error:
            logger.warning("%s: no %s of images. %s", scope, column.replace("_", " "), error)
            return
        if answer != known:
            _write(key, aws_id, **{column: answer})


def _write(key: int, aws_id: str, **columns: list[dict[str, str]]) -> None:
    with transaction.atomic():
        Image.objects.filter(pk=key).update(**columns)
        Touched.objects.create(kind="image", aws_id=aws_id)
