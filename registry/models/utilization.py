"""What was used over time: each purchase whenever it changed, and the totals of each day."""

from django.db import models

from registry.models.account import Account
from registry.models.reserved_instance import ReservedInstance


class Utilization(models.Model):
    """How far a purchase was used from `at` on, until its next row.

    Units are exact fractions, kept as text. `causes` are the codes of why a part stayed idle.
    """

    reserved_instance = models.ForeignKey(
        ReservedInstance, models.CASCADE, related_name="utilizations"
    )
    at = models.DateTimeField()
    used = models.CharField(max_length=64)
    idle = models.CharField(max_length=64)
    hourly_cost = models.DecimalField(max_digits=20, decimal_places=8, null=True, blank=True)
    idle_hourly_cost = models.DecimalField(max_digits=20, decimal_places=8, null=True, blank=True)
    causes = models.JSONField(default=list, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["reserved_instance", "at"], name="registry_utilization_once_at_a_time"
            )
        ]

    def __str__(self) -> str:
        return f"{self.used} used, {self.idle} idle"


class DailyTotals(models.Model):
    """What the last audit of a day (UTC) found in one account. A cost that is not known is null."""

    account = models.ForeignKey(Account, models.CASCADE, related_name="daily_totals")
    day = models.DateField()
    at = models.DateTimeField()
    purchases = models.PositiveIntegerField(default=0)
    hourly_cost = models.DecimalField(max_digits=20, decimal_places=8, null=True, blank=True)
    idle_hourly_cost = models.DecimalField(max_digits=20, decimal_places=8, null=True, blank=True)
    unpriced = models.PositiveIntegerField(default=0, help_text="Idle purchases without a price.")
    verdicts = models.JSONField(default=dict, blank=True, help_text="Images by verdict.")
    severities = models.JSONField(default=dict, blank=True, help_text="Findings by severity.")
    running = models.PositiveIntegerField(default=0, help_text="Running instances.")
    covered = models.CharField(
        max_length=64, blank=True, help_text="How many of them purchases pay for: a fraction."
    )

    class Meta:
        verbose_name_plural = "daily totals"
        constraints = [
            models.UniqueConstraint(fields=["account", "day"], name="registry_dailytotals_once")
        ]

    def __str__(self) -> str:
        return f"{self.account} {self.day}"
