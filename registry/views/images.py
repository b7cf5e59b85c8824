"""Images: the list, one of them, reading them again."""

from collections.abc import Mapping
from datetime import datetime
from itertools import zip_longest
from typing import Any
from urllib.parse import urlencode

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.db.models import Case, Count, F, IntegerField, Q, QuerySet, Value, When
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_POST

from registry.access import Action, may, may_somewhere, visible
from registry.audit import prospect
from registry.billing.walk import UNSEEN
from registry.forms.filters import ImageFilter
from registry.http import SignedInRequest
from registry.jobs.audits import request_verification
from registry.models import (
    MISMATCHES,
    OVER,
    FindingState,
    Image,
    Instance,
    Method,
    RemovalItem,
    Scope,
)
from registry.views.descendants import descendants
from registry.views.history import history, readable
from registry.views.lists import InventoryList, back
from registry.views.on_bill import image_on_bill
from registry.views.shell import narrow

LINKED = frozenset({"image", "instance"})  # what has a page
# What is not told of a thing in an account that the person may not read.
HIDDEN: dict[str, Any] = {"name": "", "detail": "", "usage_operation": None, "is_hidden": True}
_LONGEST_NAME = 120  # with what is added, AWS takes it
URGENCY = ("lost", "wrong", "partial", "unexpected", "", "unknown", "excused", "ok")


class ImageList(InventoryList):
    template_name = "registry/image_list.html"
    filter_class = ImageFilter
    columns = {
        "name": "name",
        "billing": "urgency",
        "account": "account__name",
        "created": "created_at",
        "running": "running",
    }
    default_sort = "billing"
    export = {
        "Image": "aws_id",
        "Name": "name",
        "Account": "account__number",
        "Region": "region",
        "Verdict": "verdict",
        "Usage operation": "usage_operation",
        "Platform details": "platform_details",
        "Expected": "expected_usage_operation",
        "Confidence": "confidence",
        "Running": "running",
        "Created": "created_at",
    }
    extra_context = {"section": "images"}

    def rows(self) -> QuerySet[Any]:
        whens = [When(verdict=key, then=Value(place)) for place, key in enumerate(URGENCY)]
        rows = narrow(self.request, Image.objects.present().for_list())
        urgency = Case(*whens, default=Value(len(URGENCY)), output_field=IntegerField())
        waived = Count("findings", filter=Q(findings__state=FindingState.WAIVED))
        return rows.annotate(urgency=urgency, waived_findings=waived)

    def get_ordering(self) -> Any:
        order = super().get_ordering()
        return [order[0], F("running").desc(), "pk"]

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        every = narrow(self.request, Image.objects.present())
        return super().get_context_data(**kwargs) | {
            "total": every.count(),
            "attention": every.mismatched().count(),
            "can_discard": may_somewhere(self.request.user, Action.DISCARD_OWN),
        }


def image(request: SignedInRequest, aws_id: str) -> HttpResponse:
    """Show an image; the present one, should several accounts have had it."""
    found = find(request, aws_id)
    is_ours = found.account.is_synced and may(request.user, Action.DISCARD_OWN, found.account)
    is_away = found.is_gone or found.state == "disabled"
    launched = visible(Instance.objects.present().filter(image_id=aws_id), request.user)
    context = {
        "section": "images",
        "image": found,
        "hops": _hops(request, found),
        "descendants": descendants(request, found),
        "history": history(request, found),
        "read_at": _read_at(found),
        "on_bill": image_on_bill(request.user, found),
        "findings": found.findings.open().for_list().most_urgent_first(),
        "running": launched.running().count(),
        "instances": launched.select_related("account").order_by("-launched_at", "pk")[:10],
        "marked": _marked(request, found),
        "again": _again(request, found),
        "can_declare": not found.is_gone and may(request.user, Action.DECLARE, found.account),
        "can_discard": is_ours and not found.is_gone,
        "can_bring_back": is_ours and is_away and found.removals.exists(),
        "can_verify": found.account.is_synced and may(request.user, Action.VERIFY, found.account),
    }
    return render(request, "registry/image.html", context)


