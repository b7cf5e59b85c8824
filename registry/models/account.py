"""AWS accounts and the scopes in which we ask AWS."""

from typing import Self

from django.core.validators import RegexValidator
from django.db import models
from django.db.models import Q

ACCOUNT_NUMBER = r"^\d{12}$"
ROLE_ARN = r"^arn:aws[a-z-]*:iam::\d{12}:role/[\w+=,.@/-]+$"
EXTERNAL_ID = r"^[\w+=,.@:/-]{2,}$"
BILL_SOURCE = (
    r"^(s3://[a-z0-9][a-z0-9.-]{1,61}[a-z0-9](/[^\x00-\x1f]*)?|(?!\.)[\w.-]+(/(?!\.)[\w.-]+)*)$"
)
REGION = r"^[a-z]{2,4}(-[a-z]+)+-\d$"


class AccountQuerySet(models.QuerySet["Account"]):
    def numbered(self, number: str) -> Self:
        return self.filter(number=number)


class Account(models.Model):
    """An AWS account, asked through a role or only filled from imported answers."""

    number = models.CharField(
        max_length=12,
        unique=True,
        validators=[RegexValidator(ACCOUNT_NUMBER, "An account number has twelve digits.")],
    )
    name = models.CharField(max_length=100)
    payer = models.CharField(
        max_length=12,
        blank=True,
        help_text="The account that pays the bill. Empty: the account itself.",
        validators=[RegexValidator(ACCOUNT_NUMBER, "An account number has twelve digits.")],
    )
    role_arn = models.CharField(
        "role ARN",
        max_length=600,
        blank=True,
        validators=[
            RegexValidator(ROLE_ARN, "Write arn:aws:iam::123456789012:role/name."),
        ],
    )
    external_id = models.CharField(
        "external ID",
        max_length=1224,
        blank=True,
        validators=[
            RegexValidator(EXTERNAL_ID, "Use 2 to 1,224 letters, digits and + = , . @ : / -."),
        ],
    )
    reserved_instance_sharing = models.BooleanField(default=True)
    sharing_group = models.CharField(
        max_length=64,
        blank=True,
        help_text="Accounts of one payer and group come before the payer's others.",
    )
    is_group_restricted = models.BooleanField("shares only within its group", default=False)
    is_synced = models.BooleanField(
        default=True, help_text="Off: the account is only filled from imported answers."
    )

    reads_prices = models.BooleanField(
        "asks for list prices", default=False, help_text="Its role asks AWS for list prices."
    )
    bill = models.CharField(
        max_length=600,
        blank=True,
        help_text=(
            "Where its Cost and Usage Report lies: s3://bucket/prefix, or a folder below that of "
            "all bills."
        ),
        validators=[
            RegexValidator(BILL_SOURCE, "Write s3://bucket/prefix, or a folder such as northwind.")
        ],
    )

    objects = AccountQuerySet.as_manager()

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(number__regex=ACCOUNT_NUMBER),
                name="registry_account_number_twelve_digits",
            ),
            models.CheckConstraint(
                condition=Q(payer="") | Q(payer__regex=ACCOUNT_NUMBER),
                name="registry_account_payer_twelve_digits",
            ),
            models.CheckConstraint(
                condition=Q(role_arn="") | Q(role_arn__regex=ROLE_ARN),
                name="registry_account_role_is_an_arn",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.name} ({self.number})"

    @property
    def payer_number(self) -> str:
        """The account that pays: the account itself where no other is named."""
        return self.payer or self.number


class ScopeQuerySet(models.QuerySet["Scope"]):
    def enabled(self) -> Self:
        return self.filter(is_enabled=True)

    def synced(self) -> Self:
        """The scopes in which AWS is asked."""
        return self.enabled().filter(account__is_synced=True)

    def failing(self) -> Self:
        return self.enabled().filter(failing_since__isnull=False)


class Scope(models.Model):
    """One region of one account, with the time and the error of its last sync."""

    account = models.ForeignKey(Account, models.CASCADE, related_name="scopes")
    region = models.CharField(max_length=32, validators=[RegexValidator(REGION)])
    is_enabled = models.BooleanField(default=True)
    synced_at = models.DateTimeField(
        null=True, blank=True, help_text="Last complete sync or import."
    )
    failing_since = models.DateTimeField(null=True, blank=True)
    failed_at = models.DateTimeField(null=True, blank=True)
    error = models.TextField(blank=True)

    objects = ScopeQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["account", "region"], name="registry_scope_once_per_account"
            ),
            models.CheckConstraint(
                condition=Q(region__regex=REGION), name="registry_scope_region_is_a_region"
            ),
            models.CheckConstraint(
                condition=Q(failing_since=None, error="")
                | Q(failing_since__isnull=False, failed_at__isnull=False) & ~Q(error=""),
                name="registry_scope_failing_says_why",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.account.name} {self.region}"
