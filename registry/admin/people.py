"""People, and the roles they have on accounts."""

from typing import Any

from django.contrib import admin
from django.contrib.auth.admin import UserAdmin
from django.contrib.auth.models import Group, User
from django.http import HttpRequest

from registry.admin.policy import PolicyAdmin, manages
from registry.models import Grant


class GrantInline(admin.TabularInline):
    model = Grant
    extra = 0

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return manages(request)

    has_add_permission = has_change_permission = has_delete_permission = has_view_permission


# Roles are granted on accounts; Django's own permissions and groups say nothing here.
admin.site.unregister(Group)
admin.site.unregister(User)


@admin.register(User)
class PersonAdmin(PolicyAdmin, UserAdmin):
    list_display = ["username", "first_name", "last_name", "email", "is_active", "last_login"]
    list_filter = ["is_active", "grants__role"]
    fieldsets = [
        (None, {"fields": ["username", "password"]}),
        ("Person", {"fields": ["first_name", "last_name", "email", "is_active"]}),
        ("Dates", {"fields": ["last_login", "date_joined"]}),
    ]
    readonly_fields = ["last_login", "date_joined"]
    filter_horizontal = []
    inlines = [GrantInline]

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        # Whoever sets the password of a superuser becomes one.
        is_above = obj is not None and obj.is_superuser and not request.user.is_superuser
        return super().has_change_permission(request, obj) and not is_above

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False  # jobs name who asked for them; deactivate the person instead


@admin.register(Grant)
class GrantAdmin(PolicyAdmin):
    list_display = ["user", "role", "account"]
    list_filter = ["role", "account"]
    list_select_related = ["user", "account"]
    search_fields = ["user__username"]
    ordering = ["user__username", "pk"]
