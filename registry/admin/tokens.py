"""Tokens of the API: who has one, when it was used; to be revoked, never to be read."""

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone

from registry.admin.policy import ReadOnlyAdmin, manages
from registry.http import SignedInRequest
from registry.models import ApiToken


@admin.register(ApiToken)
class ApiTokenAdmin(ReadOnlyAdmin):
    list_display = ["name", "user", "created_at", "expires_at", "last_used_at", "revoked_at"]
    list_filter = [("revoked_at", admin.EmptyFieldListFilter)]
    list_select_related = ["user"]
    search_fields = ["name", "user__username"]
    ordering = ["-pk"]
    actions = ["revoke"]

    @admin.action(description="Revoke for good", permissions=["revoke"])
    def revoke(self, request: SignedInRequest, queryset: QuerySet[ApiToken]) -> None:
        """Take the tokens away. Whoever needs one again gets another."""
        tokens = list(queryset.filter(revoked_at=None).order_by("pk"))
        keys = [token.pk for token in tokens]
        ApiToken.objects.filter(pk__in=keys).update(revoked_at=timezone.now())
        for token in tokens:
            self.log_change(request, token, "Revoked.")
        plural = "" if len(tokens) == 1 else "s"
        self.message_user(request, f"{len(tokens)} token{plural} revoked.")

    def has_revoke_permission(self, request: HttpRequest) -> bool:
        return manages(request)
