"""Purchases of Reserved Instances, and how far they are used."""

from decimal import Decimal
from fractions import Fraction
from typing import Any, Self

from django.db import models
from django.db.models import Case, Count, F, Q, Sum, Value, When
from django.urls import reverse

from registry.models.instance import Instance
from registry.models.mirror import Mirror, MirrorQuerySet


class ReservedInstanceQuerySet(MirrorQuerySet["ReservedInstance"]):
    def active(self) -> Self:
        return self.filter(state="active")

    def not_fully_used(self) -> Self:
        return self.active().exclude(idle="").exclude(idle="0")

    def fully_used(self) -> Self:
        return self.active().filter(idle="0")

    def search(self, words: str) -> Self:
        return self.filter(
            Q(aws_id__startswith=words)
            | Q(instance_type__icontains=words)
            | Q(product_description__icontains=words)
        )


def idle_cost(name: str, unpriced: str) -> dict[str, Any]:
    """Return the sums, to be named so: what an hour of the idle parts costs, and of how many
    purchases that is not known. Where nothing is idle, that costs nothing, whatever the price is.
    """
    cost = Case(When(idle="0", then=Value(Decimal(0))), default=F("idle_hourly_cost"))
    is_unknown = Q(idle_hourly_cost=None) & ~Q(idle="0")
    return {name: Sum(cost), unpriced: Count("pk", filter=is_unknown)}


class ReservedInstance(Mirror):
    """A purchase of N Reserved Instances of one type."""

    instance_type = models.CharField(max_length=64, blank=True)
    instance_count = models.PositiveIntegerField(default=0)
    product_description = models.CharField(max_length=255, blank=True)
    tenancy = models.CharField(max_length=16, blank=True)
    scope = models.CharField(max_length=32, blank=True)
    availability_zone = models.CharField(max_length=64, blank=True)
    availability_zone_id = models.CharField(max_length=64, blank=True)
    offering_class = models.CharField(max_length=32, blank=True)
    offering_type = models.CharField(max_length=64, blank=True)
    start_at = models.DateTimeField(null=True, blank=True)
    end_at = models.DateTimeField(null=True, blank=True)
    duration = models.PositiveBigIntegerField(null=True, blank=True, help_text="Seconds")
    fixed_price = models.DecimalField(max_digits=20, decimal_places=8, null=True, blank=True)
    usage_price = models.DecimalField(max_digits=20, decimal_places=8, null=True, blank=True)
    recurring_hourly = models.DecimalField(max_digits=20, decimal_places=8, null=True, blank=True)
    currency = models.CharField(max_length=8, blank=True)
    state = models.CharField(max_length=32, blank=True)
    tags = models.JSONField(default=dict, blank=True)
    # Read only of purchases that a modification may have made. None: not read.
    modified_from = models.JSONField(
        null=True, blank=True, help_text="Ids of the purchases that were modified into it."
    )

    # What the last audit made of it. Units are exact fractions, kept as text ("3/2").
    used = models.CharField(max_length=64, blank=True)
    idle = models.CharField(max_length=64, blank=True)
    applies = models.BooleanField(default=False)
    reasons = models.JSONField(default=list, blank=True)
    hourly_cost = models.DecimalField(max_digits=20, decimal_places=8, null=True, blank=True)
    idle_hourly_cost = models.DecimalField(max_digits=20, decimal_places=8, null=True, blank=True)
    judged_at = models.DateTimeField(null=True, blank=True)

    objects = ReservedInstanceQuerySet.as_manager()

    class Meta(Mirror.Meta):
        pass

    def __str__(self) -> str:
        return f"{self.instance_count} × {self.instance_type}"

    def get_absolute_url(self) -> str:
        return reverse("reserved-instances:detail", args=[self.aws_id])

    @property
    def used_units(self) -> Fraction | None:
        return Fraction(self.used) if self.used else None

    @property
    def idle_units(self) -> Fraction | None:
        return Fraction(self.idle) if self.idle else None


class Cover(models.Model):
    """The share of an instance that a purchase pays for, as of the last audit."""

    reserved_instance = models.ForeignKey(ReservedInstance, models.CASCADE, related_name="covers")
    instance = models.ForeignKey(Instance, models.CASCADE, related_name="covers")
    share = models.CharField(max_length=64, help_text="An exact fraction of the instance.")

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["reserved_instance", "instance"], name="registry_cover_once"
            )
        ]

    def __str__(self) -> str:
        return f"{self.share} of {self.instance_id}"

    @property
    def fraction(self) -> Fraction:
        return Fraction(self.share)
