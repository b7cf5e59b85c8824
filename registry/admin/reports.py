"""What is done again and again, and the reports that came of it."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest

from registry.admin.policy import PolicyAdmin, ReadOnlyAdmin
from registry.models import Report, Schedule


@admin.register(Schedule)
class ScheduleAdmin(PolicyAdmin):
    list_display = ["__str__", "kind", "every_minutes", "daily_at", "is_enabled"]
    ordering = ["pk"]

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False  # it would come back with the next start: disable it


@admin.register(Report)
class ReportAdmin(ReadOnlyAdmin):
    list_display = ["ref", "created_at", "run"]
    list_select_related = ["run"]
    exclude = ["result"]  # its own page shows it
    ordering = ["-pk"]
