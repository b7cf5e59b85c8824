"""Snapshots, volumes, instances and Reserved Instances."""

from django.contrib import admin

from registry.admin.mirror import MirrorAdmin
from registry.models import Instance, ReservedInstance, Snapshot, Volume


@admin.register(Snapshot)
class SnapshotAdmin(MirrorAdmin):
    list_display = ["aws_id", "name", "account", "region", "state", "started_at", "gone_at"]
    search_fields = ["aws_id__startswith", "name"]


@admin.register(Volume)
class VolumeAdmin(MirrorAdmin):
    list_display = ["aws_id", "name", "account", "region", "state", "snapshot_id", "gone_at"]
    search_fields = ["aws_id__startswith", "name"]


@admin.register(Instance)
class InstanceAdmin(MirrorAdmin):
    list_display = ["aws_id", "name", "account", "region", "state", "usage_operation", "image_id"]
    search_fields = ["aws_id__startswith", "name", "image_id__startswith"]


@admin.register(ReservedInstance)
class ReservedInstanceAdmin(MirrorAdmin):
    list_display = ["aws_id", "account", "region", "instance_type", "instance_count", "state"]
    actions = ["audit_now"]
