"""Findings by cause: what goes wrong once shows at every copy, and is put right together."""

from dataclasses import dataclass, field
from typing import Any

from django.db.models import Case, CharField, Count, F, Func, Min, QuerySet, Sum, Value, When
from django.db.models.functions import Coalesce, Concat
from django.urls import reverse

from registry.access import visible
from registry.forms.filters import FindingFilter
from registry.http import SignedInRequest
from registry.models import Finding, Image, Instance, Snapshot
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
_MEMBER = (
    *("group", "pk", "rule", "running", "idle_purchases"),
    *("image", "instance", "reserved_instance"),
)


@dataclass(slots=True)
class Group:
    """A row of the page: what the database has counted, and what the findings themselves say."""

    counts: dict[str, Any]
    first: int = 0  # the most severe of its findings
    shown: Finding | None = None
    name: str = ""
    address: str = ""
    rules: set[str] = field(default_factory=set)
    running: dict[Any, int] = field(default_factory=dict)
    purchases: set[str] = field(default_factory=set)

    def take(self, row: dict[str, Any]) -> None:
        self.first = self.first or row["pk"]
        self.rules.add(row["rule"])
        # A thing that breaks two rules counts once.
        thing = (row["image"], row["instance"], row["reserved_instance"])
        self.running[thing] = max(row["running"], self.running.get(thing, 0))
        self.purchases.update(row["idle_purchases"])

    @property
    def instances(self) -> int:
        return sum(self.running.values())


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
        groups = {row["group"]: Group(row) for row in context["rows"]}
        members = _grouped(self.filter.qs).filter(group__in=list(groups)).order_by("rank", "pk")
        for row in members.values(*_MEMBER):
            groups[row["group"]].take(row)
        self._describe(list(groups.values()))
        return context | tabs(self.request) | {"rows": list(groups.values())}

    def _describe(self, groups: list[Group]) -> None:
        """Add the finding that is shown, the name of the cause and where all are listed."""
        rows = Finding.objects.for_list().in_bulk([group.first for group in groups])
        names: dict[str, str] = {}
        causes = {finding.cause for finding in rows.values()} - {""}
        for model in _NAMED if causes else ():
            known = visible(model.objects.filter(aws_id__in=causes), self.request.user)
            names |= dict(known.exclude(name="").values_list("aws_id", "name"))
        for group in groups:
            group.shown = rows[group.first]
            group.name = names.get(group.shown.cause, "")
            is_one = not group.shown.cause
            group.address = group.shown.get_absolute_url() if is_one else self._list_of(group)

    def _list_of(self, group: Group) -> str:
        query = self.request.GET.copy()
        for name in ("sort", "page", "rows"):
            query.pop(name, None)
        query["cause"] = group.shown.cause if group.shown else ""
        query.setlist("rule", sorted(group.rules))
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
