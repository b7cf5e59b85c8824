"""The site for administrators; the policy module says who that is."""

from django.contrib import admin
from django.http import HttpRequest

from registry.access import Action, may_everywhere


class PortalAdminSite(admin.AdminSite):
    site_title = "AMI Portal"
    site_header = "AMI Portal administration"
    index_title = "Administration"

    def has_permission(self, request: HttpRequest) -> bool:
        return may_everywhere(request.user, Action.MANAGE)
