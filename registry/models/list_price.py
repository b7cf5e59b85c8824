"""What AWS's price list asks for an hour of an On-Demand instance."""

from django.db import models


class ListPrice(models.Model):
    """The price of one instance type with one billing code, as AWS listed it when it was read.

    It is null where AWS lists none, or more than one: `problem` says so. `tenancy` is that of an
    instance: default or dedicated.
    """

    region = models.CharField(max_length=32)
    instance_type = models.CharField(max_length=64)
    usage_operation = models.CharField(max_length=64)
    tenancy = models.CharField(max_length=16)
    hourly = models.DecimalField(max_digits=20, decimal_places=10, null=True, blank=True)
    currency = models.CharField(max_length=3, blank=True)
    sku = models.CharField(max_length=64, blank=True)
    effective_at = models.DateTimeField(null=True, blank=True)
    read_at = models.DateTimeField()
    problem = models.CharField(max_length=300, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["region", "instance_type", "usage_operation", "tenancy"],
                name="registry_listprice_once",
            ),
            models.CheckConstraint(
                condition=models.Q(hourly__isnull=False, problem="")
                | models.Q(hourly=None) & ~models.Q(problem=""),
                name="registry_listprice_is_known_or_says_why",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.instance_type} {self.usage_operation} in {self.region}"
