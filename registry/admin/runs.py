"""Background work, and the registrations that it carries out."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest

from registry.admin.policy import ReadOnlyAdmin
from registry.models import Event, Registration, Run


class EventInline(admin.TabularInline):
    model = Event
    extra = 0
    fields = ["at", "subject", "text", "request_id"]
    ordering = ["pk"]

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return True  # as its run

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


@admin.register(Run)
class RunAdmin(ReadOnlyAdmin):
    list_display = ["ref", "kind", "state", "scope", "requested_by", "requested_at", "note"]
    list_filter = ["kind", "state"]
    list_select_related = ["scope__account", "requested_by"]
    ordering = ["-pk"]
    inlines = [EventInline]


@admin.register(Registration)
class RegistrationAdmin(ReadOnlyAdmin):
    list_display = ["name", "account", "region", "step", "image_id", "verdict"]
    list_filter = ["step", "verdict"]
    list_select_related = ["account"]
    search_fields = ["name", "image_id__startswith", "snapshot_id__startswith"]
    ordering = ["-pk"]
