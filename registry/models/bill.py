"""What the bill itself says: a month of a Cost and Usage Report, summed up."""

from django.db import models
from django.urls import reverse


class Bill(models.Model):
    """A month of what one payer is billed for, as its report stood when it was read.

    A report is written anew until its month is closed: `version` names what was read, `through`
    how far usage is billed in it.
    """

    payer = models.CharField(max_length=12)
    month = models.DateField(help_text="Its first day.")
    source = models.CharField(max_length=600)
    version = models.CharField(max_length=64)
    read_at = models.DateTimeField()
    through = models.DateTimeField(null=True, blank=True)
    names_instances = models.BooleanField(
        default=False, help_text="The report says which instance each line is about."
    )
    lines = models.PositiveBigIntegerField(default=0, help_text="Lines about EC2 instances.")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["payer", "month"], name="registry_bill_once_a_month")
        ]

    def __str__(self) -> str:
        return f"{self.payer} {self.month:%Y-%m}"

    def get_absolute_url(self) -> str:
        return reverse("bills:detail", args=[self.payer, f"{self.month:%Y-%m}"])

    def get_images_url(self) -> str:
        return reverse("bills:images", args=[self.payer, f"{self.month:%Y-%m}"])

    def get_purchases_url(self) -> str:
        return reverse("bills:purchases", args=[self.payer, f"{self.month:%Y-%m}"])


class BilledPurchase(models.Model):
    """The hours of one purchase in a month; null: the report doesn't say.

    Hours are those of instances of the purchase's own type, of all that it counts together.
    """

    bill = models.ForeignKey(Bill, models.CASCADE, related_name="purchases")
    aws_id = models.CharField(max_length=64)
    account = models.CharField(max_length=12, blank=True, help_text="Whose it is.")
    region = models.CharField(max_length=32, blank=True)
    used_hours = models.DecimalField(max_digits=24, decimal_places=10, null=True, blank=True)
    unused_hours = models.DecimalField(max_digits=24, decimal_places=10, null=True, blank=True)
    unused_cost = models.DecimalField(max_digits=20, decimal_places=10, null=True, blank=True)
    currency = models.CharField(max_length=3, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["bill", "aws_id"], name="registry_billedpurchase_once")
        ]

    def __str__(self) -> str:
        return self.aws_id


class UsageKind(models.TextChoices):
    ON_DEMAND = "on_demand", "On-Demand"
    RESERVED = "reserved", "Reserved Instance"
    SAVINGS_PLAN = "savings_plan", "Savings Plan"
    SPOT = "spot", "Spot"


class BilledUsage(models.Model):
    """The hours that instances ran in a month, by what was billed for them.

    Where the report names no instances, those of one account, region, type and operation are one
    row with an empty `resource_id`. `purchase` is the id of the purchase that paid.
    """

    bill = models.ForeignKey(Bill, models.CASCADE, related_name="usages")
    account = models.CharField(max_length=12)
    region = models.CharField(max_length=32, blank=True)
    resource_id = models.CharField(max_length=64, blank=True)
    instance_type = models.CharField(max_length=64, blank=True)
    operation = models.CharField(max_length=64)
    kind = models.CharField(max_length=16, choices=UsageKind.choices)
    purchase = models.CharField(max_length=64, blank=True)
    hours = models.DecimalField(max_digits=24, decimal_places=10)
    cost = models.DecimalField(max_digits=20, decimal_places=10, null=True, blank=True)
    first_at = models.DateTimeField(null=True, blank=True)
    last_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        indexes = [models.Index(fields=["resource_id"], name="registry_billedusage_resource")]

    def __str__(self) -> str:
        return f"{self.resource_id or self.account} {self.operation}"


class DisagreementKind(models.TextChoices):
    OPERATION = "operation", "Another code on the bill"
    USE = "use", "Used otherwise than we say"
    NOT_BILLED = "not_billed", "Not on the bill"
    NOT_KNOWN = "not_known", "Not in the inventory"


class Disagreement(models.Model):
    """Where the bill and what we recorded of its month contradict each other.

    `subject` is the id of an instance or a purchase of `account`; `billed` and `recorded` are what
    each side says.
    """

    bill = models.ForeignKey(Bill, models.CASCADE, related_name="disagreements")
    kind = models.CharField(max_length=16, choices=DisagreementKind.choices)
    account = models.CharField(max_length=12)
    region = models.CharField(max_length=32, blank=True)
    subject = models.CharField(max_length=64)
    billed = models.CharField(max_length=300, blank=True)
    recorded = models.CharField(max_length=300, blank=True)
    hours = models.DecimalField(max_digits=24, decimal_places=10, null=True, blank=True)

    def __str__(self) -> str:
        return f"{self.subject}: {self.get_kind_display()}"
