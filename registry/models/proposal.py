"""What one change would do about idle purchases, as the last audit has reckoned it."""

from django.db import models


class Proposal(models.Model):
    """A change that would let Reserved Instances be used that are idle.

    `name` is the id of an image, of the cause of several or of a purchase, or the number of an
    account. `gained` and `lost` are units by purchase, exact fractions kept as text. What it adds
    to those before it is in `adds_units` and `adds_hourly`, so that amounts can be summed up; of a
    cause that is told at its images, and `is_summed` is false. A cost that is not known is null.

    One row of the kind `together` is there as soon as an audit has looked, also where it found
    nothing. Sums are not kept: each person may read others.
    """

    TOGETHER = "together"

    audited_at = models.DateTimeField()
    position = models.PositiveIntegerField(help_text="The most useful is the first.")
    kind = models.CharField(max_length=16)
    name = models.CharField(max_length=255)
    zone = models.CharField(max_length=64, blank=True)
    images = models.JSONField(default=list, blank=True)
    instances = models.PositiveIntegerField(default=0)
    gained = models.JSONField(default=dict, blank=True)
    lost = models.JSONField(default=dict, blank=True)
    hourly = models.DecimalField(max_digits=20, decimal_places=8, null=True, blank=True)
    is_certain = models.BooleanField(default=True)
    is_summed = models.BooleanField(default=False)
    adds_units = models.CharField(max_length=64, blank=True)
    adds_hourly = models.DecimalField(max_digits=20, decimal_places=8, null=True, blank=True)

    class Meta:
        ordering = ["position"]

    def __str__(self) -> str:
        return f"{self.kind} {self.name}"
