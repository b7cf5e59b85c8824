"""One purchase of Reserved Instances: how far it is used, and why not further."""

from typing import Any

from django.db.models import F
from django.http import Http404, HttpResponse
from django.shortcuts import render

from registry.access import visible
from registry.audit.purchases import TITLES
from registry.billing.codes import (
    from_platform_details,
    normalize_reserved_platform,
    reserved_platform,
)
from registry.billing.idle import NAMED
from registry.http import SignedInRequest
from registry.models import Image, Instance, ReservedInstance
from registry.views.over_time import utilization


def reserved_instance(request: SignedInRequest, aws_id: str) -> HttpResponse:
    rows = visible(ReservedInstance.objects.filter(aws_id=aws_id), request.user)
    found = rows.select_related("account").order_by(F("gone_at").desc(nulls_first=True)).first()
    if found is None:
        raise Http404(f"{aws_id} is not in the inventory.")
    covers = visible(found.covers.all(), request.user, by="instance__account")
    context = {
        "section": "reserved-instances",
        "purchase": found,
        "why": why(found),
        "near": _near(request, found),
        "covers": covers.select_related("instance").order_by("pk")[:50],
        "findings": found.findings.open().for_list(),
        "utilization": utilization(found),
    }
    return render(request, "registry/reserved_instance.html", context)


def why(row: ReservedInstance) -> list[dict[str, str]]:
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
