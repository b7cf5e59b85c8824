"""Removals: images to discard, one ledger row for each, or to bring back."""

import uuid
from datetime import timedelta
from typing import Self

from django.db import models
from django.db.models import Q

from registry.models.image import Image
from registry.models.run import Run


class ItemState(models.TextChoices):
    """Where one image of a removal stands."""

    MARKED = "marked", "Marked"
    DISABLED = "disabled", "Disabled"
    DEREGISTERED = "deregistered", "Deregistered"
    RESTORED = "restored", "Restored"
    KEPT = "kept", "Kept by request"
    IN_USE = "in_use", "Kept: in use"
    FAILED = "failed", "Failed"


ITEM_OVER = (
    ItemState.DEREGISTERED,
    ItemState.RESTORED,
    ItemState.KEPT,
    ItemState.IN_USE,
    ItemState.FAILED,
)
ITEM_ACTIVE = (ItemState.MARKED, ItemState.DISABLED)


class Removal(models.Model):
    """A request to discard images, or, as an undo, to bring discarded ones back.

    Each image is disabled when the hold is over, and deregistered when it has cooled down. Where
    `only_disables`, it stays disabled.
    """

    key = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    run = models.OneToOneField(Run, models.PROTECT, related_name="removal")
    is_undo = models.BooleanField(default=False)
    reason = models.TextField()
    hold_until = models.DateTimeField(
        null=True, blank=True, help_text="Until then anybody concerned can keep an image."
    )
    cooling = models.DurationField(
        default=timedelta(0), help_text="Between disabling and deregistering."
    )
    only_disables = models.BooleanField(default=False)
    deletes_snapshots = models.BooleanField(default=False)
    is_forced = models.BooleanField(
        default=False, help_text="Also what is in use, as far as the use was shown."
    )
    is_paused = models.BooleanField(default=False)

    class Meta:
        constraints = [
            models.CheckConstraint(condition=~Q(reason=""), name="registry_removal_has_its_reason"),
        ]

    def __str__(self) -> str:
        return "Bring images back" if self.is_undo else "Discard images"


class ItemQuerySet(models.QuerySet["RemovalItem"]):
    def active(self) -> Self:
        return self.filter(state__in=ITEM_ACTIVE)


class RemovalItem(models.Model):
    """One image of a removal: the row of its ledger."""

    removal = models.ForeignKey(Removal, models.CASCADE, related_name="items")
    image = models.ForeignKey(Image, models.PROTECT, related_name="removals")
    state = models.CharField(max_length=16, choices=ItemState.choices, default=ItemState.MARKED)
    act_at = models.DateTimeField(help_text="When its next step is due.")
    submitted_at = models.DateTimeField(
        null=True, blank=True, help_text="Set before a request is sent: from then on, look first."
    )
    disabled_at = models.DateTimeField(null=True, blank=True)
    deregistered_at = models.DateTimeField(null=True, blank=True)
    tries = models.PositiveSmallIntegerField(default=0, help_text="Of the step that failed last.")
    uses_shown = models.JSONField(
        default=list, blank=True, help_text="What used it when it was asked for."
    )
    uses = models.JSONField(default=list, blank=True, help_text="What used it at the last look.")
    permissions = models.JSONField(
        default=list, blank=True, help_text="Launch permissions that AWS does not give back."
    )
    snapshots = models.JSONField(
        default=list, blank=True, help_text="What AWS did with each snapshot."
    )
    note = models.TextField(blank=True)
    error = models.TextField(blank=True)

    objects = ItemQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["image"],
                condition=Q(state__in=ITEM_ACTIVE),
                name="registry_removalitem_one_active_per_image",
            ),
            models.UniqueConstraint(
                fields=["removal", "image"], name="registry_removalitem_once_per_removal"
            ),
            models.CheckConstraint(
                condition=~Q(state="failed") | ~Q(error=""),
                name="registry_removalitem_failed_says_why",
            ),
        ]

    def __str__(self) -> str:
        return self.image.aws_id
