"""Reports: a frozen result, and the schedule that asks for one."""

from datetime import datetime, time, timedelta
from typing import Self

from django.db import models
from django.urls import reverse

from registry.models.run import Run


class ScheduleKind(models.TextChoices):
    SYNC = "sync", "Sync inventory"
    REPORT = "report", "Audit report"
    PRICES = "prices", "Read list prices"
    BILLS = "bills", "Read bills"


class ScheduleQuerySet(models.QuerySet["Schedule"]):
    def enabled(self) -> Self:
        return self.filter(is_enabled=True)

    def sync_interval(self) -> timedelta | None:
        """Return how often every scope is read; None while no schedule asks for it."""
        rows = self.enabled().filter(kind=ScheduleKind.SYNC)
        return min((schedule.interval for schedule in rows), default=None)


class Schedule(models.Model):
    """What is done again and again: every so many minutes, or once a day at a time in UTC."""

    kind = models.CharField(max_length=16, choices=ScheduleKind.choices)
    every_minutes = models.PositiveIntegerField(null=True, blank=True)
    daily_at = models.TimeField(null=True, blank=True, help_text="UTC")
    is_enabled = models.BooleanField(default=True)

    objects = ScheduleQuerySet.as_manager()

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=models.Q(every_minutes__isnull=False, every_minutes__gte=1, daily_at=None)
                | models.Q(every_minutes=None, daily_at__isnull=False),
                name="registry_schedule_has_one_rhythm",
            ),
        ]

    def __str__(self) -> str:
        if self.every_minutes:
            return f"{self.get_kind_display()} every {self.every_minutes} minutes"
        return f"{self.get_kind_display()} daily at {self.daily_at}"

    @property
    def interval(self) -> timedelta:
        return timedelta(minutes=self.every_minutes) if self.every_minutes else timedelta(days=1)

    def slot(self, at: datetime) -> datetime:
        """The newest time, not after `at` (aware, UTC), at which the work is due."""
        midnight = datetime.combine(at.date(), time(), tzinfo=at.tzinfo)
        if self.every_minutes:
            step = timedelta(minutes=self.every_minutes)
            return midnight + (at - midnight) // step * step
        today = datetime.combine(at.date(), self.daily_at or time(), tzinfo=at.tzinfo)
        return today if today <= at else today - timedelta(days=1)


class ScheduleSlot(models.Model):
    """One due time of a schedule; the row makes it happen once, whoever fires the tick."""

    schedule = models.ForeignKey(Schedule, models.CASCADE, related_name="slots")
    slot_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["schedule", "slot_at"], name="registry_scheduleslot_once"
            )
        ]

    def __str__(self) -> str:
        return f"{self.schedule_id} {self.slot_at}"


class ReportQuerySet(models.QuerySet["Report"]):
    def ready(self) -> Self:
        return self.exclude(created_at=None)


class Report(models.Model):
    """The audit as it stood at one time. It never changes after its creation."""

    run = models.OneToOneField(Run, models.PROTECT, related_name="report")
    created_at = models.DateTimeField(null=True, blank=True)
    previous = models.ForeignKey("self", models.PROTECT, null=True, blank=True, related_name="+")
    result = models.JSONField(default=dict)

    objects = ReportQuerySet.as_manager()

    def __str__(self) -> str:
        return self.ref

    def get_absolute_url(self) -> str:
        return reverse("reports:detail", args=[self.ref])

    @property
    def ref(self) -> str:
        return f"R-{self.pk:04d}"
