"""Images: those that somebody may see, and what the portal makes of each."""

from typing import Any, Literal

from django.http import Http404
from ninja import Router

from registry.access import visible
from registry.api.door import ApiRequest
from registry.api.paging import PageQuery, page
from registry.api.problems import query
from registry.models import Finding, Image

router = Router()
PENDING = "pending"  # the word for an image that was not judged yet


class ImageQuery(PageQuery):
    account: str = ""
    region: str = ""
    q: str = ""
    verdict: Literal[
        "ok", "lost", "partial", "unexpected", "wrong", "excused", "unknown", "pending", ""
    ] = ""


@router.get("", url_name="images")
def list_images(request: ApiRequest) -> Any:
    """Return the images that AWS showed last, by name."""
    asked = query(ImageQuery, request)
    rows = visible(Image.objects.present().for_list(), request.user).order_by("name", "pk")
    if asked.account:
        rows = rows.filter(account__number=asked.account)
    if asked.region:
        rows = rows.filter(region=asked.region)
    if asked.verdict:
        rows = rows.filter(verdict="" if asked.verdict == PENDING else asked.verdict)
    if asked.q.strip():
        rows = rows.search(asked.q.strip())
    return page(rows, asked, lambda image: _row(image, request))


@router.get("/{image_id}", url_name="image")
def get_image(request: ApiRequest, image_id: str) -> Any:
    """Return one image, also one that is gone; with what is found of it."""
    rows = visible(Image.objects.for_list(), request.user).filter(aws_id=image_id)
    image = rows.order_by("gone_at", "pk").last()  # of the present ones, gone_at is last: null
    if image is None:
        raise Http404(f"There is no image {image_id[:64]}.")
    findings = Finding.objects.open().filter(image=image).order_by("rule", "pk")
    return _row(image, request) | {
        "description": image.description,
        "tags": image.tags,
        "architecture": image.architecture,
        "boot_mode": image.boot_mode,
        "virtualization_type": image.virtualization_type,
        "root_device_name": image.root_device_name,
        "root_snapshot_id": image.root_snapshot_id,
        "source_image_id": image.source_image_id,
        "source_instance_id": image.source_instance_id,
        "missing": image.missing,
        "unexpected": image.unexpected,
        "judged_at": image.judged_at,
        "gone_at": image.gone_at,
        "findings": [
            {
                "ref": finding.ref,
                "rule": finding.rule,
                "severity": finding.severity,
                "state": finding.state,
                "title": finding.title,
                "message": finding.message,
                "advice": finding.remedy,
            }
            for finding in findings
        ],
    }


def _row(image: Any, request: ApiRequest) -> dict[str, Any]:
    return {
        "id": image.aws_id,
        "name": image.name,
        "account": image.account.number,
        "region": image.region,
        "state": image.state,
        "usage_operation": image.usage_operation,
        "platform_details": image.platform_details,
        "verdict": image.verdict or PENDING,
        "expected_usage_operation": image.expected_usage_operation,
        "confidence": image.confidence,
        "running": image.running,
        "open_findings": image.open_findings,
        "created_at": image.created_at,
        "url": request.build_absolute_uri(image.get_absolute_url()),
    }
