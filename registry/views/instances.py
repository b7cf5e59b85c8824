"""Instances: the list."""

from typing import Any

from django.db.models import QuerySet

from registry.forms.filters import InstanceFilter
from registry.models import Instance
from registry.views.lists import InventoryList
from registry.views.shell import narrow


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
