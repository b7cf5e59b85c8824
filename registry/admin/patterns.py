"""Patterns: changed on their own page, where they are tried first."""

from django.contrib import admin

from registry.admin.policy import ReadOnlyAdmin
from registry.models import Pattern


@admin.register(Pattern)
class PatternAdmin(ReadOnlyAdmin):
    list_display = ["text", "kind", "key", "account", "usage_operation", "strength", "is_active"]
    list_filter = ["is_active", "kind", "strength"]
    list_select_related = ["account"]
    search_fields = ["text", "key"]
    ordering = ["-is_active", "kind", "key", "text"]
