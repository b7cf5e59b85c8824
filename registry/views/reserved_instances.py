"""Reserved Instances: the list and one purchase."""

from datetime import timedelta
from typing import Any

from django.db.models import F, QuerySet, Sum
from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.utils import timezone

from registry.access import visible
from registry.audit.purchases import TITLES
from registry.billing.codes import (
    from_platform_details,
    normalize_reserved_platform,
    reserved_platform,
)
from registry.billing.idle import NAMED
from registry.forms.filters import ReservedInstanceFilter
from registry.http import SignedInRequest
from registry.models import Image, Instance, ReservedInstance
from registry.views.lists import InventoryList
from registry.views.shell import narrow

SOON = timedelta(days=60)


class ReservedInstanceList(InventoryList):
    template_name = "registry/reserved_instance_list.html"
    filter_class = ReservedInstanceFilter
    columns = {"type": "instance_type", "idle": "idle_hourly_cost", "ends": "end_at"}
    default_sort = "-idle"
    export = {
        "Reserved Instances": "aws_id",
        "Account": "account__number",
        "Region": "region",
        "Type": "instance_type",
        "Count": "instance_count",
        "Platform": "product_description",
        "State": "state",
        "Used": "used",
        "Idle": "idle",
        "Idle per hour": "idle_hourly_cost",
        "Ends": "end_at",
    }
    extra_context = {"section": "reserved-instances"}

    def rows(self) -> QuerySet[Any]:
        every = narrow(self.request, ReservedInstance.objects.present()).select_related("account")
        view = self.request.GET.get("view")
        if view == "all":
            return every
        return every.fully_used() if view == "used" else every.not_fully_used()

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        every = narrow(self.request, ReservedInstance.objects.present())
        active = every.active()
        context = super().get_context_data(**kwargs)
        for row in context["rows"]:
            row.why = _why(row)
        return context | {
            "total": every.count(),
            "active": active.count(),
            "not_used": every.not_fully_used().count(),
            "fully_used": every.fully_used().count(),
            "bought": active.aggregate(number=Sum("instance_count"))["number"] or 0,
            "idle_hourly": active.aggregate(total=Sum("idle_hourly_cost"))["total"],
            "ending": active.filter(end_at__lt=timezone.now() + SOON).count(),
        }


def reserved_instance(request: SignedInRequest, aws_id: str) -> HttpResponse:
    rows = visible(ReservedInstance.objects.filter(aws_id=aws_id), request.user)
    found = rows.select_related("account").order_by(F("gone_at").desc(nulls_first=True)).first()
    if found is None:
        raise Http404(f"{aws_id} is not in the inventory.")
    covers = visible(found.covers.all(), request.user, by="instance__account")
    context = {
        "section": "reserved-instances",
        "purchase": found,
        "why": _why(found),
        "near": _near(request, found),
        "covers": covers.select_related("instance").order_by("pk")[:50],
        "findings": found.findings.open().for_list(),
    }
    return render(request, "registry/reserved_instance.html", context)


def _why(row: ReservedInstance) -> list[dict[str, str]]:
    """Return the causes, the most telling first, each with a sentence."""
    return [
        {
            "code": reason["code"],
            "title": TITLES[reason["code"]],
            "sentence": _sentence(row, reason["code"], len(reason["instance_ids"])),
        }
        for reason in row.reasons
    ]


def _sentence(row: ReservedInstance, code: str, number: int) -> str:
    if not number:
        return ""
    some = f"{number} instance{'s' if number > 1 else ''}"
    if number >= NAMED:
        some = f"{NAMED} instances or more"
    wanted = from_platform_details(row.product_description)
    if code == "wrong_platform" and wanted:
        return f"Would apply to {some} if their AMI carried {wanted}."
    return f"{some} near it."


def _near(request: SignedInRequest, row: ReservedInstance) -> list[Any]:
    """Return the instances that are named as nearest; those whose AMI lost its code first."""
    named = [name for reason in row.reasons for name in reason["instance_ids"]]
    rows = visible(Instance.objects.present().filter(aws_id__in=named), request.user)
    near: list[Any] = list(rows.select_related("account").order_by("pk"))
    images = Image.objects.present().filter(aws_id__in={found.image_id for found in near})
    expected = dict(images.values_list("aws_id", "expected_usage_operation"))
    wanted = normalize_reserved_platform(row.product_description)
    for found in near:
        found.expected = expected.get(found.image_id)
        found.is_lost = (
            reserved_platform(found.expected) == wanted
            and reserved_platform(found.usage_operation) != wanted
        )
    return sorted(near, key=lambda found: not found.is_lost)
