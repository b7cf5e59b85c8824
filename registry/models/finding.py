"""Findings: verdicts that we keep."""

import re
from collections.abc import Iterable
from typing import Self

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.urls import reverse

from registry.models.image import Image
from registry.models.instance import Instance
from registry.models.reserved_instance import ReservedInstance


class Severity(models.TextChoices):
    CRITICAL = "critical", "Critical"
    HIGH = "high", "High"
    MEDIUM = "medium", "Medium"
    LOW = "low", "Low"


class FindingState(models.TextChoices):
    OPEN = "open", "Open"
    IN_PROGRESS = "in_progress", "In progress"
    WAIVED = "waived", "Waived"
    RESOLVED = "resolved", "Resolved"
    REOPENED = "reopened", "Reopened"


# What somebody has to do something about.
ACTIONABLE = (FindingState.OPEN, FindingState.IN_PROGRESS, FindingState.REOPENED)
_REF = re.compile(r"(?:F-)?([0-9]{1,18})")  # more digits, no key has


class FindingQuerySet(models.QuerySet["Finding"]):
    def open(self) -> Self:
        """Leave what is still so, the waived included."""
        return self.filter(resolved_at=None)

    def actionable(self) -> Self:
        return self.filter(state__in=ACTIONABLE)

    def waived(self) -> Self:
        return self.filter(state=FindingState.WAIVED)

    def resolved(self) -> Self:
        return self.exclude(resolved_at=None)

    def named(self, refs: Iterable[str]) -> Self:
        """Leave those that the references name; what is no reference names nothing."""
        found = map(_REF.fullmatch, refs)
        return self.filter(pk__in={int(match[1]) for match in found if match})

    def search(self, words: str) -> Self:
        return self.filter(
            Q(title__icontains=words)
            | Q(rule__iexact=words)
            | Q(image__name__icontains=words)
            | Q(image__aws_id__startswith=words)
            | Q(instance__name__icontains=words)
            | Q(instance__aws_id__startswith=words)
            | Q(cause__iexact=words)
            | Q(reserved_instance__aws_id__startswith=words)
            | Q(reserved_instance__instance_type__icontains=words)
        )

    def most_urgent_first(self) -> Self:
        """Order by severity, then by cost; what costs an unknown amount comes last."""
        cost = F("monthly_cost").desc(nulls_last=True)
        return self._ranked().order_by("rank", cost, "pk")

    def costliest_first(self) -> Self:
        cost = F("monthly_cost").desc(nulls_last=True)
        return self._ranked().order_by(cost, "rank", "pk")

    def for_list(self) -> Self:
        """Add all that a row of the findings page shows, in one query."""
        rows = self.select_related(
            "image__account", "instance__account", "reserved_instance__account", "assignee"
        )
        return rows._ranked()

    def _ranked(self) -> Self:
        return self.annotate(
            rank=models.Case(
                *[
                    models.When(severity=level, then=position)
                    for position, level in enumerate(Severity.values)
                ],
                default=len(Severity.values),
                output_field=models.IntegerField(),
            )
        )


class Finding(models.Model):
    """A rule that one thing breaks, from when we saw it until it was put right.

    Only the mirror resolves it. What comes back reopens the same row.
    """

    image = models.ForeignKey(Image, models.PROTECT, related_name="findings", null=True, blank=True)
    instance = models.ForeignKey(
        Instance, models.PROTECT, related_name="findings", null=True, blank=True
    )
    reserved_instance = models.ForeignKey(
        ReservedInstance, models.PROTECT, related_name="findings", null=True, blank=True
    )
    rule = models.CharField(max_length=10)
    severity = models.CharField(max_length=16, choices=Severity.choices)
    state = models.CharField(max_length=16, choices=FindingState.choices, default=FindingState.OPEN)
    title = models.CharField(max_length=200)
    message = models.TextField()
    remedy = models.JSONField(default=list, blank=True, help_text="Steps in order.")
    monthly_cost = models.DecimalField(max_digits=20, decimal_places=2, null=True, blank=True)
    # What else one cause has done: findings with the same one are put right together.
    cause = models.CharField(
        max_length=64, blank=True, db_index=True, help_text="Id of the thing where it went wrong."
    )
    running = models.PositiveIntegerField(default=0, help_text="Running instances it concerns.")
    idle_purchases = models.JSONField(
        default=list, blank=True, help_text="Ids of the purchases that stay idle because of it."
    )
    assignee = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.PROTECT,
        related_name="assigned_findings",
        null=True,
        blank=True,
    )
    watchers = models.ManyToManyField(
        settings.AUTH_USER_MODEL, related_name="watched_findings", blank=True
    )
    opened_at = models.DateTimeField()
    checked_at = models.DateTimeField()
    resolved_at = models.DateTimeField(null=True, blank=True)

    objects = FindingQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["image", "rule"],
                condition=Q(resolved_at=None),
                name="registry_finding_open_once_per_image",
            ),
            models.UniqueConstraint(
                fields=["instance", "rule"],
                condition=Q(resolved_at=None),
                name="registry_finding_open_once_per_instance",
            ),
            models.UniqueConstraint(
                fields=["reserved_instance", "rule"],
                condition=Q(resolved_at=None),
                name="registry_finding_open_once_per_reserved_instance",
            ),
            models.CheckConstraint(
                condition=Q(image__isnull=False, instance=None, reserved_instance=None)
                | Q(image=None, instance__isnull=False, reserved_instance=None)
                | Q(image=None, instance=None, reserved_instance__isnull=False),
                name="registry_finding_of_one_thing",
            ),
            models.CheckConstraint(
                condition=Q(resolved_at=None) | Q(resolved_at__gte=F("opened_at")),
                name="registry_finding_resolved_after_opened",
            ),
            models.CheckConstraint(
                condition=Q(resolved_at=None) & ~Q(state="resolved")
                | Q(resolved_at__isnull=False, state="resolved"),
                name="registry_finding_resolved_has_its_time",
            ),
        ]
        indexes = [models.Index(fields=["resolved_at", "severity"], name="registry_finding_state")]

    def __str__(self) -> str:
        return f"{self.ref} {self.title}"

    def get_absolute_url(self) -> str:
        return reverse("findings:detail", args=[self.ref])

    @property
    def ref(self) -> str:
        return f"F-{self.pk:04d}"

    @property
    def thing(self) -> Image | Instance | ReservedInstance:
        """What the finding is about."""
        # One of the three is there: registry_finding_of_one_thing.
        return self.image or self.instance or self.reserved_instance  # type: ignore[return-value]
