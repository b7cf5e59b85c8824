"""Findings: opened and resolved by the audit, never by hand."""

from django.contrib import admin

from registry.admin.policy import ReadOnlyAdmin
from registry.models import Finding


@admin.register(Finding)
class FindingAdmin(ReadOnlyAdmin):
    list_display = ["ref", "rule", "severity", "state", "title", "thing", "opened_at"]
    list_filter = ["state", "severity", "rule"]
    list_select_related = ["image", "reserved_instance"]
    search_fields = ["image__aws_id__startswith", "image__name", "title"]
    ordering = ["-pk"]
