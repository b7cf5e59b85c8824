"""What people make of findings: who works on one, who waives it, and all that was said."""

from typing import Self

from django.conf import settings
from django.db import models
from django.db.models import F, Q

from registry.models.finding import Finding
from registry.models.run import Run


class Waiver(models.Model):
    """Somebody answers for a finding that stays as it is, until a day.

    It ends earlier where the code or the expectation changes (`facts`), or the finding gets worse
    than `severity`. One at a time.
    """

    finding = models.ForeignKey(Finding, models.PROTECT, related_name="waivers")
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, related_name="waivers", help_text="Who answers."
    )
    by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    at = models.DateTimeField()
    until = models.DateTimeField()
    reason = models.TextField()
    facts = models.CharField(max_length=160, blank=True, help_text="What was waived.")
    severity = models.CharField(max_length=16)
    ended_at = models.DateTimeField(null=True, blank=True)
    ended_because = models.CharField(max_length=200, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["finding"],
                condition=Q(ended_at=None),
                name="registry_waiver_one_in_force",
            ),
            models.CheckConstraint(
                condition=Q(until__gt=F("at")), name="registry_waiver_ends_after_it_begins"
            ),
            models.CheckConstraint(condition=~Q(reason=""), name="registry_waiver_has_its_reason"),
        ]

    def __str__(self) -> str:
        return f"{self.finding.ref} until {self.until:%Y-%m-%d}"


class TriageAction(models.TextChoices):
    """What is done to findings, one or many."""

    START = "start", "Start work"
    ASSIGN = "assign", "Assign"
    WAIVE = "waive", "Waive"
    REOPEN = "reopen", "Reopen"
    COMMENT = "comment", "Comment"
    WATCH = "watch", "Watch"
    VERIFY = "verify", "Verify again"


class Triage(models.Model):
    """One action on many findings, carried out by its run; TriageItem is its ledger."""

    run = models.OneToOneField(Run, models.PROTECT, related_name="triage")
    action = models.CharField(max_length=16, choices=TriageAction.choices)
    text = models.TextField(blank=True, help_text="The reason, or the comment.")
    person = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.PROTECT,
        related_name="+",
        null=True,
        blank=True,
        help_text="The assignee, or who answers for the waiver.",
    )
    until = models.DateTimeField(null=True, blank=True)
    query = models.TextField(blank=True, help_text="The filter, as in the address of the list.")

    class Meta:
        verbose_name_plural = "triages"

    def __str__(self) -> str:
        return f"{self.run.ref} {self.get_action_display()}"


class TriageItemState(models.TextChoices):
    PENDING = "pending", "To do"
    DONE = "done", "Done"
    LEFT = "left", "Left as it is"


class TriageItemQuerySet(models.QuerySet["TriageItem"]):
    def pending(self) -> Self:
        return self.filter(state=TriageItemState.PENDING)


class TriageItem(models.Model):
    """What became of one finding of a triage; `note` says why it was left."""

    triage = models.ForeignKey(Triage, models.CASCADE, related_name="items")
    finding = models.ForeignKey(Finding, models.PROTECT, related_name="triage_items")
    state = models.CharField(
        max_length=16, choices=TriageItemState.choices, default=TriageItemState.PENDING
    )
    note = models.CharField(max_length=200, blank=True)

    objects = TriageItemQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["triage", "finding"], name="registry_triageitem_once_each"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.finding.ref} {self.state}"


class ActivityKind(models.TextChoices):
    OPENED = "opened", "Opened"
    REOPENED = "reopened", "Reopened"
    RESOLVED = "resolved", "Resolved"
    SEVERITY = "severity", "Severity changed"
    STARTED = "started", "In progress"
    ASSIGNED = "assigned", "Assigned"
    WAIVED = "waived", "Waived"
    UNWAIVED = "unwaived", "Waiver ended"
    COMMENT = "comment", "Comment"


class Activity(models.Model):
    """One line of what happened to a finding; `by` is empty where the audit did it."""

    finding = models.ForeignKey(Finding, models.PROTECT, related_name="activities")
    at = models.DateTimeField()
    by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, related_name="+", null=True, blank=True
    )
    kind = models.CharField(max_length=16, choices=ActivityKind.choices)
    text = models.TextField(blank=True)
    triage = models.ForeignKey(
        Triage, models.PROTECT, related_name="activities", null=True, blank=True
    )

    class Meta:
        verbose_name_plural = "activities"

    def __str__(self) -> str:
        return self.text or self.get_kind_display()
