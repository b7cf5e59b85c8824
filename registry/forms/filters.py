"""One set of filters for each list page."""

from typing import Any

import django_filters as filters
from django import forms
from django.contrib.auth.models import User
from django.db.models import Q, QuerySet

from registry.access import Person, accounts
from registry.billing.codes import TABLE, normalize_reserved_platform
from registry.billing.rules import RULEBOOK
from registry.models import (
    ACTIONABLE,
    MISMATCHES,
    Account,
    DisagreementKind,
    Finding,
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
    ancestor = filters.CharFilter(method="take_ancestor")

    def take_ancestor(self, rows: Any, name: str, value: str) -> Any:
        return rows.descended_from(value.strip())

    def take_view(self, rows: QuerySet[Image], name: str, value: str) -> QuerySet[Image]:
        return rows.filter(verdict__in=MISMATCHES)


class InstanceFilter(Searched):
    code = _boxes(_CODES, "usage_operation")
    account = _accounts()
    region = _boxes(_regions, "region")
    state = _boxes([("running", "Running"), ("stopped", "Stopped")], "state")
    image = filters.CharFilter(field_name="image_id")


# What the tabs of the findings page show; the first one is there without being named.
FINDING_VIEWS = (
    ("open", "Open"),
    ("mine", "Assigned to me"),
    ("unassigned", "Unassigned"),
    ("watching", "Watching"),
    ("waived", "Waived"),
    ("resolved", "Resolved"),
)
_THINGS = ("image", "instance", "reserved_instance")


def in_view(view: str, user: Person) -> Q:
    """Return what a tab shows `user`: of what is open, only what somebody has to act on."""
    mine = {"mine": Q(assignee=user.pk), "unassigned": Q(assignee=None)}
    if view == "watching":
        # Not a join: a finding with many watchers is one row.
        watched = Finding.watchers.through.objects.filter(user=user.pk)
        return Q(resolved_at=None, pk__in=watched.values("finding"))
    if view in {"waived", "resolved"}:
        return Q(state=view)
    return Q(state__in=ACTIONABLE) & mine.get(view, Q())


def of_thing(field: str, values: Any) -> Q:
    """Return what is about a thing whose `field` is one of `values`."""
    found = Q()
    for thing in _THINGS:
        found |= Q(**{f"{thing}__{field}__in": values})
    return found


_RULES = [(entry.id, f"{entry.id} {entry.title}") for entry in RULEBOOK.values()]


def _assignees(request: Any) -> QuerySet[User]:
    if not request:
        return User.objects.none()
    readable = Finding.objects.filter(of_thing("account", accounts(request.user)))
    taken = readable.exclude(assignee=None).values("assignee")
    return User.objects.filter(pk__in=taken).order_by("username")


class FindingFilter(Searched):
    severity = _boxes(Severity.choices, "severity")
    rule = _boxes(_RULES, "rule")
    state = _boxes([(state.value, state.label) for state in ACTIONABLE], "state")
    account = filters.ModelMultipleChoiceFilter(
        method="take_account",
        to_field_name="number",
        queryset=_readable,
        widget=forms.CheckboxSelectMultiple,
    )
    region = filters.MultipleChoiceFilter(
        method="take_region", choices=_regions, widget=forms.CheckboxSelectMultiple
    )
    assignee = filters.ModelMultipleChoiceFilter(
        field_name="assignee__username",
        to_field_name="username",
        queryset=_assignees,
        widget=forms.CheckboxSelectMultiple,
    )
    cause = filters.CharFilter(field_name="cause")
    view = filters.ChoiceFilter(method="leave", choices=FINDING_VIEWS)

    def filter_queryset(self, queryset: Any) -> Any:
        view = self.form.cleaned_data.get("view") or ""
        user = self.request.user
        return super().filter_queryset(queryset).filter(in_view(view, user))

    def leave(self, rows: Any, name: str, value: str) -> Any:
        return rows  # filter_queryset takes it: a tab is chosen also where none is named

    def take_account(self, rows: Any, name: str, value: Any) -> Any:
        return rows.filter(of_thing("account", value)) if value else rows

    def take_region(self, rows: Any, name: str, value: Any) -> Any:
        return rows.filter(of_thing("region", value)) if value else rows


class ReservedInstanceFilter(Searched):
    account = _accounts()
    family = filters.CharFilter(method="take_family")
    platform = filters.CharFilter(method="take_platform")

    def take_family(self, rows: Any, name: str, value: str) -> Any:
        return rows.filter(instance_type__startswith=f"{value.strip()}.")

    def take_platform(self, rows: Any, name: str, value: str) -> Any:
        platform = normalize_reserved_platform(value)
        said = rows.order_by().values_list("product_description", flat=True).distinct()
        # AWS has more than one spelling of a platform.
        same = [each for each in said if normalize_reserved_platform(each) == platform]
        return rows.filter(product_description__in=same)


class BillFilter(filters.FilterSet):
    """Bills are few: there is nothing to filter by."""


class BilledFilter(Searched):
    """What a bill says of things, found by their id or account."""

    def search(self, rows: Any, name: str, value: str) -> Any:
        words = value.strip()
        return rows.filter(Q(**{f"{self.thing}__startswith": words}) | Q(account=words))

    thing = "aws_id"


class DisagreementFilter(BilledFilter):
    kind = _boxes(DisagreementKind.choices, "kind")
    thing = "subject"


class RunFilter(filters.FilterSet):
    kind = _boxes(RunKind.choices, "kind")
    state = _boxes(RunState.choices, "state")
