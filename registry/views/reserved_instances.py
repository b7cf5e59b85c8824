"""Reserved Instances: the list."""

from datetime import timedelta
from typing import Any

from django.db.models import QuerySet, Sum
from django.utils import timezone

from registry.audit.nearest import of_lost_codes
from registry.forms.filters import ReservedInstanceFilter
from registry.models import ReservedInstance
from registry.models.units import number_of
from registry.views.lists import InventoryList
from registry.views.shell import narrow
from registry.views.units import causes_of
from registry.views.why_idle import why

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
        "Used": "used_number",
        "Idle": "idle_number",
        "Idle per hour": "idle_hourly_cost",
        "Ends": "end_at",
        "Scope": "scope",
        "Zone": "availability_zone",
        "Tenancy": "tenancy",
        "Class": "offering_class",
        "Per hour": "hourly_cost",
        "Currency": "currency",
        "Causes": "causes",
    }
    extra_context = {"section": "reserved-instances"}

    def rows(self) -> QuerySet[Any]:
        every = narrow(self.request, ReservedInstance.objects.present()).select_related("account")
        every = every.annotate(
            used_number=number_of("used"),
            idle_number=number_of("idle"),
            causes=causes_of("reasons"),
        )
        view = self.request.GET.get("view")
        if view == "all":
            return every
        return every.fully_used() if view == "used" else every.not_fully_used()

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        every = narrow(self.request, ReservedInstance.objects.present())
        active = every.active()
        context = super().get_context_data(**kwargs)
        lost = of_lost_codes(context["rows"])
        for row in context["rows"]:
            row.why = why(row, is_lost=row.pk in lost)
        return context | {
            "total": every.count(),
            "active": active.count(),
            "not_used": every.not_fully_used().count(),
            "fully_used": every.fully_used().count(),
            "bought": active.aggregate(number=Sum("instance_count"))["number"] or 0,
            "idle_hourly": active.aggregate(total=Sum("idle_hourly_cost"))["total"],
            "ending": active.filter(end_at__lt=timezone.now() + SOON).count(),
        }
