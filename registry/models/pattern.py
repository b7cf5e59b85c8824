"""Patterns of an administrator: what a name or a tag says of the expected code."""

from django.conf import settings
from django.db import models
from django.db.models import Q

from registry.models.account import Account


class PatternKind(models.TextChoices):
    NAME = "name", "The name of the image"
    TAG = "tag", "A tag of the image"


class PatternStrength(models.TextChoices):
    """How much it counts. POLICY: as a declaration, before every other source."""

    POLICY = "strong", "A policy: it decides"
    MEDIUM = "medium", "Good evidence"
    WEAK = "weak", "A hint"


class Pattern(models.Model):
    """Images whose name or tag fits are expected to be billed with `usage_operation`.

    `text` is a shell pattern (* and ?), of the whole, in whatever case.
    """

    kind = models.CharField(max_length=8, choices=PatternKind.choices, default=PatternKind.NAME)
    key = models.CharField("tag key", max_length=128, blank=True)
    text = models.CharField("pattern", max_length=256)
    account = models.ForeignKey(
        Account,
        models.CASCADE,
        related_name="patterns",
        null=True,
        blank=True,
        help_text="Only images of this account; empty for all.",
    )
    usage_operation = models.CharField("expected code", max_length=64)
    strength = models.CharField(
        max_length=8, choices=PatternStrength.choices, default=PatternStrength.MEDIUM
    )
    note = models.TextField(blank=True, help_text="Why. Shown as evidence.")
    is_active = models.BooleanField("in force", default=True)
    changed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, related_name="+", null=True, blank=True
    )
    changed_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["kind", "key", "text", "account"],
                nulls_distinct=False,
                name="registry_pattern_once",
            ),
            models.CheckConstraint(
                condition=Q(kind="tag") & ~Q(key="") | Q(kind="name", key=""),
                name="registry_pattern_of_a_tag_names_its_key",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.key} {self.text}".strip()
