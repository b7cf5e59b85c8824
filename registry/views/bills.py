"""Bills that were read, and what each says against our records."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice
from typing import Any, TypeVar

from django.db.models import Q, QuerySet
from django.http import Http404, HttpRequest, HttpResponseBase
from django.shortcuts import render
from django.utils import timezone

from registry.access import Action, accounts, may_everywhere, visible, visible_billed, visible_bills
from registry.audit.bill_images import BilledImage, billed_images
from registry.audit.bill_totals import Totals, operations_of, totals_of, unknown_instances
from registry.audit.billed import BilledUse, find_bill, uses_for
from registry.forms.filters import BilledFilter, BillFilter, DisagreementFilter
from registry.http import SignedInRequest
from registry.models import (
    Bill,
    BilledPurchase,
    BilledUsage,
    Disagreement,
    Image,
    Instance,
    ReservedInstance,
    UsageKind,
)
from registry.views.lists import InventoryList, as_csv

MOST_OPERATIONS = 50
MOST_IMAGES = 100
IMAGE_COLUMNS = ("Image", "Account", "Usage operation", "On the bill", "Hours", "Instances")
_CHUNK = 500
_Rows = TypeVar("_Rows", bound=QuerySet[Any])
_SECTION = {"section": "reserved-instances"}


class BillList(InventoryList):
    template_name = "registry/bill_list.html"
    filter_class = BillFilter
    columns = {"month": "month", "payer": "payer", "read": "read_at"}
    default_sort = "-month"
    export = {
        "Month": "month",
        "Payer": "payer",
        "Billed through": "through",
        "Read": "read_at",
    }
    extra_context = _SECTION

    def rows(self) -> QuerySet[Any]:
        return visible_bills(self.request.user)

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        context = super().get_context_data(**kwargs)
        found = _totals(self.request, context["rows"])
        names = _names(self.request)
        for row in context["rows"]:
            row.totals, row.payer_name = found[row.pk], names.get(row.payer, "")
        return context | {"reads_all": may_everywhere(self.request.user, Action.READ)}


class OfBill(InventoryList):
    """A list of what is on one bill, below what it comes to."""

    tab: str

    def setup(self, request: HttpRequest, *args: Any, **kwargs: Any) -> None:
        super().setup(request, *args, **kwargs)
        self.bill = _find(request, kwargs["payer"], kwargs["month"])

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        names = _names(self.request)
        context = super().get_context_data(**kwargs)
        for row in context["rows"]:
            row.account_name = names.get(row.account, "")
        return context | _head(self.request, self.bill, self.tab)


class DisagreementList(OfBill):
    tab = "disagreements"
    template_name = "registry/bill.html"
    filter_class = DisagreementFilter
    columns = {"kind": "kind", "account": "account", "hours": "hours"}
    default_sort = "-hours"
    export = {
        "Kind": "kind",
        "Subject": "subject",
        "Account": "account",
        "Region": "region",
        "On the bill": "billed",
        "Recorded": "recorded",
        "Hours": "hours",
    }

    def rows(self) -> QuerySet[Any]:
        return narrow_billed(self.request, Disagreement.objects.filter(bill=self.bill))

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        context = super().get_context_data(**kwargs)
        _link(self.request, context["rows"])
        usages = narrow_billed(self.request, BilledUsage.objects.filter(bill=self.bill))
        operations = operations_of(usages)
        return context | {
            "operations": operations[:MOST_OPERATIONS],
            "more_operations": max(len(operations) - MOST_OPERATIONS, 0),
            "usage_kinds": UsageKind.labels,
            "unknown_instances": unknown_instances(usages),
        }


class PurchaseList(OfBill):
    tab = "purchases"
    template_name = "registry/bill_purchases.html"
    filter_class = BilledFilter
    columns = {
        "purchase": "aws_id",
        "account": "account",
        "used": "used_hours",
        "unused": "unused_hours",
        "cost": "unused_cost",
    }
    default_sort = "-unused"
    export = {
        "Reserved Instances": "aws_id",
        "Account": "account",
        "Region": "region",
        "Used hours": "used",
        "Unused hours": "unused",
        "Unused cost": "unused_cost",
        "Currency": "currency",
        "Bought hours": "bought",
        "Recorded used hours": "recorded_used",
        "Recorded unused hours": "recorded_unused",
        "Recorded since": "recorded_since",
        "Compared": "verdict",
        "Adds up": "adds_up",
    }

    def rows(self) -> QuerySet[Any]:
        return narrow_billed(self.request, BilledPurchase.objects.filter(bill=self.bill))

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        context = super().get_context_data(**kwargs)
        for row, found in zip(context["rows"], self._compared(context["rows"]), strict=True):
            row.found = found
        return context

    def _csv(self, rows: QuerySet[Any]) -> HttpResponseBase:
        return as_csv(self.request, list(self.export), self._exported(rows))

    def _compared(self, rows: Sequence[BilledPurchase]) -> list[BilledUse]:
        return uses_for(self.request.user, self.bill, rows, at=timezone.now())

    def _exported(self, rows: QuerySet[Any]) -> Iterator[Mapping[str, Any]]:
        every = rows.iterator(chunk_size=_CHUNK)
        while chunk := list(islice(every, _CHUNK)):
            for found in self._compared(chunk):
                values = found.values()
                yield {heading: values[name] for heading, name in self.export.items()}


def bill_images(request: SignedInRequest, payer: str, month: str) -> HttpResponseBase:
    """Show the images whose instances are on a bill, those first that were billed otherwise."""
    bill = _find(request, payer, month)
    found = billed_images(
        narrow_billed(request, BilledUsage.objects.filter(bill=bill)),
        visible(Instance.objects.all(), request.user),
        visible(Image.objects.all(), request.user),
    )
    if request.GET.get("export") == "csv":
        return as_csv(request, IMAGE_COLUMNS, (line for image in found for line in _lines(image)))
    context = _head(request, bill, "images") | {"images": found[:MOST_IMAGES], "number": len(found)}
    return render(request, "registry/bill_images.html", context)


def _lines(image: BilledImage) -> Iterator[dict[str, Any]]:
    """Return an image as it is exported: a line for each operation."""
    for one in image.billed:
        yield {
            "Image": image.aws_id,
            "Account": image.row.account.number if image.row else None,
            "Usage operation": image.row.usage_operation if image.row else None,
            "On the bill": one.operation,
            "Hours": float(one.hours),
            "Instances": one.instances,
        }


def _find(request: HttpRequest, payer: str, month: str) -> Bill:
    found = find_bill(visible_bills(request.user), payer, month)
    if found is None:
        raise Http404("No such bill has been read.")
    return found


def _head(request: HttpRequest, bill: Bill, tab: str) -> dict[str, Any]:
    return _SECTION | {
        "bill": bill,
        "payer_name": _names(request).get(bill.payer, ""),
        "tab": tab,
        "totals": _totals(request, [bill])[bill.pk],
        "reads_all": may_everywhere(request.user, Action.READ),
    }


def narrow_billed(request: HttpRequest, rows: _Rows) -> _Rows:
    """Leave the rows of bills that the person may read and has chosen to look at."""
    chosen = request.session.get("scope", {})
    rows = visible_billed(rows, request.user)
    if numbers := chosen.get("accounts"):
        rows = rows.filter(Q(account__in=numbers) | Q(account="", bill__payer__in=numbers))
    if chosen.get("regions"):
        rows = rows.filter(region__in=chosen["regions"])
    return rows


def _totals(request: HttpRequest, bills: Iterable[Bill]) -> dict[int, Totals]:
    return totals_of(
        bills,
        narrow_billed(request, BilledUsage.objects.all()),
        narrow_billed(request, BilledPurchase.objects.all()),
        narrow_billed(request, Disagreement.objects.all()),
    )


def _names(request: HttpRequest) -> dict[str, str]:
    return dict(accounts(request.user).values_list("number", "name"))


def _link(request: HttpRequest, rows: Iterable[Any]) -> None:
    """Give each row the thing that it is about, where the inventory has it."""
    subjects = [row.subject for row in rows]
    instances = Instance.objects.filter(aws_id__in=subjects).select_related("account")
    bought = ReservedInstance.objects.filter(aws_id__in=subjects).select_related("account")
    things = {
        (thing.account.number, thing.aws_id): thing
        for thing in (*visible(instances, request.user), *visible(bought, request.user))
    }
    for row in rows:
        row.thing = things.get((row.account, row.subject))
