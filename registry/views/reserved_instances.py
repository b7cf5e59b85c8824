"""Reserved Instances: the list."""

from datetime import datetime
from typing import Any

from django.db.models import Count, Min, Q, QuerySet, Sum
from django.db.models.functions import Coalesce
from django.utils import timezone

from registry.audit.ending import coming, until
from registry.audit.nearest import of_lost_codes
from registry.audit.utilization import TARGET
from registry.audit.waste_in_all import waste_in_all
from registry.forms.filters import ReservedInstanceFilter
from registry.models import ReservedInstance
from registry.models.reserved_instance import ReservedInstanceQuerySet, idle_cost
from registry.models.units import number_of
from registry.views.lists import InventoryList
from registry.views.month import recorded, used_in_a_month
from registry.views.over_time import idle_change
from registry.views.shell import narrow
from registry.views.units import causes_of
from registry.views.why_idle import why

SOON = 60  # days


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
        if view == "ending":
            return _ending(every, timezone.now())
        return every.fully_used() if view == "used" else every.not_fully_used()

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        context = super().get_context_data(**kwargs)
        lost = of_lost_codes(context["rows"])
        for row in context["rows"]:
            row.why = why(row, is_lost=row.pk in lost)
        now = timezone.now()
        shown = context["page_obj"].paginator.object_list
        return context | _key_figures(self.request, now) | {"waste": waste_in_all(shown, at=now)}


def _ending(rows: ReservedInstanceQuerySet, now: datetime) -> ReservedInstanceQuerySet:
    return until(coming(rows, at=now), SOON, at=now)


def _key_figures(request: Any, now: datetime) -> dict[str, Any]:
    every = narrow(request, ReservedInstance.objects.present())
    active = every.active()
    used = used_in_a_month(request, at=now)
    ending = _ending(every, now).aggregate(
        number=Count("pk"), bought=Sum("instance_count"), first=Min("end_at")
    )
    by_code = active.filter(findings__rule="RI001", findings__resolved_at=None)
    return {
        "total": every.count(),
        "not_used": every.not_fully_used().count(),
        "fully_used": every.fully_used().count(),
        "ending": ending,
        "soon": SOON,
        "used": used,
        "recorded": recorded(used, at=now),
        "target": TARGET,
        "idle_change": idle_change(request, today=now.date()),
        "by_code": by_code.aggregate(
            number=Count("pk"),
            hourly=Sum("idle_hourly_cost"),
            unpriced=Count("pk", filter=Q(idle_hourly_cost=None)),
        ),
    } | active.aggregate(
        active=Count("pk"),
        bought=Coalesce(Sum("instance_count"), 0),
        **idle_cost("idle_hourly", "unpriced"),
    )
