"""The reference of billing codes, with what the mirror has of each."""

from typing import Any

from django.db.models import Count
from django.http import HttpResponse
from django.shortcuts import render

from registry.billing.codes import TABLE, is_published, label
from registry.http import SignedInRequest
from registry.models import Image, Instance
from registry.views.shell import narrow


def codes(request: SignedInRequest) -> HttpResponse:
    images = _count(narrow(request, Image.objects.present()))
    running = _count(narrow(request, Instance.objects.present().running()))
    others = {code for code in (*images, *running) if not code or not is_published(code)}
    rows = [
        _row(code, label(code), "Not in the reference" if code else "None", images, running)
        for code in sorted(others, key=str)
    ]
    licences = {"none": "None", "AWS": "AWS", "yours": "Yours"}
    rows += [
        _row(c.usage_operation, c.platform_details, licences[c.licence], images, running)
        for c in TABLE
    ]
    return render(request, "registry/codes.html", {"section": "codes", "rows": rows})


def _count(rows: Any) -> dict[str | None, int]:
    return dict(rows.order_by().values_list("usage_operation").annotate(number=Count("pk")))


def _row(
    code: str | None,
    text: str,
    licence: str,
    images: dict[str | None, int],
    running: dict[str | None, int],
) -> dict[str, Any]:
    return {
        "code": code,
        "is_published": bool(code) and is_published(code or ""),
        "label": text,
        "licence": licence,
        "images": images.get(code, 0),
        "running": running.get(code, 0),
    }
