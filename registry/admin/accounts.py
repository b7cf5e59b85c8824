"""Accounts and their scopes."""

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest

from registry.access import Action, may_everywhere
from registry.admin.policy import PolicyAdmin, manages
from registry.http import SignedInRequest
from registry.jobs.audits import audit_accounts
from registry.jobs.syncs import request_sync
from registry.models import Account, Scope

# What a sync writes at its scope.
_SYNCED = ["synced_at", "failing_since", "failed_at", "error"]

# What decides on who shares purchases.
_SHARING = {"payer", "reserved_instance_sharing", "sharing_group", "is_group_restricted"}


class ScopeInline(admin.TabularInline):
    model = Scope
    extra = 0
    fields = ["region", "is_enabled", *_SYNCED]
    readonly_fields = _SYNCED
    can_delete = False

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return manages(request)

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return manages(request)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return manages(request)


class SyncingAdmin(PolicyAdmin):
    """Rows that can be read from AWS at once."""

    def has_sync_permission(self, request: HttpRequest) -> bool:
        return may_everywhere(request.user, Action.SYNC)

    def ask(self, request: SignedInRequest, scopes: QuerySet[Scope]) -> None:
        """Ask for a sync of the scopes, and say how many it is."""
        read = scopes.filter(is_enabled=True, account__is_synced=True)
        runs = [request_sync(scope, by=request.user) for scope in read]
        left_out = scopes.count() - len(runs)
        text = f"{len(runs)} region{'s are' if len(runs) != 1 else ' is'} read now."
        if left_out:
            text += f" {left_out} left out: disabled, or only known from a recording."
        self.message_user(request, text)


@admin.register(Account)
class AccountAdmin(SyncingAdmin):
    list_display = [
        *("name", "number", "payer", "is_synced"),
        *("reserved_instance_sharing", "sharing_group", "is_group_restricted"),
        *("reads_prices", "bill"),
    ]
    search_fields = ["name", "number"]
    ordering = ["name", "pk"]
    inlines = [ScopeInline]
    actions = ["sync_now"]

    def save_model(self, request: Any, obj: Account, form: Any, change: Any) -> None:
        super().save_model(request, obj, form, change)
        run = audit_accounts(by=request.user) if _SHARING.intersection(form.changed_data) else None
        if run:
            self.message_user(request, f"{run.ref} judges Reserved Instances again.")

    @admin.action(description="Sync now", permissions=["sync"])
    def sync_now(self, request: SignedInRequest, queryset: QuerySet[Account]) -> None:
        self.ask(request, Scope.objects.filter(account__in=queryset))

    def get_readonly_fields(self, request: HttpRequest, obj: Account | None = None) -> list[str]:
        return ["number"] if obj else []  # rows of the mirror hang on it

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False  # what was mirrored of it stays; disable its regions instead


@admin.register(Scope)
class ScopeAdmin(SyncingAdmin):
    list_display = ["account", "region", "is_enabled", "synced_at", "failing_since", "error"]
    list_filter = ["is_enabled", "account"]
    list_select_related = ["account"]
    ordering = ["account__name", "region"]
    actions = ["sync_now"]

    def get_readonly_fields(self, request: HttpRequest, obj: Scope | None = None) -> list[str]:
        return ["account", "region", *_SYNCED] if obj else _SYNCED  # the mirror's rows hang on it

    @admin.action(description="Sync now", permissions=["sync"])
    def sync_now(self, request: SignedInRequest, queryset: QuerySet[Scope]) -> None:
        self.ask(request, queryset)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False
