"""Images."""

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.html import format_html, format_html_join

from registry.access import Action, may_everywhere
from registry.admin.mirror import MirrorAdmin
from registry.http import SignedInRequest
from registry.jobs.audits import request_verification
from registry.models import Image, Run


@admin.register(Image)
class ImageAdmin(MirrorAdmin):
    list_display = ["aws_id", "name", "account", "region", "usage_operation", "verdict"]
    list_filter = ["verdict", *MirrorAdmin.list_filter]
    search_fields = ["aws_id__startswith", "name"]
    actions = ["verify_again", "audit_now"]

    @admin.action(description="Verify again", permissions=["verify"])
    def verify_again(self, request: SignedInRequest, queryset: QuerySet[Image]) -> None:
        images = list(queryset.filter(gone_at=None).select_related("account"))
        runs = request_verification(images, by=request.user)
        links = format_html_join(", ", '<a href="{}">{}</a>', _links(runs))
        text = format_html("{} images are read again. {}", len(images), links)
        self.message_user(request, text)

    def has_verify_permission(self, request: HttpRequest) -> bool:
        return may_everywhere(request.user, Action.VERIFY)


def _links(runs: list[Run]) -> list[tuple[str, str]]:
    return [(run.get_absolute_url(), run.ref) for run in runs]
