"""Findings: the list, and which of them are meant by a selection on it."""

from typing import Any
from urllib.parse import quote

from django.db.models import (
    BooleanField,
    Count,
    ExpressionWrapper,
    F,
    OuterRef,
    Q,
    QuerySet,
    Subquery,
    Sum,
)
from django.db.models.functions import Coalesce
from django.http import QueryDict

from registry.access import Action, may_somewhere
from registry.forms.filters import FINDING_VIEWS, FindingFilter, in_view
from registry.http import SignedInRequest
from registry.models import Finding, Image, Waiver
from registry.models.finding import FindingQuerySet
from registry.views.lists import InventoryList, sorting
from registry.views.refs import ref_of
from registry.views.shell import findings, narrow

COLUMNS = {
    "severity": "rank",
    "cost": "monthly_cost",
    "running": "running",
    "opened": "opened_at",
    "assignee": "assignee__username",
}
DEFAULT_SORT = "severity"
MOST_NEIGHBORS = 1_000
# Without a known cost: something is paid for nothing, and nobody knows how much.
UNPRICED = Q(monthly_cost=None) & (Q(reserved_instance__isnull=False) | ~Q(idle_purchases=[]))
is_unpriced = ExpressionWrapper(UNPRICED, BooleanField())


class FindingList(InventoryList):
    template_name = "registry/finding_list.html"
    filter_class = FindingFilter
    columns = COLUMNS
    default_sort = DEFAULT_SORT
    export = {
        "Finding": "reference",
        "State": "state",
        "Rule": "rule",
        "Severity": "severity",
        "Title": "title",
        "Account": "account",
        "Region": "region",
        "Image": "image__aws_id",
        "Image name": "image__name",
        "Instance": "instance__aws_id",
        "Reserved Instance": "reserved_instance__aws_id",
        "Per month": "monthly_cost",
        "Running": "running",
        "Cause": "cause",
        "Assignee": "assignee__username",
        "Waived until": "waived_until",
        "Opened": "opened_at",
        "Message": "message",
    }
    extra_context = {"section": "findings"}
    request: SignedInRequest

    def rows(self) -> QuerySet[Any]:
        waived = Waiver.objects.filter(finding=OuterRef("pk"), ended_at=None)
        rows = findings(self.request).for_list()
        return rows.annotate(
            account=_of_thing("account__number"),
            region=_of_thing("region"),
            reference=ref_of("F"),
            is_unpriced=is_unpriced,
            waived_until=Subquery(waived.values("until")[:1]),
        )

    def get_ordering(self) -> Any:
        self.sort, order = ordered(self.request.GET)
        return order

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        unjudged = narrow(self.request, Image.objects.present()).filter(verdict="")
        context = super().get_context_data(**kwargs)
        came_from = quote(self.request.GET.urlencode())
        more = {"unjudged": unjudged.count(), "came_from": came_from}
        return context | tabs(self.request) | more


def ordered(query: QueryDict) -> tuple[str, list[Any]]:
    """Return the sort that an address of the list asks for, and the order of its rows."""
    sort, first = sorting(query.get("sort", ""), COLUMNS, DEFAULT_SORT)
    return sort, [first, F("monthly_cost").desc(nulls_last=True), "pk"]


def neighbors(request: SignedInRequest, found: Finding) -> dict[str, Finding | None]:
    """Return what stands before and after a finding in the list that the person came from."""
    if "from" not in request.GET:
        return {}
    query = QueryDict(request.GET["from"])
    rows = FindingFilter(query, findings(request).for_list(), request=request).qs
    keys = list(rows.order_by(*ordered(query)[1]).values_list("pk", flat=True)[:MOST_NEIGHBORS])
    if found.pk not in keys:
        return {}
    place = keys.index(found.pk)
    return {
        "before": Finding(pk=keys[place - 1]) if place else None,
        "after": Finding(pk=keys[place + 1]) if place + 1 < len(keys) else None,
    }


def tabs(request: SignedInRequest) -> dict[str, Any]:
    """Return how many findings each tab holds, and what the idle purchases of the first cost."""
    user = request.user
    counts = {f"in_{view}": Count("pk", filter=in_view(view, user)) for view, _ in FINDING_VIEWS}
    # A purchase counts once, at its own finding: those of its causes have shares of the same money.
    idle = in_view("open", user) & Q(reserved_instance__isnull=False)
    found = findings(request).aggregate(**counts, idle=Sum("monthly_cost", filter=idle))
    chosen = request.GET.get("view", "")
    views = dict(FINDING_VIEWS)
    return {
        "tabs": [(view, label, found[f"in_{view}"]) for view, label in FINDING_VIEWS],
        "tab": chosen if chosen in views else "open",
        "monthly_total": found["idle"],
        "can_comment": may_somewhere(user, Action.COMMENT),
        "can_triage": may_somewhere(user, Action.TRIAGE),
    }


def chosen(request: SignedInRequest, data: QueryDict) -> FindingQuerySet:
    """Return the findings that were picked, or all that match the filter of the list."""
    rows = findings(request)
    if data.get("all_matching"):
        found_by = FindingFilter(QueryDict(data.get("query", "")), rows, request=request)
        # A list may leave out a filter that it can't read; what changes many findings may not.
        is_read = "query" in data and found_by.is_valid()
        matching: FindingQuerySet = found_by.qs if is_read else rows.none()
        return matching
    return rows.named(" ".join(data.getlist("pick")).split())


def _of_thing(field: str) -> Coalesce:
    return Coalesce(f"image__{field}", f"instance__{field}", f"reserved_instance__{field}")
