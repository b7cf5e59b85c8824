"""Findings by cause: what goes wrong once shows at every copy, and is put right together."""

from dataclasses import dataclass
from typing import Any

from django.db.models import Case, CharField, Count, F, Func, Min, QuerySet, Sum, Value, When
from django.db.models.functions import Coalesce, Concat
from django.urls import reverse

from registry.access import visible
from registry.forms.filters import FindingFilter
from registry.http import SignedInRequest
from registry.models import Finding, Image, Instance, Snapshot
from registry.views.cause_members import Together, together
from registry.views.findings import UNPRICED, tabs
from registry.views.lists import InventoryList, sorting
from registry.views.refs import ref_of
from registry.views.shell import findings

_COLUMNS = {
    "severity": "worst",
    "cost": "cost",
    "findings": "number",
    "opened": "since",
}
_NAMED: tuple[Any, ...] = (Image, Snapshot, Instance)


@dataclass(frozen=True, slots=True)
class Group:
    """A row of the page: what is counted, and the most severe of its findings in its place."""

    counts: dict[str, Any]
    together: Together
    shown: Finding
    name: str
    address: str


class CauseList(InventoryList):
    template_name = "registry/finding_causes.html"
    filter_class = FindingFilter
    columns = _COLUMNS
    default_sort = "severity"
    export = {
        "Cause": "group",
        "Findings": "number",
        "Images": "images",
        "Accounts": "accounts",
        "Regions": "regions",
        "Per month, known": "cost",
        "Without a known cost": "unpriced",
        "Opened": "since",
    }
    extra_context = {"section": "findings"}
    request: SignedInRequest

    def rows(self) -> QuerySet[Any]:
        return findings(self.request).for_list()

    def get_queryset(self) -> QuerySet[Any]:
        self.filter = FindingFilter(self.request.GET, self.rows(), request=self.request)
        return _counted(self.filter.qs).order_by(*self.get_ordering())

    def get_ordering(self) -> Any:
        self.sort, order = sorting(self.request.GET.get("sort", ""), _COLUMNS, self.default_sort)
        return [order, F("cost").desc(nulls_last=True), "group"]

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        context = super().get_context_data(**kwargs)
        return context | tabs(self.request) | {"rows": self._groups(list(context["rows"]))}

    def _groups(self, counted: list[dict[str, Any]]) -> list[Group]:
        """Return the groups that are counted, as far as there still is a finding of each."""
        found = together(_grouped(self.filter.qs), [row["group"] for row in counted])
        shown = Finding.objects.for_list().in_bulk([group.first for group in found.values()])
        names = self._names({finding.cause for finding in shown.values()} - {""})
        groups = []
        for row in counted:
            if row["group"] not in found:
                continue  # resolved in this moment
            of_all = found[row["group"]]
            first = shown[of_all.first]
            address = self._list_of(first, of_all) if first.cause else first.get_absolute_url()
            groups.append(Group(row, of_all, first, names.get(first.cause, ""), address))
        return groups

    def _names(self, causes: set[str]) -> dict[str, str]:
        names: dict[str, str] = {}
        for model in _NAMED if causes else ():
            known = visible(model.objects.filter(aws_id__in=causes), self.request.user)
            names |= dict(known.exclude(name="").values_list("aws_id", "name"))
        return names

    def _list_of(self, first: Finding, of_all: Together) -> str:
        query = self.request.GET.copy()
        for name in ("sort", "page", "rows"):
            query.pop(name, None)
        query["cause"] = first.cause
        query.setlist("rule", of_all.rules)
        return f"{reverse('findings:list')}?{query.urlencode()}"


def _grouped(rows: QuerySet[Any]) -> QuerySet[Any]:
    """Tell each finding's group: its cause, within what the same kind of thing breaks."""
    family = Func(F("rule"), Value("[0-9]+$"), Value(""), function="REGEXP_REPLACE")
    of_cause = Concat(family, Value(" "), "cause", output_field=CharField())
    key = Case(When(cause="", then=ref_of("F")), default=of_cause)
    grouped: QuerySet[Any] = rows.annotate(group=key)
    return grouped


def _counted(rows: QuerySet[Any]) -> QuerySet[Any]:
    account = Coalesce("image__account", "instance__account", "reserved_instance__account")
    region = Coalesce("image__region", "instance__region", "reserved_instance__region")
    groups = _grouped(rows).order_by().values("group")
    counted: QuerySet[Any] = groups.annotate(
        worst=Min("rank"),
        number=Count("pk"),
        images=Count("image", distinct=True),
        instances=Count("instance", distinct=True),
        purchases=Count("reserved_instance", distinct=True),
        accounts=Count(account, distinct=True),
        regions=Count(region, distinct=True),
        cost=Sum("monthly_cost"),
        unpriced=Count("pk", filter=UNPRICED),
        since=Min("opened_at"),
    )
    return counted
