"""What every mirrored row has in common."""

from typing import Self, TypeVar

from django.db import models

from registry.models.account import Account, Scope

_M = TypeVar("_M", bound="Mirror")


class MirrorQuerySet(models.QuerySet[_M]):
    def present(self) -> Self:
        """What AWS showed the last time it was asked."""
        return self.filter(gone_at=None)

    def gone(self) -> Self:
        return self.exclude(gone_at=None)

    def within(self, scope: Scope) -> Self:
        return self.filter(account_id=scope.account_id, region=scope.region)


class Mirror(models.Model):
    """A row that stands for a thing in AWS; it stays when the thing is gone."""

    account = models.ForeignKey(Account, models.PROTECT, related_name="+")
    region = models.CharField(max_length=32)
    aws_id = models.CharField("AWS ID", max_length=64)
    digest = models.CharField(max_length=32, editable=False, help_text="Of the mirrored fields.")
    first_seen_at = models.DateTimeField()
    last_seen_at = models.DateTimeField()
    gone_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        abstract = True
        constraints = [
            models.UniqueConstraint(
                fields=["account", "region", "aws_id"],
                name="registry_%(class)s_once_per_scope",
            ),
            models.CheckConstraint(
                condition=models.Q(last_seen_at__gte=models.F("first_seen_at")),
                name="registry_%(class)s_seen_in_order",
            ),
        ]
        indexes = [
            models.Index(fields=["aws_id"], name="registry_%(class)s_id"),
        ]

    def __str__(self) -> str:
        return self.aws_id

    @property
    def is_gone(self) -> bool:
        return self.gone_at is not None
