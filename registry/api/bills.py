"""Bills that were read, and where they and our records contradict each other."""

from collections.abc import Iterable
from decimal import Decimal
from typing import Any, Literal

from django.db.models import F, Q
from django.http import Http404
from django.utils import timezone
from ninja import Router

from registry.access import visible, visible_billed, visible_bills
from registry.api.door import ApiRequest
from registry.api.paging import PageQuery, page, page_of, page_together
from registry.api.problems import query
from registry.audit.answer import money
from registry.audit.bill_images import BilledImage, billed_images
from registry.audit.bill_totals import Totals, operations_of, totals_of, unknown_instances
from registry.audit.billed import find_bill, uses_for
from registry.models import (
    Bill,
    BilledPurchase,
    BilledUsage,
    Disagreement,
    Image,
    Instance,
    UsageKind,
)

router = Router()


class BillQuery(PageQuery):
    payer: str = ""


class BilledQuery(PageQuery):
    account: str = ""
    region: str = ""
    q: str = ""


class DisagreementQuery(BilledQuery):
    kind: Literal["operation", "use", "not_billed", "not_known", ""] = ""


@router.get("", url_name="bills")
def list_bills(request: ApiRequest) -> Any:
    """Return the bills on which there is something to read, the newest month first."""
    asked = query(BillQuery, request)
    rows = visible_bills(request.user)
    if asked.payer:
        rows = rows.filter(payer=asked.payer)
    return page_together(
        rows.order_by("-month", "payer"), asked, lambda bills: _bills(bills, request)
    )


@router.get("/{payer}/{month}", url_name="bill")
def get_bill(request: ApiRequest, payer: str, month: str) -> Any:
    """Return what one bill comes to, of the accounts that the person may read."""
    bill = _bill(request, payer, month)
    usages = visible_billed(BilledUsage.objects.filter(bill=bill), request.user)
    return _bills([bill], request)[0] | {
        "names_instances": bill.names_instances,
        "unknown_instances": unknown_instances(usages),
        "operations": [
            {"operation": one.operation, "hours": _hours(one.hours)}
            for one in operations_of(usages)
        ],
    }


@router.get("/{payer}/{month}/disagreements", url_name="bill-disagreements")
def list_disagreements(request: ApiRequest, payer: str, month: str) -> Any:
    """Return where a bill and our records contradict each other, the most hours first."""
    asked = query(DisagreementQuery, request)
    bill = _bill(request, payer, month)
    rows = visible_billed(Disagreement.objects.filter(bill=bill), request.user)
    rows = rows.filter(_asked(asked, "subject"))
    if asked.kind:
        rows = rows.filter(kind=asked.kind)
    most_first = rows.order_by(F("hours").desc(nulls_last=True), "pk")
    return page(most_first, asked, _disagreement)


@router.get("/{payer}/{month}/purchases", url_name="bill-purchases")
def list_billed_purchases(request: ApiRequest, payer: str, month: str) -> Any:
    """Return the purchases on a bill with what was recorded of them, the most unused first."""
    asked = query(BilledQuery, request)
    bill = _bill(request, payer, month)
    rows = visible_billed(BilledPurchase.objects.filter(bill=bill), request.user)
    rows = rows.filter(_asked(asked, "aws_id"))
    most_first = rows.order_by(F("unused_hours").desc(nulls_last=True), "pk")
    return page_together(most_first, asked, lambda found: _purchases(found, bill, request))


@router.get("/{payer}/{month}/images", url_name="bill-images")
def list_billed_images(request: ApiRequest, payer: str, month: str) -> Any:
    """Return what the instances of each image were billed with, other codes than its own first."""
    asked = query(PageQuery, request)
    bill = _bill(request, payer, month)
    found = billed_images(
        visible_billed(BilledUsage.objects.filter(bill=bill), request.user),
        visible(Instance.objects.all(), request.user),
        visible(Image.objects.all(), request.user),
    )
    return page_of(found, asked, _image)


def _bill(request: ApiRequest, payer: str, month: str) -> Bill:
    found = find_bill(visible_bills(request.user), payer, month)
    if found is None:
        raise Http404(f"There is no bill of {payer[:12]} for {month[:7]}.")
    return found


def _asked(asked: BilledQuery, thing: str) -> Q:
    found = Q()
    if asked.account:
        found &= Q(account=asked.account)
    if asked.region:
        found &= Q(region=asked.region)
    if asked.q.strip():
        found &= Q(**{f"{thing}__startswith": asked.q.strip()})
    return found


def _bills(bills: Iterable[Bill], request: ApiRequest) -> list[dict[str, Any]]:
    bills, user = list(bills), request.user
    totals = totals_of(
        bills,
        visible_billed(BilledUsage.objects.all(), user),
        visible_billed(BilledPurchase.objects.all(), user),
        visible_billed(Disagreement.objects.all(), user),
    )
    return [
        {
            "payer": bill.payer,
            "month": f"{bill.month:%Y-%m}",
            "through": bill.through,
            "read_at": bill.read_at,
            **_totals(totals[bill.pk]),
            "url": request.build_absolute_uri(bill.get_absolute_url()),
        }
        for bill in bills
    ]


def _totals(totals: Totals) -> dict[str, Any]:
    return {
        "hours": _hours(totals.hours),
        "purchases": {
            "count": totals.purchases,
            "unstated": totals.unstated,
            "used_hours": _number(totals.used),
            "unused_hours": _number(totals.unused),
            "unused_costs": [
                {"cost": money(cost), "currency": currency} for cost, currency in totals.costs
            ],
            "without_cost": totals.unpriced,
        },
        "disagreements": totals.disagreements,
    }


def _hours(hours: dict[str, Decimal]) -> dict[str, float]:
    return {kind: float(hours.get(kind, 0)) for kind in UsageKind.values}


def _number(hours: Decimal | None) -> float | None:
    return None if hours is None else float(hours)


def _disagreement(row: Disagreement) -> dict[str, Any]:
    return {
        "kind": row.kind,
        "subject": row.subject,
        "account": row.account,
        "region": row.region,
        "billed": row.billed,
        "recorded": row.recorded,
        "hours": _number(row.hours),
    }


def _image(image: BilledImage) -> dict[str, Any]:
    return {
        "id": image.aws_id,
        "account": image.row.account.number if image.row else None,
        "usage_operation": image.row.usage_operation if image.row else None,
        "hours": float(image.hours),
        "other_hours": _number(image.other),
        "operations": [
            {"operation": one.operation, "hours": float(one.hours), "instances": one.instances}
            for one in image.billed
        ],
    }


def _purchases(rows: list[BilledPurchase], bill: Bill, request: ApiRequest) -> list[dict[str, Any]]:
    found = uses_for(request.user, bill, rows, at=timezone.now())
    return [_purchase(one.values()) for one in found]


def _purchase(values: dict[str, Any]) -> dict[str, Any]:
    return {
        "id": values["aws_id"],
        "account": values["account"],
        "region": values["region"],
        "used_hours": values["used"],
        "unused_hours": values["unused"],
        "unused_cost": money(values["unused_cost"]),
        "currency": values["currency"],
        "bought_hours": values["bought"],
        "recorded_used_hours": values["recorded_used"],
        "recorded_unused_hours": values["recorded_unused"],
        "recorded_since": values["recorded_since"],
        "compared": values["verdict"],
        "adds_up": values["adds_up"],
    }
