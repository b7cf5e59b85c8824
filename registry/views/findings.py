"""Findings: the list and one of them."""

from typing import Any

from django.db.models import F, QuerySet, Sum
from django.db.models.functions import Coalesce
from django.http import Http404, HttpResponse
from django.shortcuts import render

from registry.access import Action, may, visible
from registry.forms.filters import FindingFilter
from registry.http import SignedInRequest
from registry.models import Image, Instance
from registry.views.lists import InventoryList
from registry.views.refs import key_of
from registry.views.shell import findings, narrow


class FindingList(InventoryList):
    template_name = "registry/finding_list.html"
    filter_class = FindingFilter
    columns = {"severity": "rank", "cost": "monthly_cost", "opened": "opened_at"}
    default_sort = "severity"
    export = {
        "Finding": "pk",
        "Rule": "rule",
        "Severity": "severity",
        "Title": "title",
        "Account": "account",
        "Region": "region",
        "Image": "image__aws_id",
        "Image name": "image__name",
        "Reserved Instance": "reserved_instance__aws_id",
        "Per month": "monthly_cost",
        "Opened": "opened_at",
        "Message": "message",
    }
    extra_context = {"section": "findings"}

    def rows(self) -> QuerySet[Any]:
        found = findings(self.request)
        resolved = self.request.GET.get("view") == "resolved"
        rows = (found.resolved() if resolved else found.open()).for_list()
        return rows.annotate(
            account=Coalesce("image__account__number", "reserved_instance__account__number"),
            region=Coalesce("image__region", "reserved_instance__region"),
        )

    def get_ordering(self) -> Any:
        return [super().get_ordering()[0], F("monthly_cost").desc(nulls_last=True), "pk"]

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        every = findings(self.request)
        return super().get_context_data(**kwargs) | {
            "open_total": every.open().count(),
            "resolved_total": every.resolved().count(),
            "unjudged": narrow(self.request, Image.objects.present()).filter(verdict="").count(),
            "monthly_total": every.open().aggregate(total=Sum("monthly_cost"))["total"],
        }


def finding(request: SignedInRequest, ref: str) -> HttpResponse:
    found = findings(request).for_list().filter(pk=key_of(ref, "F")).first()
    if found is None:
        raise Http404(f"There is no finding {ref}.")
    image = found.image
    launched = Instance.objects.present().running().filter(image_id=image.aws_id if image else "")
    context = {
        "section": "findings",
        "finding": found,
        "thing": found.thing,
        "instances": visible(launched, request.user).order_by("pk")[:10],
        "can_verify": found.thing.account.is_synced
        and may(request.user, Action.VERIFY, found.thing.account),
    }
    return render(request, "registry/finding.html", context)
