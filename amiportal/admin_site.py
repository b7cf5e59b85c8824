"""The site for administrators; the policy module says who that is."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect

from registry.access import Action, may_everywhere


class PortalAdminSite(admin.AdminSite):
    site_title = "AMI Portal"
    site_header = "AMI Portal administration"
    index_title = "Administration"

    def has_permission(self, request: HttpRequest) -> bool:
        return may_everywhere(request.user, Action.MANAGE)

    def password_change(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        """Lead to the page of the portal, where nobody can guess as often as they like."""
        return redirect("password")
