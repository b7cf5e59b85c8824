"""Who must agree before AWS is changed, and who did."""

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import Q

from registry.billing.codes import canonical
from registry.models.account import Account
from registry.models.grant import Role
from registry.models.run import Run

MOST_APPROVALS = 2
OPERATOR = "operator"  # whoever has the command line


class Operation(models.TextChoices):
    MAKE = "make", "Make an image"
    REMOVE = "remove", "Discard an image"


class Policy(models.Model):
    """How many others must agree to a request. What is left empty holds for all of its kind."""

    name = models.CharField(max_length=100, unique=True)
    account = models.ForeignKey(
        Account, models.CASCADE, related_name="policies", null=True, blank=True
    )
    usage_operation = models.CharField(
        "expected code", max_length=64, blank=True, help_text="For example RunInstances:0010."
    )
    role = models.CharField(
        max_length=16, choices=[*Role.choices, (OPERATOR, "The command line")], blank=True
    )
    operation = models.CharField(max_length=16, choices=Operation.choices, blank=True)
    is_risky = models.BooleanField(
        "only if risky",
        default=False,
        help_text="Only where the code will probably be lost, or nobody knows.",
    )
    approvals = models.PositiveSmallIntegerField(
        choices=[(0, "None"), (1, "One other person"), (2, "Two other persons")], default=1
    )

    class Meta:
        verbose_name_plural = "policies"
        constraints = [
            models.UniqueConstraint(
                fields=["account", "usage_operation", "role", "operation", "is_risky"],
                nulls_distinct=False,
                name="registry_policy_one_for_each_case",
            ),
            models.CheckConstraint(
                condition=Q(approvals__lte=MOST_APPROVALS), name="registry_policy_two_at_most"
            ),
        ]

    def __str__(self) -> str:
        return self.name

    def clean(self) -> None:
        code = self.usage_operation
        if code and canonical(code) != code:  # it would never fit
            raise ValidationError({"usage_operation": "Write a code such as RunInstances:0010."})
        # The constraint is not asked by a form: it passes over an account that is not named.
        same = Policy.objects.filter(
            account=self.account,
            usage_operation=self.usage_operation,
            role=self.role,
            operation=self.operation,
            is_risky=self.is_risky,
        ).exclude(pk=self.pk)
        if same.exists():
            raise ValidationError(f"The policy {same[0].name} is for the same case. Change that.")


class Decision(models.Model):
    """What one person said to a request, and why. Nobody decides twice."""

    run = models.ForeignKey(Run, models.CASCADE, related_name="decisions")
    by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="decisions")
    at = models.DateTimeField()
    is_approval = models.BooleanField()
    reason = models.TextField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["run", "by"], name="registry_decision_once_each"),
            models.CheckConstraint(
                condition=~Q(reason=""), name="registry_decision_has_its_reason"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.by} {'approved' if self.is_approval else 'declined'}"
