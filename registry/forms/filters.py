"""One set of filters for each list page."""

from typing import Any

import django_filters as filters
from django import forms
from django.db.models import QuerySet

from registry.access import accounts
from registry.billing.codes import TABLE
from registry.models import (
    MISMATCHES,
    Account,
    FindingState,
    Image,
    ImageVerdict,
    RunKind,
    RunState,
    Scope,
    Severity,
)

_CODES = [(code.usage_operation, code.platform_details) for code in TABLE]


def _boxes(choices: Any, field: str) -> filters.MultipleChoiceFilter:
    return filters.MultipleChoiceFilter(
        field_name=field, choices=choices, widget=forms.CheckboxSelectMultiple
    )


def _readable(request: Any) -> QuerySet[Account]:
    return accounts(request.user).order_by("name") if request else Account.objects.none()


def _accounts(field: str = "account") -> filters.ModelMultipleChoiceFilter:
    return filters.ModelMultipleChoiceFilter(
        field_name=f"{field}__number",
        to_field_name="number",
        queryset=_readable,
        widget=forms.CheckboxSelectMultiple,
    )


def _regions() -> list[tuple[str, str]]:
    names = Scope.objects.order_by("region").values_list("region", flat=True).distinct()
    return [(name, name) for name in names]


class Searched(filters.FilterSet):
    """A list with a text field."""

    q = filters.CharFilter(method="search")

    def search(self, rows: Any, name: str, value: str) -> Any:
        return rows.search(value.strip())


class ImageFilter(Searched):
    billing = _boxes([choice for choice in ImageVerdict.choices if choice[0]], "verdict")
    code = _boxes(_CODES, "usage_operation")
    account = _accounts()
    region = _boxes(_regions, "region")
    view = filters.ChoiceFilter(method="take_view", choices=[("attention", "Needs attention")])

    def take_view(self, rows: QuerySet[Image], name: str, value: str) -> QuerySet[Image]:
        return rows.filter(verdict__in=MISMATCHES)


class InstanceFilter(Searched):
    code = _boxes(_CODES, "usage_operation")
    account = _accounts()
    region = _boxes(_regions, "region")
    state = _boxes([("running", "Running"), ("stopped", "Stopped")], "state")
    image = filters.CharFilter(field_name="image_id")


class FindingFilter(Searched):
    severity = _boxes(Severity.choices, "severity")
    state = _boxes(FindingState.choices, "state")


class ReservedInstanceFilter(Searched):
    account = _accounts()


class RunFilter(filters.FilterSet):
    kind = _boxes(RunKind.choices, "kind")
    state = _boxes(RunState.choices, "state")
