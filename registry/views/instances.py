"""Instances: the list and one of them."""

from datetime import timedelta
from typing import Any

from django.db.models import F, QuerySet
from django.http import Http404, HttpResponse
from django.shortcuts import render

from registry.access import visible
from registry.audit.on_demand import instance_price
from registry.forms.filters import InstanceFilter
from registry.http import SignedInRequest
from registry.models import Image, Instance
from registry.views.history import history
from registry.views.lists import InventoryList
from registry.views.on_bill import instance_on_bill
from registry.views.shell import narrow

# An instance gets its code as it is launched; only a stopped one can be converted.
_AT_ONCE = timedelta(minutes=1)


class InstanceList(InventoryList):
    template_name = "registry/instance_list.html"
    filter_class = InstanceFilter
    columns = {
        "name": "name",
        "code": "usage_operation",
        "account": "account__name",
        "type": "instance_type",
        "launched": "launched_at",
    }
    default_sort = "-launched"
    export = {
        "Instance": "aws_id",
        "Name": "name",
        "Account": "account__number",
        "Region": "region",
        "Type": "instance_type",
        "State": "state",
        "Image": "image_id",
        "Usage operation": "usage_operation",
        "Launched": "launched_at",
    }
    extra_context = {"section": "instances"}

    def rows(self) -> QuerySet[Any]:
        return narrow(self.request, Instance.objects.present()).select_related("account")


def instance(request: SignedInRequest, aws_id: str) -> HttpResponse:
    """Show an instance; the present one, should several accounts have had it."""
    found = _newest(visible(Instance.objects.filter(aws_id=aws_id), request.user))
    if found is None:
        raise Http404(f"{aws_id} is not in the inventory.")
    covers = visible(found.covers.all(), request.user, by="reserved_instance__account")
    context = {
        "section": "instances",
        "instance": found,
        "image": _newest(visible(Image.objects.filter(aws_id=found.image_id), request.user)),
        "conversion": _conversion(found),
        "list_price": instance_price(found),
        "covers": covers.select_related("reserved_instance__account").order_by("pk"),
        "findings": found.findings.open().for_list().most_urgent_first(),
        "history": history(request, found),
        "on_bill": instance_on_bill(request.user, found),
    }
    return render(request, "registry/instance.html", context)


def _newest(rows: QuerySet[Any]) -> Any:
    present_first = F("gone_at").desc(nulls_first=True)
    return rows.select_related("account").order_by(present_first, "pk").first()


def _conversion(found: Instance) -> str:
    """Return whether the code was changed after the launch, as far as AWS tells.

    AWS gives the time of the last start. A code that is older than that may be of the launch or of
    a conversion.
    """
    changed_at, started_at = found.usage_operation_updated_at, found.launched_at
    if changed_at is None or started_at is None:
        return "unknown"
    if changed_at < started_at:
        return "before"
    return "yes" if changed_at > started_at + _AT_ONCE else "no"
