"""Registrations: what image to make and how, and what came of it."""

import uuid
from typing import Self

from django.db import models
from django.db.models import Q, QuerySet

from registry.models.account import Account
from registry.models.image import ImageVerdict
from registry.models.run import Event, Run


class RegistrationStep(models.TextChoices):
    """How far it has come; each value is what has been done."""

    REQUESTED = "requested", "Requested"
    CHECKED = "checked", "Checked"
    SUBMITTED = "submitted", "Submitted to AWS"
    AVAILABLE = "available", "Image available"
    VERIFIED = "verified", "Billing code read"


class Method(models.TextChoices):
    """What an image is made of, and with that the operation of AWS."""

    SNAPSHOT = "snapshot", "A snapshot"
    INSTANCE = "instance", "An instance"
    COPY = "copy", "A copy of an image"
    MANIFEST = "manifest", "An S3 manifest"


class RegistrationQuerySet(models.QuerySet["Registration"]):
    def under_way(self) -> Self:
        return self.filter(run__finished_at=None)


class Registration(models.Model):
    """A request to make one image in one region, carried out by its run.

    Which source counts, `method` says. An empty text or a null means: as AWS has it by itself.
    """

    key = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    batch = models.UUIDField(
        null=True, blank=True, db_index=True, help_text="Of those that were asked for together."
    )
    run = models.OneToOneField(Run, models.PROTECT, related_name="registration")
    account = models.ForeignKey(Account, models.PROTECT, related_name="registrations")
    region = models.CharField(max_length=32)
    method = models.CharField(max_length=16, choices=Method.choices, default=Method.SNAPSHOT)
    name = models.CharField(max_length=128)
    description = models.CharField(max_length=255, blank=True)
    tags = models.JSONField(default=dict, blank=True)
    snapshot_tags = models.JSONField(default=dict, blank=True)
    expected_usage_operation = models.CharField(max_length=64)

    # From a snapshot: the root volume, and what hangs on it besides.
    snapshot_id = models.CharField(max_length=64, blank=True)
    root_device_name = models.CharField(max_length=64, default="/dev/xvda")
    volume_type = models.CharField(max_length=16, default="gp3", blank=True)
    volume_size = models.PositiveIntegerField(null=True, blank=True, help_text="GiB")
    iops = models.PositiveIntegerField(null=True, blank=True)
    throughput = models.PositiveIntegerField(null=True, blank=True, help_text="MiB/s")
    delete_on_termination = models.BooleanField(default=True)
    block_devices = models.JSONField(
        default=list, blank=True, help_text="The further devices, as AWS names their members."
    )
    # From a manifest of an image in S3.
    image_location = models.CharField(max_length=1024, blank=True)
    # From a snapshot or a manifest: the hardware.
    architecture = models.CharField(max_length=16, default="x86_64")
    virtualization_type = models.CharField(max_length=16, default="hvm")
    boot_mode = models.CharField(max_length=16, blank=True)
    ena_support = models.BooleanField(default=True)
    sriov_net_support = models.CharField(max_length=8, blank=True)
    tpm_support = models.CharField(max_length=8, blank=True)
    imds_support = models.CharField(max_length=8, blank=True)
    uefi_data = models.TextField(blank=True)
    kernel_id = models.CharField(max_length=64, blank=True)
    ramdisk_id = models.CharField(max_length=64, blank=True)
    # From an instance.
    source_instance_id = models.CharField(max_length=64, blank=True)
    no_reboot = models.BooleanField(default=False)
    # As a copy.
    source_image_id = models.CharField(max_length=64, blank=True)
    source_region = models.CharField(max_length=32, blank=True)
    copies_tags = models.BooleanField(default=True)
    is_encrypted = models.BooleanField(default=False)
    kms_key_id = models.CharField(max_length=2048, blank=True)

    # What was said beforehand.
    prediction = models.JSONField(default=dict, blank=True)
    reason = models.TextField(blank=True, help_text="Why, although another way is recommended.")

    # What came of it.
    step = models.CharField(
        max_length=16, choices=RegistrationStep.choices, default=RegistrationStep.REQUESTED
    )
    submitted_at = models.DateTimeField(
        null=True,
        blank=True,
        help_text="Set before the request is sent: from then on, look first.",
    )
    image_id = models.CharField(max_length=64, blank=True)
    platform_details = models.CharField(max_length=255, blank=True)
    usage_operation = models.CharField(max_length=64, blank=True)
    mismatch_seen_at = models.DateTimeField(
        null=True, blank=True, help_text="First reading that differed; it is read once more."
    )
    verdict = models.CharField(
        max_length=16, choices=ImageVerdict.choices, blank=True, default=ImageVerdict.PENDING
    )
    missing = models.JSONField(default=list, blank=True)
    unexpected = models.JSONField(default=list, blank=True)
    differences = models.JSONField(
        default=list, blank=True, help_text="Of boot and hardware: what, wanted, found, of what."
    )
    readings = models.JSONField(
        default=list, blank=True, help_text="The answers of AWS on which the verdict stands."
    )

    objects = RegistrationQuerySet.as_manager()

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(method="snapshot") & ~Q(snapshot_id="")
                | Q(method="instance") & ~Q(source_instance_id="")
                | Q(method="copy") & ~Q(source_image_id="") & ~Q(source_region="")
                | Q(method="manifest") & ~Q(image_location=""),
                name="registry_registration_names_its_source",
            ),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def events(self) -> QuerySet[Event]:
        """The timeline: that of its run."""
        return Event.objects.filter(run_id=self.run_id)
