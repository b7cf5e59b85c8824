"""Findings: opened and resolved by the audit, never by hand; and what people made of them."""

from django.contrib import admin

from registry.admin.policy import ReadOnlyAdmin
from registry.models import Finding, Triage, Waiver


@admin.register(Finding)
class FindingAdmin(ReadOnlyAdmin):
    list_display = ["ref", "rule", "severity", "state", "title", "thing", "assignee", "opened_at"]
    list_filter = ["state", "severity", "rule"]
    list_select_related = ["image", "instance", "reserved_instance", "assignee"]
    search_fields = ["image__aws_id__startswith", "image__name", "title"]
    ordering = ["-pk"]


@admin.register(Waiver)
class WaiverAdmin(ReadOnlyAdmin):
    list_display = ["finding", "owner", "by", "at", "until", "reason", "ended_at", "ended_because"]
    list_filter = [("ended_at", admin.EmptyFieldListFilter)]
    list_select_related = ["finding", "owner", "by"]
    search_fields = ["owner__username", "reason"]
    ordering = ["-pk"]


@admin.register(Triage)
class TriageAdmin(ReadOnlyAdmin):
    list_display = ["run", "action", "person", "until", "text", "query"]
    list_filter = ["action"]
    list_select_related = ["run", "person"]
    search_fields = ["text"]
    ordering = ["-pk"]