def _marked(request: SignedInRequest, found: Image) -> dict[str, Any] | None:
    """Return the removal that is about to discard the image; None where there is none."""
    items = RemovalItem.objects.active().exclude(removal__run__state__in=OVER)
    item = items.filter(image=found).select_related("removal__run__requested_by").first()
    if item is None or item.removal.is_undo:
        return None
    return {"item": item, "can_keep": may(request.user, Action.VERIFY, found.account)}


def _again(request: SignedInRequest, found: Image) -> str:
    """Return the address of the form that makes a wrong image again from an instance; or ""."""
    is_wrong = found.verdict in MISMATCHES and not found.is_gone and found.account.is_synced
    if not is_wrong or not may(request.user, Action.REGISTER, found.account):
        return ""
    origin = prospect(
        found.account,
        found.region,
        method=Method.SNAPSHOT,
        expected=found.expected_usage_operation or "",
        snapshot_id=found.root_snapshot_id,
    )
    if not origin.instances:
        return ""
    query = {
        "account": found.account.number,
        "region": found.region,
        "method": Method.INSTANCE,
        "source_instance_id": origin.instances[0].aws_id,
        "name": f"{found.name[:_LONGEST_NAME]}-2",
        "expected_usage_operation": found.expected_usage_operation,
    }
    return f"{reverse('register')}?{urlencode(query)}"


def _read_at(found: Image) -> datetime | None:
    """Return when AWS was last asked for all that is in the image's account and region."""
    scopes = Scope.objects.filter(account_id=found.account_id, region=found.region)
    return scopes.values_list("synced_at", flat=True).first()


def _hops(request: SignedInRequest, found: Image) -> list[dict[str, Any]]:
    """Return the lineage with what its picture needs: the edge after which the code was lost.

    Of things in accounts that the person may not read, only the ids are shown.
    """
    hops: list[dict[str, Any]] = found.lineage
    shown = readable(request, [hop["aws_id"] for hop in hops]) | {found.aws_id}
    return [
        hop
        | {
            **({} if hop["aws_id"] in shown or _is_told(hop, after, shown) else HIDDEN),
            "breaks_next": bool(after and after["is_break"]),
            "is_linked": hop["kind"] in LINKED and hop["aws_id"] in shown - {found.aws_id},
        }
        for hop, after in zip_longest(hops, hops[1:])
    ]


def _is_told(hop: Mapping[str, Any], after: Mapping[str, Any] | None, shown: set[str]) -> bool:
    """Say whether an image that no account has is known from the next thing, an instance of it."""
    is_unseen = hop["kind"] == "image" and hop["detail"] == UNSEEN
    return is_unseen and after is not None and after["aws_id"] in shown


def find(request: SignedInRequest, aws_id: str) -> Image:
    rows = visible(Image.objects.filter(aws_id=aws_id), request.user).select_related("account")
    found = rows.order_by(F("gone_at").desc(nulls_first=True)).first()
    if found is None:
        raise Http404(f"{aws_id} is not in the inventory.")
    return found


@require_POST
def verify(request: SignedInRequest) -> HttpResponse:
    """Read the chosen images again; those that the person may not verify are left out."""
    rows = visible(Image.objects.present(), request.user).select_related("account")
    images = list(rows.filter(aws_id__in=request.POST.getlist("pick")))
    if not images:
        messages.error(request, "Select at least one image.")
        return redirect(back(request, "/images/"))
    runs = request_verification(images, by=request.user)
    if not runs:
        raise PermissionDenied("Your role can't verify these images.")
    number = sum(run.images.count() for run in runs)
    text = f"{number} image{'s are' if number != 1 else ' is'} read again."
    if number < len(images):
        text += f" {len(images) - number} left out: your role can't verify them."
    messages.success(request, text)
    return redirect(runs[0] if len(runs) == 1 else back(request, "/images/"))
