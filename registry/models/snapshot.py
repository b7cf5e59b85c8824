"""Snapshots and volumes: the middle of a lineage."""

from typing import Self

from django.db import models
from django.db.models import Q

from registry.models.mirror import Mirror, MirrorQuerySet


class SnapshotQuerySet(MirrorQuerySet["Snapshot"]):
    def search(self, words: str) -> Self:
        return self.filter(
            Q(name__icontains=words)
            | Q(aws_id__startswith=words)
            | Q(volume_id__startswith=words)
            | Q(description__icontains=words)
        )

    def registrable(self) -> Self:
        """Snapshots from which RegisterImage can make an image now."""
        return self.present().filter(state="completed").exclude(storage_tier="archive")


class Snapshot(Mirror):
    """An EBS snapshot that an account owns. No API tells its billing code."""

    name = models.CharField(max_length=255, blank=True)
    description = models.TextField(blank=True)
    owner_id = models.CharField(max_length=32, blank=True)
    volume_id = models.CharField(max_length=64, blank=True)
    volume_size = models.PositiveIntegerField(null=True, blank=True, help_text="GiB")
    state = models.CharField(max_length=32, blank=True)
    storage_tier = models.CharField(max_length=32, blank=True)
    is_encrypted = models.BooleanField(null=True, blank=True)
    data_encryption_key_id = models.CharField(max_length=255, blank=True)
    started_at = models.DateTimeField(null=True, blank=True)
    tags = models.JSONField(default=dict, blank=True)

    objects = SnapshotQuerySet.as_manager()

    class Meta(Mirror.Meta):
        pass

    def __str__(self) -> str:
        return self.name or self.aws_id


class VolumeQuerySet(MirrorQuerySet["Volume"]):
    pass


class Volume(Mirror):
    """An EBS volume and the instance it hangs on."""

    name = models.CharField(max_length=255, blank=True)
    state = models.CharField(max_length=32, blank=True)
    volume_type = models.CharField(max_length=16, blank=True)
    size = models.PositiveIntegerField(null=True, blank=True, help_text="GiB")
    snapshot_id = models.CharField(max_length=64, blank=True)
    source_volume_id = models.CharField(max_length=64, blank=True)
    is_encrypted = models.BooleanField(null=True, blank=True)
    attachments = models.JSONField(
        default=list, blank=True, help_text="Instance id and device of each attachment."
    )
    created_at = models.DateTimeField(null=True, blank=True)
    tags = models.JSONField(default=dict, blank=True)

    objects = VolumeQuerySet.as_manager()

    class Meta(Mirror.Meta):
        pass
