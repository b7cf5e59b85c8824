"""Policies: who must agree before AWS is changed."""

from django.contrib import admin

from registry.admin.policy import PolicyAdmin
from registry.models import Policy


@admin.register(Policy)
class ApprovalPolicyAdmin(PolicyAdmin):
    list_display = [
        "name",
        "account",
        "usage_operation",
        "role",
        "operation",
        "is_risky",
        "approvals",
    ]
    list_filter = ["approvals", "operation", "role"]
    list_select_related = ["account"]
    search_fields = ["name"]
    ordering = ["name"]
