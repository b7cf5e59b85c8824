"""Instances: the code that each carries, and how far purchases pay for it."""

from datetime import datetime
from fractions import Fraction
from typing import Any, Literal

from django.db.models import Exists, OuterRef, Prefetch, Sum
from django.http import Http404
from ninja import Router

from registry.access import visible
from registry.api.door import ApiRequest
from registry.api.paging import PageQuery, page
from registry.api.problems import query
from registry.audit.proposals import last_looked
from registry.models import Cover, Finding, Instance
from registry.models.instance import InstanceQuerySet
from registry.models.units import number_of

router = Router()
MOST_COVERS = 1_000
WHOLE = 1 - 1e-6  # of what was added up without being exact; no share is that small


class InstanceQuery(PageQuery):
    account: str = ""
    region: str = ""
    state: str = ""
    image: str = ""
    q: str = ""
    covered: Literal["yes", "no", "part", ""] = ""


@router.get("", url_name="instances")
def list_instances(request: ApiRequest) -> Any:
    """Return the instances that AWS showed last, by id."""
    asked = query(InstanceQuery, request)
    given = {
        "account__number": asked.account,
        "region": asked.region,
        "state": asked.state,
        "image_id": asked.image,
    }
    rows = visible(_whole(Instance.objects.present()), request.user)
    rows = rows.filter(**{field: value for field, value in given.items() if value})
    if asked.q.strip():
        rows = rows.search(asked.q.strip())
    last = last_looked()
    if asked.covered:
        rows = _covered(rows, asked.covered, last)
    return page(rows.order_by("aws_id", "pk"), asked, lambda row: _row(row, request, last))


@router.get("/{instance_id}", url_name="instance")
def get_instance(request: ApiRequest, instance_id: str) -> Any:
    """Return one instance, also one that is gone; with the purchases that pay for it."""
    rows = visible(_whole(Instance.objects.filter(aws_id=instance_id)), request.user)
    found = rows.order_by("gone_at", "pk").last()  # of the present ones, gone_at is last: null
    if found is None:
        raise Http404(f"There is no instance {instance_id[:64]}.")
    covers = visible(found.covers.all(), request.user, by="reserved_instance__account")
    return _row(found, request, last_looked()) | {
        "availability_zone": found.availability_zone,
        "availability_zone_id": found.availability_zone_id,
        "tenancy": found.tenancy,
        "architecture": found.architecture,
        "usage_operation_updated_at": found.usage_operation_updated_at,
        "tags": found.tags,
        "gone_at": found.gone_at,
        "covers": [
            {"purchase": purchase, "fraction": float(Fraction(share))}
            for purchase, share in covers.order_by("reserved_instance__aws_id").values_list(
                "reserved_instance__aws_id", "share"
            )[:MOST_COVERS]
        ],
        "covers_in_all": found.covers.count(),
    }


def _whole(rows: InstanceQuerySet) -> InstanceQuerySet:
    """Read with the instances all that an answer needs."""
    findings = Finding.objects.open().order_by("rule", "pk")
    return rows.select_related("account").prefetch_related(
        "covers", Prefetch("findings", findings, to_attr="still_open")
    )


def _covered(rows: InstanceQuerySet, how: str, last: datetime | None) -> InstanceQuerySet:
    """Leave the running instances that are paid for as a whole, in part or not at all.

    Of what appeared after the `last` audit that is not known.
    """
    covers = Cover.objects.filter(instance=OuterRef("pk"))
    if how == "no":
        seen = rows.running().filter(first_seen_at__lte=last) if last else rows.none()
        return seen.filter(~Exists(covers))
    paid = Cover.objects.values("instance").annotate(paid=Sum(number_of("share")))
    whole = paid.filter(paid__gte=WHOLE).values("instance")
    if how == "yes":
        return rows.running().filter(pk__in=whole)
    return rows.running().filter(Exists(covers)).exclude(pk__in=whole)


def _row(row: Any, request: ApiRequest, last: datetime | None) -> dict[str, Any]:
    return {
        "id": row.aws_id,
        "name": row.name,
        "account": row.account.number,
        "region": row.region,
        "state": row.state,
        "instance_type": row.instance_type,
        "image_id": row.image_id,
        "usage_operation": row.usage_operation,
        "platform_details": row.platform_details,
        "lifecycle": row.lifecycle,
        "covered": _share(row, last),
        "launched_at": row.launched_at,
        "findings": [
            {"ref": finding.ref, "rule": finding.rule, "title": finding.title}
            for finding in row.still_open
        ],
        "url": request.build_absolute_uri(row.get_absolute_url()),
    }


def _share(row: Instance, last: datetime | None) -> float | None:
    """Return how much of an instance purchases pay for, as the `last` audit has found.

    None where nothing is to be paid, and where it appeared since.
    """
    covers = row.covers.all()
    is_judged = last is not None and row.first_seen_at <= last
    if row.state != "running" or row.is_gone or not (covers or is_judged):
        return None
    return float(sum((cover.fraction for cover in covers), Fraction(0)))
