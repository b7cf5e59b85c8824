"""Registrations: what to register, and what came of it."""

import uuid
from typing import Self

from django.db import models

from registry.models.account import Account
from registry.models.image import ImageVerdict
from registry.models.run import Run


class RegistrationStep(models.TextChoices):
    """How far it has come; each value is what has been done."""

    REQUESTED = "requested", "Requested"
    CHECKED = "checked", "Checked"
    SUBMITTED = "submitted", "Submitted to AWS"
    AVAILABLE = "available", "Image available"
    VERIFIED = "verified", "Billing code read"


class RegistrationQuerySet(models.QuerySet["Registration"]):
    def under_way(self) -> Self:
        return self.filter(run__finished_at=None)


class Registration(models.Model):
    """A request to make an image from a snapshot, carried out by its run."""

    key = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    run = models.OneToOneField(Run, models.PROTECT, related_name="registration")
    account = models.ForeignKey(Account, models.PROTECT, related_name="registrations")
    region = models.CharField(max_length=32)
    snapshot_id = models.CharField(max_length=64)
    name = models.CharField(max_length=128)
    description = models.CharField(max_length=255, blank=True)
    expected_usage_operation = models.CharField(max_length=64)
    architecture = models.CharField(max_length=16, default="x86_64")
    boot_mode = models.CharField(max_length=16, blank=True)
    root_device_name = models.CharField(max_length=64, default="/dev/xvda")
    volume_type = models.CharField(max_length=16, default="gp3")
    imds_support = models.CharField(max_length=8, blank=True)
    tags = models.JSONField(default=dict, blank=True)

    step = models.CharField(
        max_length=16, choices=RegistrationStep.choices, default=RegistrationStep.REQUESTED
    )
    submitted_at = models.DateTimeField(
        null=True,
        blank=True,
        help_text="Set before RegisterImage is sent: from then on, look first.",
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

    objects = RegistrationQuerySet.as_manager()

    def __str__(self) -> str:
        return self.name


class Event(models.Model):
    """One line of the timeline of a registration: a decision, an AWS call, a state."""

    registration = models.ForeignKey(Registration, models.CASCADE, related_name="events")
    at = models.DateTimeField()
    text = models.TextField()
    request_id = models.CharField(max_length=64, blank=True)

    def __str__(self) -> str:
        return self.text
