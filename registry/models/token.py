"""Tokens: how a program shows that it acts for a person."""

import hashlib
import secrets
from datetime import datetime, timedelta
from typing import Self

from django.conf import settings
from django.contrib.auth.models import User
from django.db import models
from django.db.models import Q

PREFIX = "amiportal_"  # by which a scanner knows one that was left lying about
USE_IS_NOTED_EVERY = timedelta(minutes=1)


class ApiTokenQuerySet(models.QuerySet["ApiToken"]):
    def issue(
        self, user: User, name: str, *, at: datetime, expires_at: datetime | None = None
    ) -> tuple["ApiToken", str]:
        """Make a token of `user` and return it with its secret, which nobody can read again."""
        secret = PREFIX + secrets.token_urlsafe(32)
        fields = {"name": name, "created_at": at, "expires_at": expires_at}
        return self.create(user=user, digest=_digest(secret), **fields), secret

    def valid(self, at: datetime) -> Self:
        """Tokens that open the door: not revoked, not expired, of a person who is active."""
        lasts = Q(expires_at=None) | Q(expires_at__gt=at)
        return self.filter(lasts, revoked_at=None, user__is_active=True)

    def of_secret(self, secret: str, *, at: datetime) -> "ApiToken | None":
        """Return the valid token with this secret; None where there is none."""
        return self.valid(at).filter(digest=_digest(secret)).select_related("user").first()


class ApiToken(models.Model):
    """Lets a program act as its user. Of the secret, only a digest is kept."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="api_tokens")
    name = models.CharField(max_length=100, help_text="Which program uses it.")
    # The secret has 256 random bits: nobody finds it by trying, so no slow hash is needed.
    digest = models.CharField(max_length=64, unique=True, editable=False)
    created_at = models.DateTimeField()
    expires_at = models.DateTimeField(null=True, blank=True, help_text="Empty: never.")
    last_used_at = models.DateTimeField(null=True, blank=True)
    revoked_at = models.DateTimeField(null=True, blank=True)

    objects = ApiTokenQuerySet.as_manager()

    class Meta:
        verbose_name = "API token"
        constraints = [
            models.CheckConstraint(condition=~Q(name=""), name="registry_apitoken_has_a_name"),
        ]

    def __str__(self) -> str:
        return f"{self.name} ({self.user})"

    def note_use(self, *, at: datetime) -> None:
        """Write down that it was used, at most once a minute."""
        before = at - USE_IS_NOTED_EVERY
        if self.last_used_at is None or self.last_used_at <= before:
            due = Q(last_used_at=None) | Q(last_used_at__lte=before)
            ApiToken.objects.filter(due, pk=self.pk).update(last_used_at=at)


def _digest(secret: str) -> str:
    return hashlib.sha256(secret.encode(errors="surrogatepass")).hexdigest()
