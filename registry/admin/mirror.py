"""Mirrored rows: AWS is their author."""

from django.contrib import admin
from django.db.models import Model, QuerySet
from django.http import HttpRequest
from django.utils.html import format_html

from registry.access import Action, may_everywhere
from registry.admin.policy import ReadOnlyAdmin
from registry.http import SignedInRequest
from registry.jobs.audits import request_audit


class PresentFilter(admin.SimpleListFilter):
    title = "presence"
    parameter_name = "present"

    def lookups(self, request: HttpRequest, model_admin: object) -> list[tuple[str, str]]:
        return [("yes", "In AWS"), ("no", "Gone")]

    def queryset(self, request: HttpRequest, queryset: QuerySet) -> QuerySet:
        if self.value() is None:
            return queryset
        return queryset.filter(gone_at__isnull=self.value() == "yes")


class MirrorAdmin(ReadOnlyAdmin):
    """A kind of AWS object: no adding, no deleting, nothing to change."""

    list_filter = [PresentFilter, "region", "account"]
    list_select_related = ["account"]
    search_fields = ["aws_id__startswith"]
    ordering = ["-pk"]

    @admin.action(description="Audit now", permissions=["audit"])
    def audit_now(self, request: SignedInRequest, queryset: QuerySet[Model]) -> None:
        """Ask for an audit of everything: one image or purchase is judged by all others."""
        run = request_audit(by=request.user, is_full=True)
        link = format_html('<a href="{}">{}</a>', run.get_absolute_url(), run.ref)
        self.message_user(
            request, format_html("{} judges every image and Reserved Instance.", link)
        )

    def has_audit_permission(self, request: HttpRequest) -> bool:
        return may_everywhere(request.user, Action.AUDIT)
