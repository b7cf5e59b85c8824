"""One scope, all kinds."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from registry.aws import Ec2, ImageRecord
from registry.models import Image, Instance, Mirror, ReservedInstance, Scope, Snapshot, Volume
from registry.sync.besides import Besides, Missed
from registry.sync.mirror import Changes, mirror, mirror_some
from registry.sync.modifications import read_modifications
from registry.sync.origins import list_instances, read_origins

# The parents first: what appears while we ask then still finds where it came from.
KINDS: tuple[tuple[type[Mirror], Callable[[Ec2, Besides], Sequence[Any]]], ...] = (
    (Snapshot, lambda ec2, _: ec2.list_snapshots()),
    (Volume, lambda ec2, _: ec2.list_volumes()),
    (Instance, list_instances),
    (Image, lambda ec2, _: ec2.list_images()),
    (ReservedInstance, lambda ec2, _: ec2.list_reserved_instances()),
)


@dataclass(frozen=True, slots=True)
class Synced:
    """What a sync has changed, by kind, and what it could not read besides."""

    changes: dict[str, Changes]
    missed: list[Missed]


def sync_scope(ec2: Ec2, scope: Scope, *, at: datetime) -> Synced:
    """Mirror every kind of `scope`, each in one transaction after its whole answer.

    A kind that cannot be read raises an error of `registry.aws`; what was mirrored before it stays.
    What is read besides, of single images and of modified purchases, never fails it: it is told.
    """
    besides = Besides(scope)
    changes = {
        str(model._meta.verbose_name_plural): mirror(model, scope, ask(ec2, besides), at=at)
        for model, ask in KINDS
    }
    read_origins(ec2, besides)
    read_modifications(ec2, besides)
    return Synced(changes, besides.missed)


def mirror_images(records: Sequence[ImageRecord], scope: Scope, *, at: datetime) -> list[Image]:
    """Write some images of `scope`; the others stay as they are."""
    mirror_some(Image, scope, records, at=at)
    wanted = [record.aws_id for record in records]
    return list(Image.objects.within(scope).filter(aws_id__in=wanted))
