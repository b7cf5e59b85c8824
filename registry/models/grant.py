"""Who has which role on which account."""

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import Q

from registry.models.account import Account


class Role(models.TextChoices):
    VIEWER = "viewer", "Viewer"
    DEVELOPER = "developer", "Developer"
    FINOPS = "finops", "FinOps"
    ENGINEER = "engineer", "Engineer"
    ADMIN = "admin", "Admin"


class Grant(models.Model):
    """A role of a user on one account, or on every account where none is named."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="grants")
    account = models.ForeignKey(
        Account, models.CASCADE, related_name="grants", null=True, blank=True
    )
    role = models.CharField(max_length=16, choices=Role.choices)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["user", "account", "role"],
                nulls_distinct=False,
                name="registry_grant_once",
            ),
            models.CheckConstraint(
                condition=Q(role__in=Role.values), name="registry_grant_role_is_one_of_ours"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.user} {self.role} {self.account or 'everywhere'}"

    def clean(self) -> None:
        # The constraint is not asked by a form: it passes over an account that is not named.
        same = Grant.objects.filter(user=self.user, account=self.account, role=self.role)
        if same.exclude(pk=self.pk).exists():
            raise ValidationError("This person has this role here already.")
