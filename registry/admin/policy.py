"""What all of our administration pages have in common: the policy module decides."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest

from registry.access import Action, may_everywhere


def manages(request: HttpRequest) -> bool:
    """Say whether the person manages the portal; asked once for each request."""
    known = vars(request)
    if "may_manage" not in known:
        known["may_manage"] = may_everywhere(request.user, Action.MANAGE)
    return bool(known["may_manage"])


class PolicyAdmin(admin.ModelAdmin):
    """Rows that administrators may see and change."""

    list_per_page = 50
    show_facets = admin.ShowFacets.NEVER  # a count for each choice is a query for each

    def has_module_permission(self, request: HttpRequest) -> bool:
        return manages(request)

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self.has_module_permission(request)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return self.has_module_permission(request)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self.has_module_permission(request)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self.has_module_permission(request)


class ReadOnlyAdmin(PolicyAdmin):
    """Rows that the portal or AWS writes: to be seen, not changed."""

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False
