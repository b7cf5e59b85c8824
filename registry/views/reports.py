"""Reports: the list, one of them, and its CSV."""

from typing import Any

from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_POST

from registry.access import Action, accounts, may_everywhere
from registry.http import SignedInRequest
from registry.jobs.reports import request_report
from registry.models import Report
from registry.reports.render import findings_csv
from registry.views.refs import key_of

SHOWN = 50


def report_list(request: SignedInRequest) -> HttpResponse:
    rows = Report.objects.ready().select_related("run__requested_by").order_by("-pk")[:SHOWN]
    context = {
        "section": "reports",
        "rows": rows,
        "can_create": may_everywhere(request.user, Action.REPORT),
    }
    return render(request, "registry/report_list.html", context)


def report(request: SignedInRequest, ref: str) -> HttpResponse:
    found = _find(ref)
    result = _readable(request, found.result)
    return render(
        request,
        "registry/report.html",
        {"section": "reports", "report": found, "result": result},
    )


def report_csv(request: SignedInRequest, ref: str) -> HttpResponse:
    found = _find(ref)
    return HttpResponse(
        findings_csv(_readable(request, found.result)),
        content_type="text/csv; charset=utf-8",
        headers={"Content-Disposition": f'attachment; filename="{found.ref}.csv"'},
    )


@require_POST
def create(request: SignedInRequest) -> HttpResponse:
    if not may_everywhere(request.user, Action.REPORT):
        raise PermissionDenied("A report is about every account; your role is on some.")
    return redirect(request_report(by=request.user).run)


def _find(ref: str) -> Report:
    rows = Report.objects.ready().select_related("previous")
    found = rows.filter(pk=key_of(ref, "R")).first()
    if found is None:
        raise Http404(f"There is no report {ref}.")
    return found


def _readable(request: SignedInRequest, result: dict[str, Any]) -> dict[str, Any]:
    """Leave what is about accounts that the person may read; totals only for who may read all."""
    if may_everywhere(request.user, Action.READ):
        return result
    mine = set(accounts(request.user).values_list("number", flat=True))
    own = [row for row in result["findings"] if row["account"] in mine]
    refs = {row["ref"] for row in own}
    return {
        "as_of": result["as_of"],
        "findings": own,
        "scopes": [row for row in result["scopes"] if row["account"] in mine],
        "difference": {
            "opened": [ref for ref in result["difference"]["opened"] if ref in refs],
            "closed": [],
        },
        "totals": {"open_findings": len(own)},
    }
