"""Instances, with the billing code that each one really carries."""

from typing import Self

from django.db import models
from django.db.models import Q
from django.urls import reverse

from registry.models.mirror import Mirror, MirrorQuerySet


class InstanceQuerySet(MirrorQuerySet["Instance"]):
    def running(self) -> Self:
        return self.filter(state="running")

    def search(self, words: str) -> Self:
        return self.filter(Q(name__icontains=words) | Q(aws_id__startswith=words))


class Instance(Mirror):
    """An EC2 instance."""

    name = models.CharField(max_length=255, blank=True)
    state = models.CharField(max_length=32, blank=True)
    instance_type = models.CharField(max_length=64, blank=True)
    image_id = models.CharField(max_length=64, blank=True, db_index=True)
    # What AWS tells of its image also when that is gone, foreign or private.
    image_name = models.CharField(max_length=255, blank=True)
    image_owner_id = models.CharField(max_length=32, blank=True)
    image_owner_alias = models.CharField(max_length=64, blank=True)
    availability_zone = models.CharField(max_length=64, blank=True)
    availability_zone_id = models.CharField(max_length=64, blank=True)
    tenancy = models.CharField(max_length=16, blank=True)
    lifecycle = models.CharField(max_length=32, blank=True)
    architecture = models.CharField(max_length=32, blank=True)
    platform = models.CharField(max_length=32, blank=True)
    platform_details = models.CharField(max_length=255, null=True, blank=True)  # noqa: DJ001
    usage_operation = models.CharField(max_length=64, null=True, blank=True)  # noqa: DJ001
    usage_operation_updated_at = models.DateTimeField(null=True, blank=True)
    product_codes = models.JSONField(default=list, blank=True)
    boot_mode = models.CharField(max_length=32, blank=True)
    root_device_name = models.CharField(max_length=64, blank=True)
    volumes = models.JSONField(default=dict, blank=True, help_text="Device name to volume id.")
    launched_at = models.DateTimeField(null=True, blank=True)
    tags = models.JSONField(default=dict, blank=True)

    objects = InstanceQuerySet.as_manager()

    class Meta(Mirror.Meta):
        pass

    def __str__(self) -> str:
        return self.name or self.aws_id

    def get_absolute_url(self) -> str:
        return reverse("instances:detail", args=[self.aws_id])
